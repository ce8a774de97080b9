import math

import pytest

from taxiway.web.figures.bars import Bar, GroupedBars, Latency, LatencyBars
from taxiway.web.figures.histograms import Histogram, Histograms
from taxiway.web.figures.lines import Threshold
from tests.web.drawn import parse, place, texts, with_class


def test_bars_are_as_high_as_their_values() -> None:
    figure = GroupedBars(
        title="rate", groups=("a", "b"), series=("run",), bars=((Bar(0.4), Bar(0.8)),), thresholds=(Threshold(0.8),)
    )
    root = parse(figure.draw(720))
    low, high = with_class(root, "bar")
    (dashed,) = with_class(root, "threshold")

    assert place(high, "height") == pytest.approx(2 * place(low, "height"), abs=0.05)
    assert place(dashed, "y1") == pytest.approx(place(high, "y"), abs=0.02)


def test_the_name_of_a_threshold_stands_above_the_plot_where_no_bar_is() -> None:
    root = parse(
        GroupedBars(
            title="Approved",
            groups=("black", "white"),
            series=("logistic",),
            bars=((Bar(0.73, 0.7, 0.76), Bar(0.94, 0.9, 0.96)),),
            thresholds=(Threshold(0.75, "four fifths of the highest"),),
            y_name="share approved",
        ).draw(420)
    )
    (name,) = with_class(root, "threshold-name")
    values = with_class(root, "value")

    assert place(name, "y") < min(place(value, "y") for value in values) - 12


def test_a_group_that_was_not_measured_has_no_bar() -> None:
    figure = GroupedBars(title="rate", groups=("a", "b"), series=("run",), bars=((Bar(0.4), Bar(math.nan)),))

    assert len(with_class(parse(figure.draw(720)), "bar")) == 1
    assert figure.numbers().rows[1] == ("b", "run", "NaN", "")


def test_a_value_below_zero_hangs_from_the_base() -> None:
    figure = GroupedBars(title="change", groups=("a", "b"), series=("run",), bars=((Bar(-0.2), Bar(0.2)),))
    below, above = with_class(parse(figure.draw(720)), "bar")

    assert place(below, "y") == pytest.approx(place(above, "y") + place(above, "height"), abs=0.02)


def test_latency_bars_grow_with_the_percentile_and_show_their_limit() -> None:
    figure = LatencyBars(title="t", rows=(Latency(name="r1", p50_s=0.1, p95_s=0.2, p99_s=0.4),), limit_s=0.3)
    root = parse(figure.draw(720))
    p99, p95, p50 = with_class(root, "bar")
    (limit,) = with_class(root, "threshold")

    assert place(p50, "width") * 4 == pytest.approx(place(p95, "width") * 2, abs=0.05)
    assert place(p99, "x") + place(p99, "width") > place(limit, "x1") > place(p95, "x") + place(p95, "width")
    assert "limit 300\N{NO-BREAK SPACE}ms" in texts(root)


def test_histograms_compare_shares_not_counts() -> None:
    figure = Histograms(
        title="t", expected=Histogram("then", (50, 50)), observed=Histogram("now", (3, 1)), edges=(0, 1, 2)
    )

    assert figure.numbers().rows[0][1:] == ("50.0\N{NO-BREAK SPACE}%", "75.0\N{NO-BREAK SPACE}%")
    assert "differ most at 0 to 1" in figure.words()


def test_an_empty_histogram_is_drawn_without_bars_above_the_base() -> None:
    figure = Histograms(
        title="t", expected=Histogram("then", (0, 0)), observed=Histogram("now", (0, 0)), names=("a", "b")
    )

    assert {place(each, "height") for each in with_class(parse(figure.draw(720)), "bar")} == {0.0}
