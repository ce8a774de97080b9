"""Ranked bars and the spread of measurements: nothing is lost, whatever the values are."""

from __future__ import annotations

import re

import pytest

from taxiway.web.figures.ranked import RankedBars, Row
from taxiway.web.figures.spread import Mark, SpreadHistogram

BARS = RankedBars(
    title="Importance",
    rows=(Row("income", 1.7, 1.6, 1.8), Row("a column with a rather long name that is cut", 0.2), Row("debt", 0.0)),
    unit="MB",
    limit=2.5,
)
SPREAD = SpreadHistogram(
    title="Latency",
    edges=(1.0, 2.0, 3.0, 4.0),
    counts=(90, 9, 1),
    marks=(Mark("p50", 1.4), Mark("p99", 3.9)),
    unit="ms",
    limit=5.0,
)


def places(drawing: str) -> list[float]:
    return [float(x) for x in re.findall(r'\b(?:x|x1|x2)="([-\d.]+)"', drawing)]


@pytest.mark.parametrize("width", [358, 880])
@pytest.mark.parametrize("figure", [BARS, SPREAD])
def test_everything_lies_within_the_paper(figure: RankedBars | SpreadHistogram, width: int) -> None:
    drawing = figure.draw(width)

    assert all(-1 <= x <= width for x in places(drawing))


def test_every_row_is_drawn_with_its_interval_and_told_in_words() -> None:
    drawing = BARS.draw()

    assert drawing.count('class="bar"') == 3
    assert drawing.count('class="whisker"') == 3  # one interval: its span and two ends
    assert "asked: 2.5" in drawing
    assert "income: 1.7\N{NO-BREAK SPACE}MB [1.6" in BARS.words()
    assert BARS.numbers().rows[1] == (BARS.rows[1].name, "0.2\N{NO-BREAK SPACE}MB", "")


def test_values_below_zero_go_the_other_way() -> None:
    both = RankedBars(title="Drop", rows=(Row("gain", -0.5, -0.6, -0.4), Row("loss", 0.5)))

    starts = [float(x) for x in re.findall(r'<rect x="([\d.]+)"', both.draw())]

    assert starts[0] < starts[1]


def test_a_histogram_names_its_marks_and_what_is_asked() -> None:
    drawing = SPREAD.draw()

    for said in ("p50 1.4\N{NO-BREAK SPACE}ms", "p99 3.9\N{NO-BREAK SPACE}ms", "asked 5\N{NO-BREAK SPACE}ms"):
        assert said in drawing
    assert SPREAD.words().startswith("100 measurements: p50 1.4")
    assert [row[1] for row in SPREAD.numbers().rows] == ["90", "9", "1"]


def test_what_is_asked_far_away_does_not_press_the_bars_together() -> None:
    far = SpreadHistogram(title="Latency", edges=SPREAD.edges, counts=SPREAD.counts, limit=500.0)

    assert 'class="threshold"' not in far.draw()
    assert 'class="threshold"' in SPREAD.draw()
    assert "asked 500" in far.words()
