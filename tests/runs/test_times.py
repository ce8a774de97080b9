"""Moments as one number: every millisecond that MLflow's clients can say is kept, and they rise."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from taxiway.runs.points import times
from taxiway.runs.points.batch import of_many
from taxiway.runs.points.segments import decode, encode, extremes, history

moments = st.one_of(
    st.integers(0, times.MOST_MS),
    st.integers(times.LATEST_MS - 3, times.LATEST_MS + 3),
    st.integers(times.MOST_MS - times.BEYOND - 3, times.MOST_MS - times.BEYOND + 3),
    st.just(times.MOST_MS),
)


@given(moments, moments)
@example(times.LATEST_MS, times.LATEST_MS + 1)
@example(0, times.MOST_MS)
def test_every_millisecond_is_kept_and_later_ones_rank_higher(one: int, other: int) -> None:
    kept = [times.from_ms(one), times.from_ms(other)]

    assert [times.to_ms(at) for at in kept] == [one, other]
    assert all(-(2**63) <= at < 2**63 and times.is_moment(at) for at in kept)
    assert (times.rank(kept[0]) < times.rank(kept[1])) == (one < other)


@given(st.lists(moments, min_size=1, max_size=8))
def test_arrays_are_turned_alike(given_: list[int]) -> None:
    milliseconds = np.array(given_, np.int64)

    kept = times.array_from_ms(milliseconds)

    assert kept.tolist() == [times.from_ms(one) for one in given_]
    assert times.array_to_ms(kept).tolist() == given_
    assert times.within_calendar(kept).tolist() == [min(one * 1000, times.LATEST) for one in given_]


@given(st.lists(moments, min_size=1, max_size=8))
def test_points_of_one_step_are_in_the_order_of_their_times_and_the_latest_is_the_newest(given_: list[int]) -> None:
    points = history([1] * len(given_), [times.from_ms(one) for one in given_], [float(n) for n in range(len(given_))])

    ordered = decode(encode(points.ordered()), len(points))
    ends = extremes(points)

    assert times.array_to_ms(ordered.at).tolist() == sorted(given_)
    assert (times.to_ms(ends.first_at), times.to_ms(ends.last_at)) == (min(given_), max(given_))
    assert times.to_ms(of_many("r", {"loss": points}).newest["loss"].at) == max(given_)


def test_what_no_moment_is_kept_as_is_none() -> None:
    assert not any(times.is_moment(at) for at in (-1, times.signed(times.MOST_MS + times.BEYOND + 1), 2**63))
