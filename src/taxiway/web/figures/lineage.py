"""The lineage graph: boxes in layers from data to decisions, joined by what was made from what."""

from msgspec import Struct

from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, linked, sheet, shorten, tag

_WIDEST, _SLIMMEST, _TALL, _GAP_X, _GAP_Y = 168.0, 128.0, 46.0, 40.0, 18.0


class Node(Struct, frozen=True, kw_only=True):
    """One thing at its place: layer from the left, order from the top, both from 0."""

    ref: str
    kind: str
    name: str
    layer: int
    order: float
    url: str = ""
    verdict: str = ""


class Edge(Struct, frozen=True, kw_only=True):
    """`source` led to `target`; both are refs of nodes. `via`: the free places (layer, order) it bends through."""

    source: str
    target: str
    name: str = ""
    via: tuple[tuple[int, float], ...] = ()


class LineageGraph(Struct, frozen=True, kw_only=True):
    """`here` is the ref of the thing that the page is about."""

    title: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    here: str = ""

    def draw(self, width: int = 720) -> Svg:
        layers = max((node.layer for node in self.nodes), default=0) + 1
        bent = [order for edge in self.edges for _, order in edge.via]
        orders = max((node.order for node in self.nodes), default=0)
        orders = max([orders, *bent]) + 1
        wide = min(max((width - 4 - (layers - 1) * _GAP_X) / layers, _SLIMMEST), _WIDEST)
        gap = min(max((width - 4 - layers * wide) / max(layers - 1, 1), _GAP_X), _GAP_X * 2.5)
        places = {node.ref: (2 + node.layer * (wide + gap), 2 + node.order * (_TALL + _GAP_Y)) for node in self.nodes}
        paper = Sheet(
            title=self.title,
            words=self.words(),
            width=layers * (wide + gap) - gap + 4,
            height=orders * (_TALL + _GAP_Y) - _GAP_Y + 4,
            kind="lineage",
            has_links=any(node.url for node in self.nodes),
            is_fixed=True,
        )
        edges = []
        for edge in self.edges:
            if edge.source in places and edge.target in places:
                bends = [(2 + layer * (wide + gap), 2 + order * (_TALL + _GAP_Y)) for layer, order in edge.via]
                edges.append(_edge(edge, [places[edge.source], *bends, places[edge.target]], wide))
        return sheet(paper, *edges, *(self._node(node, places[node.ref], wide) for node in self.nodes))

    def _node(self, node: Node, at: tuple[float, float], wide: float) -> Svg:
        x, y = at
        box = group(
            tag("rect", x=x, y=y, width=wide, height=_TALL, rx=4, class_="box"),
            tag("rect", x=x, y=y, width=4, height=_TALL, rx=2, class_="edge-bar"),
            label(node.kind, x + 14, y + 18, "kind"),
            label(shorten(node.name, wide - 24, 13), x + 14, y + 36, "node-name"),
        )
        here = " is-here" if node.ref == self.here else ""
        verdict = f" verdict-{node.verdict}" if node.verdict else ""
        return group(
            linked(box, node.url, f"{node.kind} {node.name}"),
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


def _edge(edge: Edge, boxes: list[tuple[float, float]], wide: float) -> Svg:
    """A soft curve from the right side of the first box to the left side of the last, straight across those between."""
    middle = _TALL / 2
    x, y = boxes[0][0] + wide, boxes[0][1] + middle
    course = f"M{x:.1f} {y:.1f}"
    for number, (left, top) in enumerate(boxes[1:], start=2):
        is_last = number == len(boxes)
        to_x, to_y = left - (6 if is_last else 0), top + middle
        bend = max((left - x) / 2, 24)
        course += f"C{x + bend:.1f} {y:.1f} {left - bend:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
        course += "" if is_last else f"H{left + wide:.1f}"
        x, y = left + wide, to_y
    left, y = boxes[-1][0], boxes[-1][1] + middle
    head = f"M{left - 7:.1f} {y - 4:.1f}L{left:.1f} {y:.1f}L{left - 7:.1f} {y + 4:.1f}Z"
    parts = group(tag("path", d=course, class_="edge"), tag("path", d=head, class_="edge-head"))
    return linked(parts, "", edge.name) if edge.name else parts
