import math
from itertools import pairwise

from taxiway.web.figures.areas import Area, StackedAreas
from taxiway.web.figures.heat import HeatMap
from taxiway.web.figures.lineage import Edge, LineageGraph, Node
from taxiway.web.figures.path import Gate, PathDrawing, Stage
from taxiway.web.figures.sparkline import Sparkline
from taxiway.web.figures.svg import text_width
from tests.web.drawn import parse, place, texts, with_class

PATH = PathDrawing(
    title="path",
    here=1,
    stages=(
        Stage(name="idea"),
        Stage(name="staging", gates=(Gate(name="performance", verdict="pass"),)),
        Stage(name="production", gates=(Gate(name="approval", asks="one validator", giver="Vera"),)),
    ),
)


def test_a_cell_prints_its_number_and_leads_somewhere() -> None:
    root = parse(HeatMap(title="t", rows=("f",), columns=("w",), values=((0.314,),), urls=(("/d",),)).draw(720))

    assert "0.31" in texts(root)
    assert [each.get("href") for each in with_class(root, "hot")] == ["/d"]
    assert root.get("role") == "group"


def test_cells_from_the_limit_on_are_flagged_by_shape() -> None:
    heat = HeatMap(title="t", rows=("f",), columns=("a", "b", "c"), values=((0.249, 0.25, math.nan),))
    root = parse(heat.draw(720))

    assert len(with_class(root, "cell-flag")) == 1
    assert len(with_class(root, "heat-none")) == 1
    assert heat.words() == "PSI: 1 over the limit of 0.25; most: f in b (0.25)."


def test_the_thing_stands_at_its_stage() -> None:
    root = parse(PATH.draw(880))
    (thing,) = with_class(root, "thing")
    (here,) = with_class(root, "is-here")

    assert place(thing, "cx") == place(here[0], "x1")
    assert "Still open: approval (missing)." in PATH.words()


def test_a_gate_says_what_it_asks_and_who_can_give_it() -> None:
    says = [each.findtext("{http://www.w3.org/2000/svg}title") for each in with_class(parse(PATH.draw(880)), "hot")]

    assert says[1] == "approval: one validator: missing. Given by Vera."


def test_stages_with_no_gate_between_them_keep_their_names_apart() -> None:
    gates = tuple(Gate(name=f"gate {number}") for number in range(10))
    ends = (Stage(name="idea"), Stage(name="candidate"), Stage(name="production", gates=gates), Stage(name="monitored"))

    root = parse(PathDrawing(title="path", stages=ends, here=0).draw(720))

    *_, production, monitored = with_class(root, "stage-name")
    ends_at = place(production, "x") + text_width("production", 13) / 2
    assert ends_at < place(monitored, "x") - text_width("monitored", 13)
    marks = [place(mark, "x") for mark in with_class(root, "gate-ground")]
    assert marks == sorted(marks)


def test_on_a_phone_the_path_goes_down_and_names_every_gate() -> None:
    root = parse(PATH.draw(358))

    assert {"performance: pass", "approval: missing"} <= set(texts(root))
    assert place(root, "width") == 358


def test_a_small_path_has_marks_but_no_texts() -> None:
    small = PathDrawing(title="path", stages=PATH.stages, here=0, is_small=True)

    assert texts(parse(small.draw(220))) == []
    assert len(with_class(parse(small.draw(220)), "mark")) == 2


def test_lineage_boxes_stand_in_their_layers_and_edges_join_them() -> None:
    nodes = (
        Node(ref="a", kind="dataset", name="loans@1", layer=0, order=0),
        Node(ref="b", kind="run", name="calm-heron", layer=1, order=0),
    )
    graph = LineageGraph(title="t", nodes=nodes, edges=(Edge(source="a", target="b"),), here="b")
    root = parse(graph.draw(880))
    first, second = with_class(root, "box")
    (edge,) = with_class(root, "edge")

    assert place(first, "x") + place(first, "width") < place(second, "x")
    assert edge.get("d", "").startswith(f"M{place(first, 'x') + place(first, 'width'):.1f} ")
    assert graph.words() == "dataset loans@1 led to run calm-heron."


def test_where_it_is_narrow_lineage_goes_down_and_fits() -> None:
    nodes = tuple(Node(ref=name, kind="run", name=name, layer=layer, order=0) for layer, name in enumerate("abcde"))
    edges = tuple(Edge(source=source, target=target) for source, target in pairwise("abcde"))
    root = parse(LineageGraph(title="t", nodes=nodes, edges=edges).draw(358))
    boxes = with_class(root, "box")

    assert float(root.get("width", "")) <= 358
    assert [place(box, "y") for box in boxes] == sorted({place(box, "y") for box in boxes})
    assert len(with_class(root, "edge")) == 4


def test_an_edge_to_something_unseen_is_left_out() -> None:
    node = Node(ref="a", kind="dataset", name="loans@1", layer=0, order=0)
    graph = LineageGraph(title="t", nodes=(node,), edges=(Edge(source="a", target="gone"),))

    assert not with_class(parse(graph.draw(880)), "edge")


def test_areas_stack_on_each_other() -> None:
    figure = StackedAreas(title="t", moments=(0.0, 60.0), areas=(Area("a", (1.0, 2.0)), Area("b", (3.0, 1.0))))

    assert figure.totals() == [4.0, 3.0]
    assert figure.totals(1) == [1.0, 2.0]
    assert len(with_class(parse(figure.draw(720)), "layer")) == 2


def test_a_sparkline_breaks_where_nothing_is_known() -> None:
    root = parse(Sparkline(title="t", values=(1.0, 2.0, math.nan, 2.0, 3.0)).draw(96))

    assert len(with_class(root, "line")) == 2
    assert Sparkline(title="t", values=(math.nan,)).words() == "No finite values."
