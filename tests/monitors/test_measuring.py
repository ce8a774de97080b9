"""Windows out of the inference log: what is counted where, whatever segment it lies in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.monitors.contract import ColumnReference
from taxiway.monitors.judging import column_drift
from taxiway.monitors.measuring import Plan, Seen, block_numbers, is_same, survey, tally, window_starts
from taxiway.monitors.statistics import bin_edges, histogram, stability_index
from taxiway.monitors.terms import Cluster, WindowSize
from taxiway.monitors.windows import end_of, start_of
from tests.monitors.traffic import APRIL, MARCH, MAY, Traffic

moments = st.datetimes(datetime(1960, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
sizes: st.SearchStrategy[WindowSize] = st.sampled_from(["day", "week", "month"])
temperatures = st.lists(st.one_of(st.none(), st.floats(-40, 120)), min_size=1, max_size=40)


def reference_of(name: str, values: list[Any], type_: str = "number") -> ColumnReference:
    bins = bin_edges(values, rule=None if type_ == "number" else "category")
    return ColumnReference(name, type_, bins, [int(n) for n in histogram(values, bins)])


def plan_of(*features: ColumnReference) -> Plan:
    return Plan("month", "day", list(features), reference_of("score", list(np.linspace(0, 1, 100))))


@given(moments, sizes)
def test_a_moment_lies_in_the_window_that_begins_before_it(at: datetime, size: WindowSize) -> None:
    start = start_of(at, size)

    assert start <= at < end_of(start, size)
    assert start_of(start, size) == start
    assert start_of(end_of(start, size), size) == end_of(start, size)


@given(moments, sizes)
def test_the_calendar_of_columns_is_the_calendar_of_moments(at: datetime, size: WindowSize) -> None:
    column = np.array([at.replace(tzinfo=None)], dtype="datetime64[us]")

    assert window_starts(column, size).astype(object)[0] == start_of(at, size).replace(tzinfo=None)


@pytest.mark.parametrize(("cluster", "blocks"), [("hour", 27), ("day", 3), ("week", 2)])
def test_blocks_are_hours_days_or_weeks(cluster: Cluster, blocks: int) -> None:
    sunday = datetime(2013, 3, 3, 22, 30)  # noqa: DTZ001 - columns of moments carry no zone
    hours = np.array([sunday + timedelta(hours=n) for n in range(27)], dtype="datetime64[us]")

    # from Sunday evening until the night to Tuesday
    assert len(set(block_numbers(hours, cluster))) == blocks


@settings(max_examples=25)
@given(temperatures.filter(lambda v: any(x is not None for x in v)), temperatures, st.integers(1, 40), st.booleans())
def test_the_drift_of_a_window_is_the_law_on_its_raw_values(
    expected: list[Any], observed: list[Any], at_once: int, is_sealed: bool
) -> None:
    column = reference_of("temp", expected)
    with TemporaryDirectory() as home:
        traffic = Traffic(Path(home))
        for first in range(0, len(observed), at_once):
            traffic.send([{"temp": value} for value in observed[first : first + at_once]])
        if is_sealed:
            traffic.seal()

        held = tally(traffic.home, "flights", plan_of(column), traffic.labels_between, {MARCH})[MARCH]

    by_hand = stability_index(histogram(expected, column.bins), histogram(observed, column.bins))
    assert column_drift(column, held.counts["temp"], 0.25).psi == pytest.approx(by_hand)


def test_rows_fall_into_the_window_of_their_event_time(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    late = datetime(2013, 3, 31, 23, 59, 59, 999_999, tzinfo=UTC)

    keys = traffic.send([{"temp": 1.0}] * 3, [0.1, 0.2, 0.3], at=[MARCH, late, APRIL])
    traffic.label(keys[1:], [1, 0])

    assert survey(tmp_path, "flights", "month", traffic.labels_between) == {
        MARCH: Seen(rows=2, failed=0, labelled=1),
        APRIL: Seen(rows=1, failed=0, labelled=1),
    }


def test_failed_rows_are_counted_apart_and_never_measured(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    keys = traffic.send([{"temp": 1.0}], status="failed")
    traffic.send([{"temp": 2.0}], status="abandoned")  # nobody failed
    traffic.label(keys, [1])

    seen = survey(tmp_path, "flights", "month", traffic.labels_between)
    held = tally(tmp_path, "flights", plan_of(), traffic.labels_between, {MARCH})[MARCH]

    assert seen == {MARCH: Seen(rows=0, failed=1, labelled=0)}
    assert (held.rows, held.failed, len(held.labels)) == (0, 1, 0)


def test_open_closed_and_sealed_segments_are_one_log(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    first = traffic.send([{"temp": 1.0}, {"temp": 2.0}], [0.2, 0.4], at=MAY)
    traffic.seal()
    second = traffic.send([{"temp": 3.0}], [0.9], at=MAY)
    traffic.label([*first, *second], [0, 1, True])
    column = reference_of("temp", [1.0, 2.0, 3.0, 4.0])

    held = tally(tmp_path, "flights", plan_of(column), traffic.labels_between, {MAY})[MAY]

    assert (held.rows, list(held.labels), list(held.scores)) == (3, [0.0, 1.0, 1.0], [0.2, 0.4, 0.9])
    assert list(held.hits) == [1.0, 0.0, 1.0]
    assert held.counts["temp"].sum() == 3
    assert held.sample == f"{first[0][0]}/0"


def test_missing_absent_and_nan_are_the_same_bin(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    column = reference_of("temp", [1.0, 2.0, 3.0])

    traffic.send([{"temp": None}, {}, {"temp": "NaN"}, {"temp": 2.0}])
    held = tally(tmp_path, "flights", plan_of(column), traffic.labels_between, {MARCH})[MARCH]

    assert held.counts["temp"][-1] == 3
    assert held.counts["temp"].sum() == 4


def test_a_feature_that_the_log_lacks_is_missing_in_every_row(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    column = reference_of("wind", ["N", "S"], "string")

    traffic.send([{"temp": 1.0}] * 5)
    held = tally(tmp_path, "flights", plan_of(column), traffic.labels_between, {MARCH})[MARCH]

    assert held.counts["wind"].tolist() == [0, 0, 0, 5]


def test_words_in_a_column_of_numbers_are_left_out_and_told(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    column = reference_of("temp", [1.0, 2.0, 3.0])

    traffic.send([{"temp": "warm"}, {"temp": 2.0}])
    held = tally(tmp_path, "flights", plan_of(column), traffic.labels_between, {MARCH})[MARCH]
    drift = column_drift(column, held.counts["temp"], 0.25, odd=held.odd["temp"])

    assert held.counts["temp"].sum() == 1
    assert "1 values are no numbers" in drift.note


def test_a_few_rows_far_away_are_not_noted() -> None:
    column = reference_of("temp", [float(n) for n in range(1000)])
    few = histogram([2000.0] * 3, column.bins)
    many = histogram([2000.0] * 3000, column.bins)

    handful, crowd = (column_drift(column, counts, 0.25) for counts in (few, many))

    assert handful.psi is not None
    assert handful.psi > 0.25
    assert handful.state == "too few rows"
    assert crowd.state == "noted"


@pytest.mark.parametrize(
    ("label", "prediction", "same"),
    [(1, 1.0, True), (True, 1, True), ("yes", "yes", True), (0, "0", True), (1, None, False)],
)
def test_the_same_answer_is_the_same_in_any_dress(label: object, prediction: object, same: bool) -> None:
    assert is_same(label, prediction) is same


def test_a_log_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)

    assert survey(tmp_path, "nothing", "month", traffic.labels_between) == {}
