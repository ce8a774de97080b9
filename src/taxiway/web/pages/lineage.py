"""The page of the lineage graph: what a thing came from and led to, drawn and as a table."""

from __future__ import annotations

from collections import deque

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.thing import href, parse
from taxiway.lineage.contract import Edge, Graph, WalkFrom
from taxiway.lineage.layout import lay_out
from taxiway.lineage.service import Lineage
from taxiway.web.entries import called, short_ref
from taxiway.web.figures import lineage as figure
from taxiway.web.site import Html, Site, View
from taxiway.web.words import plural

DRAWN_AT_MOST = 60
PHONE = 358  # px that a drawing has on a phone
MOST_BEGIN = 8  # of each kind, offered where nothing was named
BEGIN = {"model": "Models", "endpoint": "Endpoints", "project": "Projects"}
STEPS = (1, 2, 3, 6, 12, 25)
Names = dict[str, str]  # by reference
KINDS = {"dataset": "data", "run": "runs", "model": "models", "endpoint": "endpoints", "monitor": "monitors"}


class Row(Struct, frozen=True):
    """An edge as the table shows it, with both its ends in words."""

    edge: Edge
    source: str
    words: str
    target: str


class LineagePage:
    def __init__(self, lineage: Lineage, access: Access, site: Site) -> None:
        self.lineage = lineage
        self.access = access
        self.site = site

    def _begin(self, caller: Caller) -> list[tuple[str, str]]:
        """Things to begin with, as references with their names: models, endpoints and projects."""
        found = []
        for kind, heading in BEGIN.items():
            find = self.site.finders.get(heading)
            found += [(f"{kind}:{each.name}", each.name) for each in (find(caller, "", MOST_BEGIN) if find else [])]
        return found

    def show(self, view: View) -> Html:
        thing = str(view.path.get("thing") or view.one("thing")).strip()
        steps = view.number("steps", 12)
        graph = Graph(thing, [])
        if thing:
            graph = self.lineage.walk(WalkFrom(thing=thing, steps=steps), self.access.visible(view.caller))
        near = nearest(graph, DRAWN_AT_MOST)
        names = self.site.named({*things(graph), thing})
        values = {
            "title": f"Lineage of {called(thing, names)}" if thing else "Lineage",
            "called": called(thing, names),
            "thing": thing,
            "steps": steps,
            "choices": [(number, plural(number, "step")) for number in sorted({*STEPS, steps})],
            "answer": answer(graph, names),
            "figure": (drawing := draw(graph, near, names) if near else None),
            "goes_on": drawing is not None and drawing.width(PHONE) > PHONE,
            "left_out": len(things(graph)) - len(near),
            "rows": [
                Row(edge, called(edge.source, names), words(edge.verb), called(edge.target, names))
                for edge in graph.edges
            ],
            "is_cut": graph.is_cut,
            "begin": [] if thing else self._begin(view.caller),
        }
        return Html("web/lineage.html", KINDS.get(parse(thing).kind, ""), values)


def add(site: Site, lineage: Lineage, access: Access) -> None:
    page = LineagePage(lineage, access, site)
    site.page("/lineage", page.show, needs="lineage.read", scope="platform")
    site.page("/lineage/{thing:path}", page.show, needs="lineage.read", scope="platform")


def answer(graph: Graph, names: Names) -> str:
    """How much a thing came from and led to, in a sentence."""
    if not graph.thing:
        return "What came from what"
    name = called(graph.thing, names)
    if not graph.edges:
        return f"Nothing is joined to {name} yet"
    versions = {ref for ref in things(graph) if is_here(ref, graph.thing)}
    if len(versions) > 1:
        name += f", in {plural(len(versions), 'version')},"
    if parse(graph.thing).kind == "project":
        return f"{plural(len(things(graph)), 'thing')} of {name} and what joins them"
    return f"{name[:1].upper()}{name[1:]} is joined to {plural(len(things(graph) - versions), 'thing')}"


def words(verb: str) -> str:
    """An edge's verb for reading: "read by"."""
    return verb.replace("_", " ")


def things(graph: Graph) -> set[str]:
    return {end for edge in graph.edges for end in (edge.source, edge.target)}


def nearest(graph: Graph, most: int) -> list[str]:
    """The things of the graph that are the fewest edges away from where it begins, at most so many of them."""
    beside: dict[str, list[str]] = {}
    for edge in graph.edges:
        beside.setdefault(edge.source, []).append(edge.target)
        beside.setdefault(edge.target, []).append(edge.source)
    begin = [name for name in beside if is_here(name, graph.thing)] or list(beside)
    seen = dict.fromkeys(begin)
    waiting = deque(begin)
    while waiting and len(seen) < most:
        for other in beside[waiting.popleft()]:
            if other not in seen:
                seen[other] = None
                waiting.append(other)
    return list(seen)[:most]


def is_here(name: str, thing: str) -> bool:
    """Whether a node is the thing, or a version of it where the thing has none."""
    return name == thing or name.startswith(f"{thing}@")


def draw(graph: Graph, near: list[str], names: Names) -> figure.LineageGraph:
    """The drawing of the things that are near, each a link to its own page."""
    kept = [edge for edge in graph.edges if edge.source in near and edge.target in near]
    layout = lay_out(near, [(edge.source, edge.target) for edge in kept])
    nodes = []
    for ref in near:
        kind, name, version = parse(ref)
        place = layout.places[ref]
        shown = name.rpartition("/")[2] if kind == "dataset" else short_ref(name)
        label = f"{shown}@{version}" if version else shown
        nodes.append(
            figure.Node(
                ref=ref,
                kind=kind,
                name=names.get(ref, label),
                note=label if ref in names else "",
                layer=place.layer,
                order=place.lane,
                url=href(ref),
            )
        )
    via = {(r.source, r.target): tuple((bend.layer, bend.lane) for bend in r.bends) for r in layout.routes}
    edges = tuple(
        figure.Edge(source=e.source, target=e.target, name=words(e.verb), via=via.get((e.source, e.target), ()))
        for e in kept
    )
    return figure.LineageGraph(
        title=f"The lineage of {called(graph.thing, names)}", nodes=tuple(nodes), edges=edges, here=graph.thing
    )
