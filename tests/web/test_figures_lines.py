import json
import math
from xml.etree.ElementTree import Element

import pytest

from taxiway.web.figures.lines import Event, Line, LineChart, Threshold, thin
from tests.web.drawn import parse, place, texts, with_class


def draw(chart: LineChart, width: int = 720) -> Element:
    return parse(chart.draw(width))


def test_the_threshold_stands_at_its_value() -> None:
    chart = LineChart(
        title="accuracy",
        lines=(Line(name="a", points=((0.0, 0.0), (1.0, 1.0))),),
        thresholds=(Threshold(0.5, "at least"),),
    )
    root = draw(chart)
    points = json.loads(with_class(root, "series")[0].get("data-points", ""))
    (dashed,) = with_class(root, "threshold")

    assert place(dashed, "y1") == place(dashed, "y2")
    assert abs(place(dashed, "y1") - (points[0][1] + points[1][1]) / 2) <= 0.1
    assert "at least 0.5" in texts(root)


def test_a_point_that_is_not_a_number_breaks_the_line() -> None:
    ys = [1.0, 2.0, math.nan, 3.0, 4.0]
    root = draw(LineChart(title="loss", lines=(Line(name="a", points=tuple(enumerate(ys))),)))

    drawn = [each.get("d", "") for each in with_class(root, "line")]
    assert [each.count("L") for each in drawn] == [1, 1]
    assert "nan" not in "".join(drawn)


def test_a_lone_point_between_gaps_is_still_seen() -> None:
    ys = [math.nan, 2.0, math.inf]
    root = draw(LineChart(title="loss", lines=(Line(name="a", points=tuple(enumerate(ys))),)))

    assert len(with_class(root, "dot")) == 1


def test_a_chart_without_any_finite_value_is_drawn_empty() -> None:
    chart = LineChart(title="loss", lines=(Line(name="a", points=((0.0, math.nan),)),))

    assert not with_class(draw(chart), "line")
    assert chart.words() == "a: no finite values."


def test_the_interval_is_a_closed_band_around_its_line() -> None:
    line = Line(name="a", points=((0.0, 1.0), (1.0, 2.0)), low=(0.5, 1.5), high=(1.5, 2.5))
    (band,) = with_class(draw(LineChart(title="t", lines=(line,))), "band")

    assert band.get("d", "").endswith("Z")
    assert band.get("d", "").count("L") == 3


def test_events_stand_at_their_moment_and_can_be_followed() -> None:
    line = Line(name="a", points=((0.0, 1.0), (10.0, 2.0)))
    root = draw(
        LineChart(title="t", lines=(line,), events=(Event(x=5.0, name="alert", kind="alert", url="/alerts/1"),))
    )
    points = json.loads(with_class(root, "series")[0].get("data-points", ""))
    (flag,) = with_class(root, "event-line")

    assert abs(place(flag, "x1") - (points[0][0] + points[1][0]) / 2) <= 0.1
    assert [each.get("href") for each in with_class(root, "hot")] == ["/alerts/1"]


def test_events_close_together_have_their_names_in_rows() -> None:
    line = Line(name="a", points=((0.0, 1.0), (100.0, 2.0)))
    events = tuple(Event(x=x, name=f"revision {x:g}", kind="deploy") for x in (40.0, 41.0, 42.0, 90.0))
    root = draw(LineChart(title="t", lines=(line,), events=events))

    names = {(each.text or ""): place(each, "y") for each in root.iter() if (each.text or "").startswith("revision")}
    assert len({names["revision 40"], names["revision 41"], names["revision 42"]}) == 3
    assert names["revision 40"] < names["revision 41"] < names["revision 42"]


def test_thresholds_near_each_other_have_their_names_apart() -> None:
    limits = (Threshold(1.5, "baseline"), Threshold(1.501, "alert above"))
    line = Line(name="a", points=((0.0, 1.0), (1.0, 2.0)))
    chart = LineChart(title="t", lines=(line,), thresholds=limits)

    high, low = (place(each, "y") for each in with_class(draw(chart), "threshold-name"))
    assert abs(high - low) >= 14

    right, left = (place(each, "x") for each in with_class(draw(chart, 358), "threshold-name"))
    assert right - left > 100  # above the plot, where they hide nothing


def test_where_it_is_narrow_no_name_stands_in_the_plot() -> None:
    root = draw(
        LineChart(
            title="t",
            y_name="log loss",
            lines=(Line(name="a", points=((0.0, 1.0), (1.0, 2.0))),),
            thresholds=(Threshold(1.5, "a baseline with a very long name"), Threshold(1.6, "alert above")),
            events=(Event(x=0.5, name="alert"),),
        ),
        358,
    )
    highest = min(place(each, "y1") for each in with_class(root, "grid"))

    assert max(place(each, "y") for each in with_class(root, "threshold-name")) < highest - 14


def test_steps_that_are_whole_have_whole_ticks() -> None:
    line = Line(name="a", points=((1.0, 0.1), (2.0, 0.2), (3.0, 0.2)))
    drawn = texts(draw(LineChart(title="t", lines=(line,))))

    assert {"1", "2", "3"} <= set(drawn)
    assert not {"1.5", "2.5"} & set(drawn)


def test_dots_stand_within_the_plot_and_not_on_its_edge() -> None:
    root = draw(LineChart(title="auc", has_dots=True, lines=(Line(name="a", points=((1.0, 0.8), (3.0, 0.9))),)))
    (base,) = [each for each in with_class(root, "base") if each.get("y1") == each.get("y2")]

    at = [place(dot, "cx") for dot in with_class(root, "dot")]
    assert min(at) - place(base, "x1") > 10
    assert place(base, "x2") - max(at) > 10


def test_what_follows_on_nothing_is_dots_without_a_line() -> None:
    root = draw(LineChart(title="auc", is_scattered=True, lines=(Line(name="a", points=((0.0, 0.8), (1.0, 0.9))),)))

    assert len(with_class(root, "dot")) == 2
    assert not with_class(root, "line")


def test_nothing_but_zeros_is_said_in_words_where_there_are_some() -> None:
    def chart(*ys: float) -> list[str]:
        lines = (Line(name="errors", points=tuple(enumerate(ys))),)
        return texts(draw(LineChart(title="errors", lines=lines, nothing="no errors")))

    assert "no errors" in chart(0, 0)
    assert "1.0" not in chart(0, 0)
    assert "no errors" not in chart(0, 2)


def test_thinning_keeps_every_peak() -> None:
    points = [(float(step), 100.0 if step == 7001 else -50.0 if step == 3333 else 0.0) for step in range(10_000)]
    kept = thin(points, 300)

    assert len(kept) <= 600
    assert {(7001.0, 100.0), (3333.0, -50.0)} <= set(kept)
    assert kept == sorted(kept)


def test_thinning_keeps_gaps() -> None:
    points = [(float(step), math.nan if 500 <= step < 600 else 1.0) for step in range(1000)]

    assert any(math.isnan(y) for _, y in thin(points, 50))


def test_on_a_phone_the_names_move_into_a_legend() -> None:
    lines = (Line(name="first", points=((0.0, 1.0),)), Line(name="second", points=((0.0, 2.0),)))
    chart = LineChart(title="t", lines=lines)

    desk, phone = draw(chart, 720), draw(chart, 358)

    assert [len(with_class(desk, name)) for name in ("end-labels", "legend")] == [1, 0]
    assert [len(with_class(phone, name)) for name in ("end-labels", "legend")] == [0, 1]


def test_the_key_takes_nothing_of_the_plot_and_counts_those_without_a_colour() -> None:
    def drawn(count: int) -> tuple[Element, float]:
        lines = tuple(Line(name=f"trial-{n}", points=((0.0, n), (1.0, n + 1))) for n in range(count))
        root = draw(LineChart(title="t", lines=lines, height=220), 358)
        heights = [place(each, "y1") for each in with_class(root, "grid")]
        return root, max(heights) - min(heights)

    (many, room), (_, room_of_one) = drawn(20), drawn(1)

    assert room == pytest.approx(room_of_one, rel=0.2)
    assert [text for text in texts(many) if text.startswith("trial")] == [f"trial-{n}" for n in range(8)]
    assert "12 more" in texts(many)
    assert "trial-8" in texts(drawn(9)[0])  # one alone is not counted but named


def test_a_line_without_a_colour_of_its_own_covers_none_that_has_one() -> None:
    lines = tuple(Line(name=f"run {n}", points=((0.0, n), (1.0, n))) for n in range(11))

    drawn = [each.get("data-name") for each in with_class(draw(LineChart(title="t", lines=lines)), "series")]

    assert drawn == ["run 8", "run 9", "run 10", *(f"run {n}" for n in range(8))]
