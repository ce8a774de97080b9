"""A segment keeps its points bit for bit, and says what their ends are."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.runs.points import times
from taxiway.runs.points.batch import both, by_key, newest_point, rank
from taxiway.runs.points.segments import History, decode, encode, extremes, history, is_ordered, join, pieces

INTS = st.integers(-(2**63), 2**63 - 1)
FLOATS = st.floats(width=64, allow_nan=True, allow_infinity=True)
NEAR = st.integers(0, 3)  # so that steps and times are often equal


def columns(steps: st.SearchStrategy[int], at: st.SearchStrategy[int]) -> st.SearchStrategy[History]:
    points = st.lists(st.tuples(steps, at, FLOATS), min_size=1, max_size=60)
    return points.map(lambda rows: history(*zip(*rows, strict=True)))


WIDE, CLOSE = columns(INTS, INTS), columns(NEAR, NEAR)


def bits(points: History) -> list[tuple[int, int, bytes]]:
    values = [struct.pack("<d", value) for value in points.values.tolist()]
    return list(zip(points.steps.tolist(), points.at.tolist(), values, strict=True))


@given(points=WIDE | CLOSE)
def test_what_is_encoded_is_decoded_bit_for_bit(points: History) -> None:
    assert bits(decode(encode(points), len(points))) == bits(points)


def test_a_nan_keeps_its_payload_and_zero_its_sign() -> None:
    odd = np.array([0x7FF8_0000_0000_BEEF, 0xFFF8_0000_0000_0001, 1 << 63], np.uint64).view(np.float64)
    points = History(np.zeros(3, np.int64), np.zeros(3, np.int64), odd)

    assert decode(encode(points), 3).values.view(np.uint64).tolist() == odd.view(np.uint64).tolist()


def test_four_thousand_points_of_a_training_take_a_third_of_their_bytes() -> None:
    steps = np.arange(4096)
    noise = np.random.default_rng(7).normal(size=4096)
    points = History(steps, 1_700_000_000_000_000 + steps * 1003, np.exp(-steps / 1000) + noise / 100)

    assert len(encode(points)) < 4096 * 9


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x01", b"\x01abc", encode(history([1], [1], [1.0]))])
def test_what_is_no_such_segment_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="segment"):
        decode(data, 2)


@given(points=WIDE | CLOSE)
def test_the_ends_are_those_of_the_points(points: History) -> None:
    ends = extremes(points)
    numbers = [value for value in points.values.tolist() if not math.isnan(value)]

    assert (ends.first_step, ends.last_step) == (min(points.steps.tolist()), max(points.steps.tolist()))
    at = points.at.tolist()
    assert (ends.first_at, ends.last_at) == (min(at, key=times.rank), max(at, key=times.rank))
    assert (ends.low, ends.high) == ((min(numbers), max(numbers)) if numbers else (None, None))


@given(points=WIDE | CLOSE)
def test_an_order_is_by_step_and_time_and_leaves_equals_as_they_stood(points: History) -> None:
    rows = bits(points)
    expected = sorted(rows, key=lambda row: (row[0], times.rank(row[1])))

    assert bits(points.ordered()) == expected
    assert is_ordered(points) == (rows == expected)


def test_steps_at_both_ends_of_what_64_bits_hold_are_brought_in_order() -> None:
    points = history([2**63 - 1, -(2**63)], [0, 0], [1.0, 2.0])

    assert points.ordered().steps.tolist() == [-(2**63), 2**63 - 1]


@given(points=CLOSE)
def test_what_is_distinct_is_there_once(points: History) -> None:
    rows = {(s, a, "nan" if math.isnan(v) else v) for s, a, v in zip(*map(list, vars(points).values()), strict=True)}

    assert len(points.ordered_by_value().distinct()) == len(rows)


@given(points=CLOSE, length=st.integers(1, 9))
def test_pieces_joined_are_the_whole(points: History, length: int) -> None:
    assert bits(join(list(pieces(points, length)))) == bits(points)


@given(points=CLOSE, keys=st.lists(st.sampled_from("abc"), min_size=60, max_size=60))
def test_points_taken_apart_by_key_keep_their_order(points: History, keys: list[str]) -> None:
    keys = keys[: len(points)]

    found = by_key(keys, points)

    for key, part in found.items():
        assert bits(part) == [row for row, name in zip(bits(points), keys, strict=True) if name == key]
    assert sum(map(len, found.values())) == len(points)


@given(points=CLOSE, cut=st.integers(0, 60))
def test_the_newest_of_two_parts_is_the_newest_of_all(points: History, cut: int) -> None:
    parts = [part for part in (points[:cut], points[cut:]) if len(part)]
    said = [newest_point(part, extremes(part)) for part in map(History.ordered, parts)]
    whole = said[0] if len(said) == 1 else both(*said)
    rows = zip(points.steps.tolist(), points.at.tolist(), points.values.tolist(), strict=True)
    best = max((rank(s, a, None if math.isnan(v) else v) for s, a, v in rows))

    assert rank(whole.step, whole.at, whole.value) == best
    assert whole.points == len(points)
