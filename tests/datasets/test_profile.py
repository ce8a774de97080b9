"""The summary of columns, held against pandas and against plain counting."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.datasets.contract import ColumnProfile, Histogram, ValueCount
from taxiway.datasets.profile import MOST_DISTINCT, profile_column


def profiled(values: Any, kind: Any = None) -> ColumnProfile:
    return profile_column("x", pa.chunked_array([pa.array(values, kind)]))


REALS = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([1.0, 2.0]), min_size=2, max_size=60)


@given(REALS)
def test_numbers_are_summed_up_as_pandas_does(values: list[float]) -> None:
    found, expected = profiled(values), pd.Series(values)

    assert (found.count, found.distinct) == (len(values), expected.nunique())
    assert (found.min, found.max) == (expected.min(), expected.max())
    assert found.mean == pytest.approx(expected.mean(), abs=1e-6)
    assert found.sd == pytest.approx(expected.std(), abs=1e-5)
    assert found.quantiles["0.25"] == pytest.approx(expected.quantile(0.25))


@given(REALS)
def test_every_finite_number_is_in_the_bin_between_its_edges(values: list[float]) -> None:
    drawn = profiled(values).histogram

    if drawn is None:
        assert min(values) == max(values) or max(values) - min(values) < 1e-6
        return
    edges = [*drawn.edges[:-1], math.nextafter(drawn.edges[-1], math.inf)]
    counts = [sum(a <= v < b for v in values) for a, b in pairwise(edges)]
    assert drawn.counts == counts


@given(st.lists(st.none() | st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=40))
def test_the_most_frequent_words_are_counted(values: list[str | None]) -> None:
    found = profiled(values, pa.string())

    counted = Counter(v for v in values if v is not None)
    assert {(top.value, top.count) for top in found.top} == set(counted.items())
    assert [top.count for top in found.top] == sorted(counted.values(), reverse=True)
    assert found.nulls == values.count(None)


def test_nan_infinity_and_null_are_told_apart() -> None:
    found = profiled([1.0, None, math.nan, math.inf, 3.0])

    assert (found.count, found.nulls, found.nans, found.infinite) == (3, 1, 1, 1)
    assert (found.min, found.max, found.mean) == (1.0, "inf", 2.0)


def test_whole_numbers_in_a_small_range_have_a_bin_each() -> None:
    assert profiled([1, 3, 3]).histogram == Histogram(edges=[0.5, 1.5, 2.5, 3.5], counts=[1, 0, 2])


def test_distinct_values_are_counted_up_to_a_cap_that_is_said() -> None:
    found = profiled(np.arange(MOST_DISTINCT + 1))

    assert (found.distinct, found.is_distinct_capped) == (MOST_DISTINCT, True)


def test_one_value_alone_has_neither_spread_nor_histogram() -> None:
    found = profiled([2.5])

    assert (found.mean, found.sd, found.histogram) == (2.5, None, None)


def test_numbers_too_far_apart_for_floats_are_still_summed_up() -> None:
    found = profiled([-1.7e308, 1.7e308, 0.0])

    assert (found.min, found.max, found.histogram, found.sd) == (-1.7e308, 1.7e308, None, None)


MOMENT = datetime(2020, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "kind", "least", "most"),
    [
        ([date(2020, 1, 2), date(2020, 1, 4)], None, "2020-01-02", "2020-01-04"),
        ([MOMENT, MOMENT + timedelta(1)], None, "2020-01-02T12:00:00+00:00", "2020-01-03T12:00:00+00:00"),
        ([MOMENT.replace(tzinfo=None)], pa.timestamp("ns"), "2020-01-02T12:00:00", "2020-01-02T12:00:00"),
        ([time(1), time(2, 3)], pa.time32("s"), "01:00:00", "02:03:00"),
        ([time(1), time(2, 3)], pa.time64("ns"), "01:00:00", "02:03:00"),
        ([timedelta(seconds=1.5)], None, 1.5, 1.5),
        ([Decimal("1.25"), Decimal("3.50")], None, 1.25, 3.5),
        ([1, 2], pa.float16(), 1.0, 2.0),
        ([2**64 - 1, 0], pa.uint64(), 0, 2**64 - 1),
        (["b", "a"], pa.string_view(), "a", "b"),
        ([True, None], None, None, None),
        ([b"\x01"], None, None, None),
        ([[1], None], None, None, None),
        ([{"a": 1}], None, None, None),
        ([None, None], None, None, None),
    ],
)
def test_every_type_has_a_summary_that_json_can_say(values: Any, kind: Any, least: Any, most: Any) -> None:
    found = profiled(values, kind)

    assert (found.min, found.max) == (least, most)
    assert found.count + found.nulls == len(values)
    assert msgspec.json.decode(msgspec.json.encode(found), type=ColumnProfile) == found


def test_a_category_is_summed_up_by_its_values() -> None:
    column = pa.chunked_array([pa.array(["x", "y", "x"]).dictionary_encode()])

    found = profile_column("x", column)

    assert (found.type, found.top) == ("string", [ValueCount("x", 2), ValueCount("y", 1)])


def test_a_long_text_is_cut() -> None:
    (top,) = profiled(["a" * 500]).top

    assert top.value == "a" * 119 + "…"
