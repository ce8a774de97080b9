"""The law of sameness: when two series, two sets of files and two runs are the same, and how far they are apart."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.kernel.numbers import from_wire
from taxiway.runs.again.sameness import (
    FileGap,
    Found,
    Gap,
    Pair,
    Reproduction,
    counts,
    difference,
    files_apart,
    series_gap,
    verdict_of,
)
from taxiway.runs.compare import Row

SERIES = st.lists(st.tuples(st.integers(0, 5), st.floats()), max_size=20)
# But those so small that the gap of two of them may be no normal number: libraries have processors take that for zero.
NUMBERS = st.floats(allow_nan=True, allow_infinity=True).filter(lambda number: not 0 < abs(number) < 1e-290)


@given(SERIES)
def test_a_series_is_the_same_as_itself(series: list[Pair]) -> None:
    assert series_gap("loss", series, series) == Gap("loss", is_equal=True)


@given(NUMBERS, NUMBERS)
def test_the_difference_is_symmetric_and_nothing_only_for_what_is_the_same(one: float, other: float) -> None:
    apart = difference(one, other)

    assert apart == difference(other, one)
    is_same = one == other or (math.isnan(one) and math.isnan(other))
    assert apart == 0 if is_same else apart > 0


@given(SERIES.filter(len))
def test_a_series_that_lacks_a_point_is_infinitely_far(series: list[Pair]) -> None:
    gap = series_gap("loss", series, series[:-1])

    assert (gap.is_equal, gap.largest) == (False, "Infinity")
    assert "points, not" in gap.note


def test_a_series_with_other_steps_is_another() -> None:
    assert series_gap("loss", [(0, 1.0)], [(1, 1.0)]).note == "its steps are others"


def test_large_values_are_compared_by_their_size() -> None:
    assert difference(1e9, 1e9 + 1) == pytest.approx(1e-9)
    assert difference(0.0, 1e-7) == 1e-7


def test_what_a_run_started_from_and_printed_is_no_result() -> None:
    first = {"code/sources.json": "a", "logs/stdout.txt": "a", "requirements.lock": "a", "model.bin": "a", "x": "a"}
    again = {"code/sources.json": "b", "logs/stdout.txt": "b", "model.bin": "b", "x": "a"}

    assert files_apart(first, again) == ([FileGap("model.bin", "a", "b")], 1)


def test_own_metrics_and_those_left_out_do_not_count() -> None:
    assert [counts(name, ["*_s"]) for name in ("loss", "fit_s", "system/cpu")] == [True, False, False]


NEAR = Gap("loss", is_equal=False, largest=1e-8)
FAR = Gap("loss", is_equal=False, largest=0.5)
SAME = Gap("loss", is_equal=True)
MODEL = FileGap("model.bin", "a", "b")
ALPHA = Row("alpha", [1, 2], is_different=True)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Found([], [], [SAME], [], []), "bit-equal"),
        (Found([], [], [SAME], [], [MODEL]), "within tolerance"),
        (Found([], [], [NEAR], [], []), "within tolerance"),
        (Found([], [], [FAR], [], []), "differs"),
        (Found([], [], [], [FAR], []), "differs"),
        (Found([], [ALPHA], [SAME], [], []), "differs"),
        (Found(["it failed"], [], [SAME], [], []), "differs"),
    ],
)
def test_the_verdict(found: Found, verdict: str) -> None:
    assert verdict_of(found, 1e-6) == verdict


def test_a_verdict_can_be_asked_for_at_another_tolerance() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    timing = Gap("fit_s", is_equal=False, largest=0.9)
    found = Reproduction("i", "r", "a", "differs", 1e-6, [], [], [NEAR, timing], [], [], 0, [], [], "ana", at)

    assert found.judged(1e-6) == "differs"
    assert found.judged(1e-6, ["*_s"]) == "within tolerance"
    assert found.judged(1e-9, ["*_s"]) == "differs"
    assert from_wire(gap.largest if (gap := found.largest(["*_s"])) else 0.0) == 1e-8
