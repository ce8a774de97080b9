"""The drawing's laws: nothing overlaps, edges go forward, cycles are taken, few edges cross."""

from itertools import combinations, pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.lineage.layout import Layout, Place, UnknownNode, lay_out

Edges = list[tuple[str, str]]
NAMES = [f"n{number:02}" for number in range(14)]
some_edges = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=30)
forward_edges = some_edges.map(lambda edges: [(min(edge), max(edge)) for edge in edges if edge[0] != edge[1]])


def slots(drawing: Layout) -> list[Place]:
    return [*drawing.places.values(), *(bend for route in drawing.routes for bend in route.bends)]


def steps(drawing: Layout) -> list[tuple[Place, Place]]:
    """The straight pieces of all edges, each from left to right."""
    pieces = []
    for route in drawing.routes:
        points = [drawing.places[route.source], *route.bends, drawing.places[route.target]]
        pieces += [(min(pair, key=layer_of), max(pair, key=layer_of)) for pair in pairwise(points)]
    return [piece for piece in pieces if piece[0] != piece[1]]


def layer_of(place: Place) -> int:
    return place.layer


def crossings(drawing: Layout) -> int:
    return sum(
        one[0].layer == other[0].layer and (one[0].order - other[0].order) * (one[1].order - other[1].order) < 0
        for one, other in combinations(steps(drawing), 2)
    )


@given(some_edges)
def test_no_two_slots_overlap(edges: Edges) -> None:
    taken = sorted((place.layer, place.order, place.lane) for place in slots(lay_out(NAMES, edges)))

    same_layer = [(one, other) for one, other in pairwise(taken) if one[0] == other[0]]
    assert all(one[1] + 1 == other[1] for one, other in same_layer)
    assert all(other[2] - one[2] >= 1 - 1e-5 for one, other in same_layer)
    assert min(place[2] for place in taken) == 0


@given(forward_edges)
def test_without_cycles_every_edge_goes_forward(edges: Edges) -> None:
    drawing = lay_out(NAMES, edges)

    assert all(drawing.places[source].layer < drawing.places[target].layer for source, target in edges)
    assert not any(route.is_backward for route in drawing.routes)


@given(some_edges)
def test_with_cycles_every_edge_but_the_backward_ones_goes_forward(edges: Edges) -> None:
    drawing = lay_out(NAMES, edges)

    for route in drawing.routes:
        source, target = drawing.places[route.source].layer, drawing.places[route.target].layer
        assert target < source or route.source == route.target if route.is_backward else source < target


@given(some_edges)
def test_every_edge_is_drawn_once_and_layer_by_layer(edges: Edges) -> None:
    drawing = lay_out(NAMES, edges)

    assert sorted((route.source, route.target) for route in drawing.routes) == sorted(set(edges))
    assert all(one.layer + 1 == other.layer for one, other in steps(drawing))


@given(some_edges, st.randoms())
def test_the_order_of_edges_changes_nothing(edges: Edges, random: Random) -> None:
    shuffled = edges * 2
    random.shuffle(shuffled)

    assert lay_out(NAMES, shuffled) == lay_out(NAMES, edges)


@given(some_edges)
def test_layers_and_height_span_the_drawing(edges: Edges) -> None:
    drawing = lay_out(NAMES, edges)

    assert {place.layer for place in drawing.places.values()} == set(range(drawing.layers))
    assert drawing.height == max(place.lane for place in slots(drawing))


def test_a_chain_is_a_straight_line() -> None:
    drawing = lay_out("abcd", [("a", "b"), ("b", "c"), ("c", "d")])

    assert [(place.layer, place.lane) for place in drawing.places.values()] == [(0, 0), (1, 0), (2, 0), (3, 0)]


def test_crossing_edges_are_untangled() -> None:
    drawing = lay_out(["a", "b", "c", "x", "y", "z"], [("a", "z"), ("b", "y"), ("c", "x")])

    assert crossings(drawing) == 0


def test_a_tree_has_no_crossings() -> None:
    numbers = [str(number) for number in range(1, 32)]
    edges = [(str(number // 2), str(number)) for number in range(2, 32)]

    assert crossings(lay_out(sorted(numbers), edges)) == 0


def test_the_story_of_a_model_reads_from_left_to_right() -> None:
    edges = [
        ("dataset:raw@1", "dataset:loans@2"),
        ("dataset:loans@2", "run:logistic"),
        ("dataset:loans@2", "run:fair"),
        ("run:logistic", "model:mortgage@1"),
        ("run:fair", "model:mortgage@2"),
        ("model:mortgage@2", "endpoint:mortgage"),
        ("dataset:people@1", "endpoint:mortgage"),
    ]
    nodes = sorted({end for edge in edges for end in edge})

    drawing = lay_out(nodes, edges)

    assert crossings(drawing) == 0
    assert [drawing.places[name].layer for name in ("dataset:raw@1", "run:fair", "endpoint:mortgage")] == [0, 2, 4]
    assert drawing.places["dataset:people@1"].layer == 3


def test_a_long_edge_bends_around_what_lies_between() -> None:
    drawing = lay_out("abcd", [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d")])

    bends = next(route.bends for route in drawing.routes if route.source == "a" and route.target == "d")
    assert [bend.layer for bend in bends] == [1, 2]
    assert all(bend.order != drawing.places[node].order for bend, node in zip(bends, "bc", strict=True))


def test_a_cycle_keeps_its_beginning_and_turns_its_last_edge() -> None:
    drawing = lay_out(["monitor", "run", "data"], [("data", "run"), ("run", "monitor"), ("monitor", "run")])

    assert [drawing.places[name].layer for name in ("data", "run", "monitor")] == [0, 1, 2]
    assert [route.source for route in drawing.routes if route.is_backward] == ["monitor"]


def test_a_long_edge_and_the_one_back_bend_apart() -> None:
    drawing = lay_out("abc", [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")])

    bends = [route.bends for route in drawing.routes if "b" not in (route.source, route.target)]
    assert [len(each) for each in bends] == [1, 1]
    assert bends[0] != bends[1]


def test_an_edge_to_itself_is_taken() -> None:
    drawing = lay_out(["a"], [("a", "a")])

    assert drawing.places == {"a": Place(0, 0, 0.0)}
    assert [(route.is_backward, route.bends) for route in drawing.routes] == [(True, ())]


def test_a_thousand_steps_in_a_row_are_taken() -> None:
    names = [f"{number:04}" for number in range(1_000)]

    assert lay_out(names, pairwise(names)).layers == 1_000


def test_an_empty_graph_is_an_empty_drawing() -> None:
    drawing = lay_out([], [])

    assert (drawing.layers, drawing.height, drawing.places, drawing.routes) == (0, 0, {}, [])


def test_an_edge_to_an_unknown_node_is_refused() -> None:
    with pytest.raises(UnknownNode, match="'b', which is not among the nodes"):
        lay_out(["a"], [("a", "b")])
