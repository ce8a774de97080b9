"""Parallel coordinates and logarithmic axes."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.web.figures.axes import LogScale, Scale, log_extent, log_ticks
from taxiway.web.figures.lines import Line, LineChart
from taxiway.web.figures.parallel import ParallelChart, Upright

positive = st.floats(min_value=1e-12, max_value=1e12)


@given(st.lists(positive, min_size=1), positive)
def test_a_logarithmic_scale_rises_and_ends_at_its_ends(values: list[float], other: float) -> None:
    low, high = log_extent(values)
    scale = LogScale(low, high, 0.0, 100.0)

    assert scale.at(low) == pytest.approx(0.0, abs=1e-6)
    assert scale.at(high) == pytest.approx(100.0, abs=1e-6)
    assert scale.at(min(other, other * 1.5)) <= scale.at(other * 1.5) + 1e-9
    assert all(0 <= scale.at(value) <= 100 for value in values)


@given(positive, st.floats(min_value=1.05, max_value=1e9))
def test_ticks_of_a_logarithmic_axis_lie_on_it_and_are_few(low: float, ratio: float) -> None:
    found = log_ticks(low, low * ratio)

    assert all(low <= tick <= low * ratio for tick in found)
    assert 1 <= len(found) <= 12


def test_what_is_not_positive_breaks_a_line_on_a_logarithmic_axis() -> None:
    points = tuple((float(x), y) for x, y in enumerate((1.0, 10.0, 0.0, -3.0, 100.0, 1000.0)))

    drawn = LineChart(title="loss", lines=(Line(name="a", points=points),), is_log=True).draw()

    assert len(re.findall('class="line"', drawn)) == 2
    assert ">1,000<" in drawn


def test_a_faint_line_has_the_colour_of_its_smooth_one_and_no_name() -> None:
    lines = (
        Line(name="raw", points=((0, 1.0), (1, 2.0)), is_faint=True, colour=0),
        Line(name="loss", points=((0, 1.0), (1, 1.5)), colour=0),
        Line(name="other", points=((0, 3.0), (1, 2.5)), colour=1),
    )

    drawn = LineChart(title="loss", lines=lines).draw()

    assert 'class="series series-1 is-faint"' in drawn
    assert 'data-name="raw"' not in drawn
    assert ">other</text>" in drawn


def test_every_run_passes_every_axis_also_where_it_has_no_value() -> None:
    chart = ParallelChart(
        title="runs",
        names=("a", "b", "c"),
        axes=(
            Upright("lr", (0.001, 0.1, None)),
            Upright("model", ("tree", "linear", "tree")),
            Upright("accuracy", (0.9, math.nan, 0.8)),
        ),
        urls=("/runs/1", "/runs/2", "/runs/3"),
    )

    drawn = chart.draw()

    paths = re.findall(r'd="(M[^"]+)" class="line"', drawn)
    assert [path.count("L") for path in paths] == [2, 2, 2]
    assert "nan" not in "".join(paths)
    assert ">none</text>" in drawn
    assert "c: lr –, model tree, accuracy 0.8" in drawn
    assert chart.numbers().rows[1] == ("b", "0.1", "linear", "NaN")


def test_an_axis_of_widely_spread_numbers_is_logarithmic() -> None:
    assert isinstance(Upright("lr", (1e-5, 1e-1)).scale(100, 0), LogScale)
    assert type(Upright("lr", (0.1, 0.5)).scale(100, 0)) is Scale
    assert type(Upright("lr", (0.0, 1e6)).scale(100, 0)) is Scale


def test_every_tick_stands_on_a_ground_that_no_line_runs_over() -> None:
    axes = (Upright("lr", (0.1, 0.2, None)), Upright("auc", (0.5, 0.6, 0.7)))

    drawn = str(ParallelChart(title="t", names=("a", "b", "c"), axes=axes).draw())

    assert drawn.count('class="plate"') == drawn.count('class="tick"') > 4
    assert drawn.rindex('class="line"') < drawn.index('class="plate"')


def test_a_word_on_an_axis_is_whole_where_there_is_room() -> None:
    axes = tuple(Upright(name, ("network", "logistic")) for name in ("first", "second", "third"))

    drawn = ParallelChart(title="t", names=("a", "b"), axes=axes).draw(1080)

    assert drawn.count(">network</text>") >= 2  # the first axis has less room beside it
