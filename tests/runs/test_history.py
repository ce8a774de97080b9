"""Sealed or not, a series reads as what was logged: whole, by pages and as a drawing."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from taxiway.house import House
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.ids import new_id
from taxiway.runs import store
from taxiway.runs.contract import Course, LogBatch, ReadMetric, StartRun
from taxiway.runs.points import batch, history, sealing
from taxiway.runs.points.segments import History, pieces

Row = tuple[int, int, float]  # step, time, value

POINTS = st.lists(
    st.tuples(st.integers(-3, 12), st.integers(0, 3), st.sampled_from([0.0, 1.5, -2.0, math.inf, -math.inf, math.nan])),
    max_size=40,
)
PARTS = st.lists(st.tuples(POINTS, st.booleans()), max_size=6)  # batches, each with whether the sealer comes after it
# The same examples each time; what fails is small as it is.
QUIET = settings(
    max_examples=40,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with contextlib.closing(House(tmp_path / "home")) as house:
        yield house


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Segments of a few points, so that few points make many of them."""
    monkeypatch.setattr(sealing, "LONGEST", 8)
    monkeypatch.setattr(batch, "LONGEST", 8)
    monkeypatch.setattr(batch, "BLOCK", 5)
    monkeypatch.setattr(batch, "FEW", 2)
    monkeypatch.setattr(sealing, "pieces", lambda points: pieces(points, 8))


class Logged:
    """A run and what was logged to its one metric."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.run = house.runs.start(SYSTEM, StartRun(project="default")).id
        self.rows: list[Row] = []

    def log(self, rows: Sequence[Row]) -> None:
        steps, at, values = map(list, zip(*rows, strict=True)) if rows else ([], [], [])
        course = Course("loss", steps, at, [word(value) for value in values])  # type: ignore[misc]
        self.house.run_log.take(SYSTEM, LogBatch(new_id(), 0, courses=[course]), run=self.run)
        self.rows += rows

    def seal(self) -> None:
        with self.house.database.read() as connection:
            known = store.known(connection, self.run)
            found = history.Series(connection, run=known.number if known else 0, key="loss")
        if found.key is not None:
            self.house.run_log.sealer.seal(found.run, found.key)

    def whole(self) -> list[tuple[int, int, str]]:
        return shown(self.house.run_log.history(self.run, "loss"))

    def paged(self, limit: int) -> list[tuple[int, str]]:
        found: list[tuple[int, str]] = []
        after: str | None = ""
        while after is not None:
            page = self.house.run_log.points(SYSTEM, ReadMetric("loss", limit, after), run=self.run)
            found += [(point.step, repr(float(point.value))) for point in page.items]
            after = page.next
        return found


def word(value: float) -> float | str:
    return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")


def shown(points: History) -> list[tuple[int, int, str]]:
    values = map(repr, points.values.tolist())
    return list(zip(points.steps.tolist(), points.at.tolist(), values, strict=True))


def reference(rows: Sequence[Row]) -> list[tuple[int, int, str]]:
    """By step, time and value, a NaN behind all numbers."""
    ordered = sorted(rows, key=lambda row: (row[0], row[1], math.isnan(row[2]), row[2]))
    return [(step, at, repr(value)) for step, at, value in ordered]


@QUIET
@given(parts=PARTS, limit=st.integers(1, 9))
def test_sealed_and_open_points_read_as_one_series(
    house: House, small: None, parts: list[tuple[list[Row], bool]], limit: int
) -> None:
    logged = Logged(house)
    for rows, is_sealed in parts:
        logged.log(rows)
        if is_sealed:
            logged.seal()

    assert logged.whole() == reference(logged.rows)
    paged = logged.paged(limit)
    assert sorted(paged) == sorted((step, value) for step, _, value in reference(logged.rows))
    assert [step for step, _ in paged] == sorted(step for step, _ in paged)
    assert house.run_log.counts(logged.run).get("loss", 0) == len(logged.rows)


@QUIET
@given(parts=PARTS, first=st.integers(-4, 12), last=st.integers(-4, 12))
def test_a_part_of_a_series_is_what_lies_between_two_steps(
    house: House, small: None, parts: list[tuple[list[Row], bool]], first: int, last: int
) -> None:
    logged = Logged(house)
    for rows, is_sealed in parts:
        logged.log(rows)
        if is_sealed:
            logged.seal()

    found = house.run_log.history(logged.run, "loss", first_step=first, last_step=last)

    assert shown(found) == reference([row for row in logged.rows if first <= row[0] <= last])


@QUIET
@given(parts=PARTS, columns=st.integers(1, 6), by_time=st.booleans())
def test_a_drawing_holds_every_extreme_and_nothing_else(
    house: House, small: None, parts: list[tuple[list[Row], bool]], columns: int, by_time: bool
) -> None:
    logged = Logged(house)
    for rows, is_sealed in parts:
        logged.log(rows)
        if is_sealed:
            logged.seal()

    (drawn,) = house.run_log.courses([logged.run], "loss", columns=columns, by_time=by_time)

    numbers = [row[2] for row in logged.rows if not math.isnan(row[2])]
    shown_numbers = [value for _, value in drawn if not math.isnan(value)]
    assert len(drawn) <= 2 * columns
    assert {*shown_numbers} <= {*numbers}
    if numbers:
        assert (min(shown_numbers), max(shown_numbers)) == (min(numbers), max(numbers))
    places = {float(row[1] if by_time else row[0]) for row in logged.rows}
    assert {place for place, _ in drawn} <= places
    assert [place for place, _ in drawn] == sorted(place for place, _ in drawn)


def test_a_page_goes_on_where_it_ended_though_the_points_were_sealed_meanwhile(house: House, small: None) -> None:
    logged = Logged(house)
    for start in range(0, 40, 4):
        logged.log([(step // 3, 7, float(step)) for step in range(start, start + 4)])
    first = house.run_log.points(SYSTEM, ReadMetric("loss", 10), run=logged.run)
    logged.seal()

    rest = house.run_log.points(SYSTEM, ReadMetric("loss", 100, first.next or ""), run=logged.run)

    assert [point.value for point in [*first.items, *rest.items]] == [float(n) for n in range(40)]


def test_a_repeat_of_a_batch_that_was_sealed_is_known(house: House, small: None) -> None:
    logged = Logged(house)
    writer = new_id()
    courses = [Course("loss", [n], [n], [float(n)]) for n in range(30)]
    sent = [LogBatch(writer, number, courses=[one]) for number, one in enumerate(courses)]
    for one in sent:
        house.run_log.take(SYSTEM, one, run=logged.run)
    logged.seal()
    random.Random(3).shuffle(sent)

    answers = [house.run_log.take(SYSTEM, one, run=logged.run).is_new for one in sent]

    assert not any(answers)
    assert len(house.run_log.history(logged.run, "loss")) == 30


def test_the_sealer_comes_by_itself_and_merges_what_is_short(tmp_path: Path, database_url: str) -> None:
    with contextlib.closing(House(tmp_path / "home", database_url=database_url)) as house:
        logged = Logged(house)
        for start in range(0, 60_000, 1_000):
            logged.log([(step, step, 0.5) for step in range(start, start + 1_000)])
        for start in range(60_000, 65_000, 100):
            logged.log([(step, step, math.nan) for step in range(start, start + 100)])
        while not house.run_log.sealer.waiting.empty():
            time.sleep(0.01)
        house.run_log.close()  # it finishes the series under way

        with house.database.read() as connection:
            lengths = [h.points for h in history.Series(connection, run=1, key="loss").headers()]
        found = house.run_log.history(logged.run, "loss")
    assert np.array_equal(found.steps, np.arange(65_000))
    assert np.array_equal(np.isnan(found.values), np.arange(65_000) >= 60_000)
    assert 4096 in lengths
    assert len(lengths) < 30


def test_steps_at_both_ends_of_what_64_bits_hold_are_drawn(house: House) -> None:
    logged = Logged(house)
    ends = (-(2**63), 2**63 - 1)
    logged.log([(ends[n % 2], n, float(n)) for n in range(300)])

    (drawn,) = house.run_log.courses([logged.run], "loss", columns=10)

    assert drawn == [(float(ends[0]), 0.0), (float(ends[0]), 298.0), (float(ends[1]), 1.0), (float(ends[1]), 299.0)]
