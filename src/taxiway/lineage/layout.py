"""Where the nodes of a small directed graph stand when it is drawn in layers, from left to right.

The steps of Sugiyama, Tagawa and Toda (1981): turn the edges that close a cycle, put every node behind those it
comes from, order each layer so that few edges cross, and give every node a lane near its neighbours.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

SWEEPS = 12
"""Passes over the layers, left to right and back; the best order seen is kept."""


class UnknownNode(ValueError):
    """An edge names a node that is not among the nodes."""


class Place(Struct, frozen=True):
    """A slot in the drawing. No two nodes or bends share one."""

    layer: int  # from 0, left to right
    order: int  # from 0 within the layer, top to bottom
    lane: float  # the height at which to draw it; slots of a layer are at least 1 apart, the topmost is 0


class Route(Struct, frozen=True):
    """An edge and the slots it bends through, so that it does not run over the nodes between its ends."""

    source: str
    target: str
    bends: tuple[Place, ...] = ()  # from source to target
    is_backward: bool = False  # it closes a cycle, and is drawn against the reading direction


class Layout(Struct, frozen=True):
    """Every node's place and every edge's route."""

    places: dict[str, Place]
    routes: list[Route]

    @property
    def layers(self) -> int:
        """How many layers there are."""
        return 1 + max((place.layer for place in self.places.values()), default=-1)

    @property
    def height(self) -> float:
        """The lane of the lowest slot; 0 for one row of nodes."""
        bends = (bend for route in self.routes for bend in route.bends)
        return max((place.lane for place in (*self.places.values(), *bends)), default=0.0)


def lay_out(nodes: Iterable[str], edges: Iterable[tuple[str, str]]) -> Layout:
    """The layered drawing of a graph; every edge goes forward, but those that close a cycle.

    The same nodes and edges give the same drawing, whatever the edges' order; the nodes' order decides ties.
    Repeated nodes and edges count once. Raises UnknownNode for an edge to or from elsewhere.
    """
    names = list(dict.fromkeys(nodes))
    number = {name: index for index, name in enumerate(names)}
    given = set(edges)
    if strangers := sorted({end for edge in given for end in edge if end not in number}):
        raise UnknownNode(f"An edge names {strangers[0]!r}, which is not among the nodes. Add it to them.")
    links = sorted((number[source], number[target]) for source, target in given)
    backward = _closing_cycles(len(names), links)
    forward = {link: link[::-1] if link in backward else link for link in links if link[0] != link[1]}
    layer = _layers(len(names), sorted(set(forward.values())))
    slots, chains = _with_bends(layer, forward)
    neighbours = _neighbours(sum(map(len, slots)), chains.values())
    slots = _with_few_crossings(slots, neighbours)
    places = _places(slots, neighbours)
    routes = []
    for link in links:
        bends = [places[slot] for slot in chains.get(link, ())[1:-1]]
        is_backward = link in backward
        ordered = tuple(reversed(bends)) if is_backward else tuple(bends)
        routes.append(Route(names[link[0]], names[link[1]], ordered, is_backward))
    return Layout({name: places[number[name]] for name in names}, routes)


Link = tuple[int, int]
Neighbours = list[tuple[list[int], list[int]]]
"""For each slot, those it is joined to in the layer before and in the layer after."""


def _closing_cycles(count: int, links: Sequence[Link]) -> set[Link]:
    """The links back to a node on the way to their source, in a depth-first walk in the nodes' order.

    The walk begins where nothing leads to, so that a graph with a natural beginning keeps it.
    """
    onward: list[list[int]] = [[] for _ in range(count)]
    for source, target in links:
        onward[source].append(target)
    led_to = {target for _, target in links}
    closing: set[Link] = set()
    unseen, open_, done = 0, 1, 2
    state = [unseen] * count
    for start in sorted(range(count), key=lambda node: node in led_to):
        if state[start] != unseen:
            continue
        state[start] = open_
        way = [(start, iter(onward[start]))]
        while way:
            node, rest = way[-1]
            following = next(rest, None)
            if following is None:
                state[node] = done
                way.pop()
            elif state[following] == open_:
                closing.add((node, following))
            elif state[following] == unseen:
                state[following] = open_
                way.append((following, iter(onward[following])))
    return closing


def _layers(count: int, links: Sequence[Link]) -> list[int]:
    """Each node's layer: behind all it comes from, by the longest way; beginnings stand right before their use."""
    onward: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in links:
        onward[source].append(target)
        waiting[target] += 1
    beginnings = [node for node in range(count) if waiting[node] == 0]
    layer = [0] * count
    ready = list(beginnings)
    for node in ready:
        for target in onward[node]:
            layer[target] = max(layer[target], layer[node] + 1)
            waiting[target] -= 1
            if waiting[target] == 0:
                ready.append(target)
    for node in beginnings:
        layer[node] = min((layer[target] - 1 for target in onward[node]), default=0)
    return layer


def _with_bends(layer: Sequence[int], forward: dict[Link, Link]) -> tuple[list[list[int]], dict[Link, list[int]]]:
    """The slots of each layer, and for each link the slots it goes through from left to right, ends included.

    forward: each link and the same, turned if need be to go forward. Bends get numbers after the nodes'.
    """
    slots: list[list[int]] = [[] for _ in range(max(layer, default=-1) + 1)]
    for node, at in enumerate(layer):
        slots[at].append(node)
    chains: dict[Link, list[int]] = {}
    fresh = len(layer)
    for link, (source, target) in forward.items():
        chain = [source]
        for at in range(layer[source] + 1, layer[target]):
            slots[at].append(fresh)
            chain.append(fresh)
            fresh += 1
        chains[link] = [*chain, target]
    return slots, chains


def _neighbours(count: int, chains: Iterable[Sequence[int]]) -> Neighbours:
    joined: Neighbours = [([], []) for _ in range(count)]
    for chain in chains:
        for one, following in pairwise(chain):
            joined[one][1].append(following)
            joined[following][0].append(one)
    return joined


def _with_few_crossings(slots: list[list[int]], neighbours: Neighbours) -> list[list[int]]:
    """The layers in the best order found by moving each slot to the mean of its neighbours, in sweeps."""
    best, fewest = slots, _crossings(slots, neighbours)
    current = slots
    for sweep in range(SWEEPS):
        if fewest == 0:
            break
        current = _swept(current, neighbours, rightwards=sweep % 2 == 0)
        found = _crossings(current, neighbours)
        if found < fewest:
            best, fewest = current, found
    return best


def _swept(slots: list[list[int]], neighbours: Neighbours, *, rightwards: bool) -> list[list[int]]:
    """One pass: each layer ordered by the mean position of its neighbours in the layer before (or after)."""
    ordered = list(slots)
    side = 0 if rightwards else 1
    rank = {slot: index for layer in slots for index, slot in enumerate(layer)}

    def mean_rank(slot: int) -> float:
        beside = neighbours[slot][side]
        return sum(rank[other] for other in beside) / len(beside) if beside else rank[slot]

    for at in range(len(slots)) if rightwards else reversed(range(len(slots))):
        ordered[at] = sorted(ordered[at], key=mean_rank)  # stable: ties keep their order
        rank.update({slot: index for index, slot in enumerate(ordered[at])})
    return ordered


def _crossings(slots: list[list[int]], neighbours: Neighbours) -> int:
    """How many pairs of edges cross between neighbouring layers."""
    total = 0
    for layer, following in pairwise(slots):
        rank = {slot: index for index, slot in enumerate(following)}
        above: list[int] = []
        for slot in layer:
            ends = sorted(rank[other] for other in neighbours[slot][1])
            total += sum(len(above) - bisect_right(above, end) for end in ends)
            for end in ends:
                insort(above, end)
    return total


def _places(slots: list[list[int]], neighbours: Neighbours) -> dict[int, Place]:
    """Every slot's place, with lanes drawn towards the mean of the neighbours on both sides."""
    lanes = {slot: float(index) for layer in slots for index, slot in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in slots if sweep % 2 == 0 else reversed(slots):
            wished = []
            for slot in layer:
                beside = [lanes[other] for side in neighbours[slot] for other in side]
                wished.append(sum(beside) / len(beside) if beside else lanes[slot])
            lanes.update(zip(layer, _apart(wished), strict=True))
    top = min(lanes.values(), default=0.0)
    return {
        slot: Place(at, order, round(lanes[slot] - top, 6))
        for at, layer in enumerate(slots)
        for order, slot in enumerate(layer)
    }


def _apart(wished: Sequence[float]) -> list[float]:
    """The positions nearest to the wished ones, in least squares, that keep their order and are 1 apart.

    Pooling adjacent violators: less its own index, the positions need only not fall.
    """
    pools: list[tuple[float, int]] = []  # mean and number of members
    for index, wish in enumerate(wished):
        mean, members = wish - index, 1
        while pools and pools[-1][0] > mean:
            before, more = pools.pop()
            mean, members = (mean * members + before * more) / (members + more), members + more
        pools.append((mean, members))
    level = [mean for mean, members in pools for _ in range(members)]
    return [mean + index for index, mean in enumerate(level)]
