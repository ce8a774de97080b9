"""The lineage graph: boxes in layers from data to decisions, joined by what was made from what."""

from msgspec import Struct

from taxiway.web.figures.axes import NARROW
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, linked, sheet, shorten, tag

_WIDEST, _SLIMMEST, _TALL, _GAP_X, _GAP_Y, _GAP_DOWN = 184.0, 140.0, 46.0, 40.0, 18.0, 16.0
_EDGE = 2.0  # px around the drawing, for the rim of what it is about


class Node(Struct, frozen=True, kw_only=True):
    """One thing at its place: its layer from data on, and its order within that, both from 0."""

    ref: str
    kind: str
    name: str
    layer: int
    order: float
    url: str = ""
    verdict: str = ""
    note: str = ""  # beside the kind, such as the beginning of an id


class Edge(Struct, frozen=True, kw_only=True):
    """`source` led to `target`; both are refs of nodes. `via`: the free places (layer, order) it bends through."""

    source: str
    target: str
    name: str = ""
    via: tuple[tuple[int, float], ...] = ()


class LineageGraph(Struct, frozen=True, kw_only=True):
    """`here` is the ref of the thing that the page is about; without a version it stands for all of them."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    here: str = ""

    def _grid(self, width: int) -> "_Grid":
        """From left to right, or from the top down where it is narrow."""
        layers = max((node.layer for node in self.nodes), default=0) + 1
        bent = [order for edge in self.edges for _, order in edge.via]
        lanes = max([0.0, *(node.order for node in self.nodes), *bent]) + 1
        return _downward(width, layers, lanes) if width < NARROW else _rightward(width, layers, lanes)

    def width(self, room: int) -> float:
        """How wide it is drawn where there is so much room: more than that where it cannot be made to fit."""
        return self._grid(room).size[0]

    def draw(self, width: int = 720) -> Svg:
        grid = self._grid(width)
        paper = Sheet(
            title=self.title,
            words=self.words(),
            width=grid.size[0],
            height=grid.size[1],
            kind="lineage",
            has_links=any(node.url for node in self.nodes),
            is_fixed=True,
        )
        places = {node.ref: grid.at(node.layer, node.order) for node in self.nodes}
        edges = [
            _edge(edge, [places[edge.source], *(grid.at(*bend) for bend in edge.via), places[edge.target]], grid)
            for edge in self.edges
            if edge.source in places and edge.target in places
        ]
        return sheet(paper, *edges, *(self._node(node, places[node.ref], grid.wide) for node in self.nodes))

    def _node(self, node: Node, at: tuple[float, float], wide: float) -> Svg:
        x, y = at
        note = shorten(f"{node.kind} · {node.note}" if node.note else node.kind, wide - 20)
        box = group(
            tag("rect", x=x, y=y, width=wide, height=_TALL, rx=4, class_="box"),
            tag("rect", x=x, y=y, width=4, height=_TALL, rx=2, class_="edge-bar"),
            label(note, x + 14, y + 18, "kind"),
            label(shorten(node.name, wide - 24, 13), x + 14, y + 36, "node-name"),
        )
        is_here = bool(self.here) and (node.ref == self.here or node.ref.startswith(f"{self.here}@"))
        here, verdict = " is-here" if is_here else "", f" verdict-{node.verdict}" if node.verdict else ""
        return group(
            linked(box, node.url, f"{node.kind} {node.name} {node.note}".rstrip()),
            class_=f"node{here}{verdict}",
            data_ref=node.ref,
        )

    def words(self) -> str:
        names = {node.ref: f"{node.kind} {node.name}" for node in self.nodes}
        pairs = [
            f"{names[edge.source]} led to {names[edge.target]}"
            for edge in self.edges
            if edge.source in names and edge.target in names
        ]
        return "; ".join(pairs) + "." if pairs else "Nothing is joined to it yet."

    def numbers(self) -> Numbers:
        names = {node.ref: f"{node.kind} {node.name}" for node in self.nodes}
        rows = tuple((names.get(e.source, e.source), e.name, names.get(e.target, e.target)) for e in self.edges)
        return Numbers(("from", "how", "to"), rows)


class _Grid(Struct, frozen=True, kw_only=True):
    """Where boxes stand: how far it is from layer to layer and from lane to lane, and whether layers go down."""

    wide: float
    step: float
    lane: float
    is_down: bool
    size: tuple[float, float]

    def at(self, layer: float, order: float) -> tuple[float, float]:
        """The upper left corner of a box."""
        along, across = _EDGE + layer * self.step, _EDGE + order * self.lane
        return (across, along) if self.is_down else (along, across)

    @property
    def box(self) -> tuple[float, float]:
        """The size of a box along the way of the layers, and across it."""
        return (_TALL, self.wide) if self.is_down else (self.wide, _TALL)

    def point(self, along: float, across: float) -> str:
        return f"{across:.1f} {along:.1f}" if self.is_down else f"{along:.1f} {across:.1f}"


def _rightward(width: int, layers: int, lanes: float) -> _Grid:
    wide = min(max((width - 2 * _EDGE - (layers - 1) * _GAP_X) / layers, _SLIMMEST), _WIDEST)
    gap = min(max((width - 2 * _EDGE - layers * wide) / max(layers - 1, 1), _GAP_X), _GAP_X * 2.5)
    size = (layers * (wide + gap) - gap + 2 * _EDGE, lanes * (_TALL + _GAP_Y) - _GAP_Y + 2 * _EDGE)
    return _Grid(wide=wide, step=wide + gap, lane=_TALL + _GAP_Y, is_down=False, size=size)


def _downward(width: int, layers: int, lanes: float) -> _Grid:
    wide = min(max((width - 2 * _EDGE - (lanes - 1) * _GAP_DOWN) / lanes, _SLIMMEST), _WIDEST)
    size = (lanes * (wide + _GAP_DOWN) - _GAP_DOWN + 2 * _EDGE, layers * (_TALL + _GAP_X) - _GAP_X + 2 * _EDGE)
    return _Grid(wide=wide, step=_TALL + _GAP_X, lane=wide + _GAP_DOWN, is_down=True, size=size)


def _edge(edge: Edge, corners: list[tuple[float, float]], grid: _Grid) -> Svg:
    """A soft curve from the end of the first box to the beginning of the last, straight across those between."""
    long, broad = grid.box
    starts = [((y, x + broad / 2) if grid.is_down else (x, y + broad / 2)) for x, y in corners]
    along, across = starts[0][0] + long, starts[0][1]
    course = f"M{grid.point(along, across)}"
    for number, (to, lane) in enumerate(starts[1:], start=2):
        is_last = number == len(starts)
        bend, end = max((to - along) / 2, 24), to - (6 if is_last else 0)
        curve = (grid.point(along + bend, across), grid.point(to - bend, lane), grid.point(end, lane))
        course += f"C{' '.join(curve)}" + ("" if is_last else f"L{grid.point(to + long, lane)}")
        along, across = to + long, lane
    to, lane = starts[-1]
    tip = (grid.point(to - 7, lane - 4), grid.point(to, lane), grid.point(to - 7, lane + 4))
    parts = group(tag("path", d=course, class_="edge"), tag("path", d=f"M{'L'.join(tip)}Z", class_="edge-head"))
    return linked(parts, "", edge.name) if edge.name else parts
