import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taxiway.web.figures.areas import Area, StackedAreas
from taxiway.web.figures.bars import Bar, GroupedBars, Latency, LatencyBars
from taxiway.web.figures.forest import Check, ForestPlot
from taxiway.web.figures.heat import HeatMap
from taxiway.web.figures.histograms import Histogram, Histograms
from taxiway.web.figures.lineage import Edge, LineageGraph, Node
from taxiway.web.figures.lines import Event, Line, LineChart, Threshold
from taxiway.web.figures.marks import mark, shape
from taxiway.web.figures.path import Gate, PathDrawing, Stage
from taxiway.web.figures.roc import Roc, RocCurves
from taxiway.web.figures.sparkline import Sparkline
from taxiway.web.figures.svg import Figure, shorten, standalone, tag, text_width
from tests.web.drawn import SVG, parse, texts, with_class

EVIL = '<script>alert("1")</script> & co'
FIGURES: tuple[Figure, ...] = (
    LineChart(
        title=EVIL,
        lines=(Line(name=EVIL, points=((0.0, 1.0), (1.0, 2.0))), Line(name="b", points=((0.0, 0.5), (1.0, 0.7)))),
        thresholds=(Threshold(1.5, EVIL),),
        events=(Event(x=0.5, name=EVIL, url='/a?b="c"&d'),),
        x_name=EVIL,
        y_name=EVIL,
    ),
    ForestPlot(title=EVIL, checks=(Check(name=EVIL, verdict="pass", estimate=0.9, threshold=0.8, url=EVIL),)),
    GroupedBars(title=EVIL, groups=(EVIL,), series=(EVIL, "b"), bars=((Bar(1.0),), (Bar(2.0, 1.5, 2.5),))),
    LatencyBars(title=EVIL, rows=(Latency(name=EVIL, p50_s=0.1, p95_s=0.2, p99_s=0.3),), limit_s=0.25),
    RocCurves(title=EVIL, curves=(Roc(name=EVIL, points=((0.0, 0.0), (1.0, 1.0)), area=0.5),)),
    HeatMap(title=EVIL, rows=(EVIL,), columns=(EVIL,), values=((0.3,),), urls=((EVIL,),)),
    Histograms(title=EVIL, expected=Histogram(EVIL, (1, 2)), observed=Histogram("now", (2, 1)), names=(EVIL, "b")),
    StackedAreas(title=EVIL, moments=(0.0, 60.0), areas=(Area(EVIL, (1.0, 2.0)),)),
    Sparkline(title=EVIL, values=(1.0, 2.0, 1.5)),
    PathDrawing(title=EVIL, stages=(Stage(name=EVIL), Stage(name="b", gates=(Gate(name=EVIL, url=EVIL),)))),
    LineageGraph(
        title=EVIL,
        nodes=(
            Node(ref="a", kind="run", name=EVIL, layer=0, order=0, url=EVIL),
            Node(ref="b", kind="run", name="b", layer=1, order=0),
        ),
        edges=(Edge(source="a", target="b", name=EVIL),),
    ),
)
NAMES = [type(figure).__name__ for figure in FIGURES]


@pytest.mark.parametrize("width", [358, 880])
@pytest.mark.parametrize("figure", FIGURES, ids=NAMES)
def test_every_figure_is_well_formed_and_keeps_labels_as_text(figure: Figure, width: int) -> None:
    root = parse(figure.draw(width))

    assert root.tag == f"{SVG}svg"
    assert not list(root.iter(f"{SVG}script"))
    assert root.findtext(f"{SVG}title") == EVIL


@pytest.mark.parametrize("figure", FIGURES, ids=NAMES)
def test_every_figure_has_a_role_a_description_and_its_numbers(figure: Figure) -> None:
    root = parse(figure.draw(880))
    has_links = any(True for _ in root.iter(f"{SVG}a"))

    assert root.get("role") == ("group" if has_links else "img")
    assert root.findtext(f"{SVG}desc") == figure.words() != ""
    assert all(len(row) == len(figure.numbers().head) for row in figure.numbers().rows)


@pytest.mark.parametrize("figure", FIGURES, ids=NAMES)
def test_no_figure_carries_styles_or_scripts_that_a_strict_policy_forbids(figure: Figure) -> None:
    root = parse(figure.draw(880))

    assert not [each for each in root.iter() if each.get("style") or any(key.startswith("on") for key in each.attrib)]
    assert not list(root.iter(f"{SVG}style"))


@pytest.mark.parametrize("figure", FIGURES, ids=NAMES)
def test_the_same_numbers_give_the_same_bytes(figure: Figure) -> None:
    assert figure.draw(640) == figure.draw(640)


any_number = st.floats(allow_nan=True, allow_infinity=True)


@given(st.lists(any_number, max_size=12), any_number, st.sampled_from([120, 358, 880]))
@example([1e41, 5e-324], float("nan"), 120)
def test_whatever_the_numbers_no_coordinate_is_lost(values: list[float], limit: float, width: int) -> None:
    points = tuple((float(index), value) for index, value in enumerate(values))
    held = tuple(Bar(value) for value in values)
    drawn: tuple[Figure, ...] = (
        LineChart(title="t", lines=(Line(name="a", points=points),), thresholds=(Threshold(limit),)),
        Sparkline(title="t", values=tuple(values)),
        GroupedBars(title="t", groups=tuple("abcdefghijkl"[: len(held)]), series=("a",), bars=(held,)),
        ForestPlot(
            title="t",
            checks=tuple(
                Check(name="c", verdict="pass", estimate=v, low=limit, high=v, threshold=limit) for v in values
            ),
        ),
        HeatMap(
            title="t", rows=("a",), columns=tuple(str(index) for index in range(len(values))), values=(tuple(values),)
        ),
    )

    for figure in drawn:
        root = parse(figure.draw(width))
        lost = [each.attrib for each in root.iter() if {"nan", "inf", "-inf"} & set(each.attrib.values())]
        paths = "".join(each.get("d", "") for each in root.iter())
        assert not lost
        assert "nan" not in paths
        assert "inf" not in paths


def test_a_standalone_figure_brings_its_colours_along() -> None:
    root = parse(standalone(FIGURES[0].draw(640)))

    assert "--pass:" in (root.findtext(f"{SVG}style") or "")
    left, top, width, height = (float(number) for number in root.get("viewBox", "").split())
    assert (left, top) == (-12, -12)  # a margin, so that no word touches the edge of the picture
    assert (width, height) == (float(root.get("width", "")), float(root.get("height", "")))
    assert with_class(root, "ground")


@pytest.mark.parametrize("verdict", ["pass", "inconclusive", "fail", "missing", "waived"])
def test_every_verdict_has_a_shape_of_its_own(verdict: str) -> None:
    others = {"pass", "inconclusive", "fail", "missing", "waived"} - {verdict}
    drawn = shape(verdict, 0, 0).replace(verdict, "")

    assert drawn not in {shape(other, 0, 0).replace(other, "") for other in others}
    assert with_class(parse(mark(verdict)), f"verdict-{verdict}")


def test_attributes_are_escaped_and_missing_ones_left_out() -> None:
    assert tag("a", href='"&', class_="x", id=None) == '<a href="&quot;&amp;" class="x"/>'
    assert texts(parse(tag("svg", tag("text", "a<b"), xmlns="http://www.w3.org/2000/svg"))) == ["a<b"]


def test_text_is_shortened_to_the_room_it_has() -> None:
    short = shorten("a rather long name of a feature", 80)

    assert short.endswith("…")
    assert text_width(short) <= 80
    assert shorten("short", 80) == "short"
