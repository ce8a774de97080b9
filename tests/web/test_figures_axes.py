import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.web.figures.axes import Scale, extent, spread, tick_texts, ticks, time_ticks

numbers = st.floats(-1e9, 1e9, allow_nan=False)
JANUARY, JUNE = 1767225600.0, 1780272000.0  # the first days of both months in 2026


@given(numbers, st.floats(1e-6, 1e9))
def test_ticks_lie_within_their_span_and_rise(low: float, span: float) -> None:
    found = ticks(low, low + span)

    assert list(found) == sorted(set(found))
    assert all(low - span * 1e-3 <= tick <= low + span * 1.001 for tick in found)
    assert len(found) <= 9


def test_ticks_are_round_numbers() -> None:
    assert ticks(0.0, 1.09) == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert tick_texts((0.0, 0.25, 0.5)) == ("0.00", "0.25", "0.50")
    assert tick_texts((0.0, 100.0)) == ("0", "100")


def test_a_scale_maps_its_ends_and_holds_what_lies_outside() -> None:
    scale = Scale(10, 20, 0, 100)

    assert [scale.at(10), scale.at(15), scale.at(20)] == [0, 50, 100]
    assert [scale.held(5), scale.held(25)] == [0, 100]


def test_an_extent_passes_over_what_is_not_finite() -> None:
    assert extent([math.nan, 2.0, math.inf, 4.0]) == (2.0, 4.0)
    assert extent([]) == (0.0, 1.0)
    assert extent([5.0]) == (4.5, 5.5)


@pytest.mark.parametrize(
    ("span_s", "expected"),
    [(60 * 30, "00:00"), (86400 * 10, "Jan"), (86400 * 150, "Jan 2026"), (86400 * 365 * 6, "2026")],
)
def test_moments_are_told_no_more_exactly_than_needed(span_s: float, expected: str) -> None:
    found = [text for _, text in time_ticks(JANUARY - 1, JANUARY + span_s)]

    assert any(expected in text or text == "1 Jan" for text in found)
    assert 2 <= len(found) <= 8


def test_months_are_ticks_of_a_half_year() -> None:
    assert [text for _, text in time_ticks(JANUARY, JUNE)] == ["Jan 2026", "Feb", "Mar", "Apr", "May", "Jun"]


@given(st.lists(st.floats(0, 200), max_size=10))
def test_labels_that_are_spread_never_overlap(places: list[float]) -> None:
    moved = sorted(spread(places, 15, 0, 200))

    assert all(b - a >= 15 - 1e-6 for a, b in pairwise(moved))
