"""Tracking against a plain reference in memory: whatever is logged, repeated, refused, sealed, and lost in a crash."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from taxiway.house import House
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import NotFound, TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.kernel.numbers import Number, to_wire
from taxiway.runs import store
from taxiway.runs.contract import Course, FinishRun, LogBatch, StartRun
from taxiway.runs.points import batch, history, sealing
from taxiway.runs.points.batch import Row
from taxiway.runs.points.loose import Items
from taxiway.runs.points.segments import pieces
from taxiway.runs.refusals import BatchReused, ParamFixed, RunEnded
from tests.support.tables import furnished

KEYS = st.sampled_from(["loss", "acc"])
VALUES = st.sampled_from([0.0, 1.5, -2.0, 1e308, math.inf, -math.inf, math.nan])
ROWS = st.lists(st.tuples(KEYS, st.integers(-2, 9), st.integers(0, 3), VALUES), max_size=14)
PARAMS = st.dictionaries(st.sampled_from(["C", "n"]), st.sampled_from(["1", "2"]), max_size=2)
TAGS = st.dictionaries(st.sampled_from(["team", "state"]), st.text("ab", max_size=3), max_size=2)
PICK = st.integers(0, 10**6)

Point = tuple[str, int, int, float]  # key, step, time, value


@dataclass
class Reference:
    """A run as it ought to be."""

    points: list[Point] = field(default_factory=list)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    seen: set[frozenset[tuple[object, ...]]] = field(default_factory=set)  # what came without a number
    is_open: bool = True

    def refuses(self, params: dict[str, str]) -> bool:
        return any(self.params.get(name, value) != value for name, value in params.items())

    def take(self, points: list[Point], params: dict[str, str], tags: dict[str, str]) -> None:
        self.points += points
        self.params |= params
        self.tags |= tags

    def history(self, key: str) -> list[tuple[int, int, str]]:
        rows = [(step, at, value) for name, step, at, value in self.points if name == key]
        rows.sort(key=lambda row: (row[0], row[1], math.isnan(row[2]), row[2]))
        return [(step, at, repr(value)) for step, at, value in rows]

    def newest(self) -> dict[str, Number]:
        """The highest step, then the latest time, then the highest value, which no NaN is."""
        found: dict[str, Point] = {}
        for point in self.points:
            best = found.get(point[0])
            if best is None or place(point) > place(best):
                found[point[0]] = point
        return {key: to_wire(point[3]) for key, point in sorted(found.items())}


def place(point: Point) -> tuple[int, int, bool, float]:
    is_number = not math.isnan(point[3])
    return point[1], point[2], is_number, point[3] if is_number else 0.0


@dataclass(frozen=True)
class Sent:
    """A batch that was sent once."""

    run: str
    batch: LogBatch


class Tracking(RuleBasedStateMachine):
    """A house and the reference, which are told the same."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(sealing, "LONGEST", 6)
        self.patch.setattr(sealing, "pieces", lambda points: pieces(points, 6))
        self.patch.setattr(batch, "LONGEST", 6)
        self.patch.setattr(batch, "BLOCK", 4)
        self.patch.setattr(batch, "FEW", 3)
        self.folder = Path(tempfile.mkdtemp())
        self.lives = 0
        self.house = House(furnished(self.folder / "home-0"))
        self.runs: dict[str, Reference] = {}
        self.writers: dict[str, tuple[str, int]] = {}  # of each run: the writer's id, and how many items it sent
        self.sent: list[Sent] = []

    def teardown(self) -> None:
        self.house.close()
        shutil.rmtree(self.folder)
        self.patch.undo()

    def pick(self, number: int) -> tuple[str, Reference]:
        run = sorted(self.runs)[number % len(self.runs)]
        return run, self.runs[run]

    @rule()
    def start(self) -> None:
        run = self.house.runs.start(SYSTEM, StartRun(project="default")).id
        self.runs[run] = Reference()
        self.writers[run] = (new_id(), 0)

    @precondition(lambda self: self.runs)
    @rule(number=PICK, points=ROWS, params=PARAMS, tags=TAGS)
    def log(self, number: int, points: list[Point], params: dict[str, str], tags: dict[str, str]) -> None:
        run, known = self.pick(number)
        writer, seq = self.writers[run]
        courses = [Course(key, [step], [at], [to_wire(value)]) for key, step, at, value in points]
        given = LogBatch(writer, seq, courses=courses, params=dict(params), tags=tags)
        refusal = self.attempt(lambda: self.house.run_log.take(SYSTEM, given, run=run))

        if not known.is_open:
            assert isinstance(refusal, RunEnded)
        elif known.refuses(params):
            assert isinstance(refusal, ParamFixed)
        else:
            assert refusal is None
            known.take(points, params, tags)
            size = len(points) + len(params) + len(tags)
            self.writers[run] = (writer, seq + size)
            if size:
                self.sent.append(Sent(run, given))

    @precondition(lambda self: self.sent)
    @rule(number=PICK)
    def repeat(self, number: int) -> None:
        one = self.sent[number % len(self.sent)]
        assert not self.house.run_log.take(SYSTEM, one.batch, run=one.run).is_new

    @precondition(lambda self: self.sent)
    @rule(number=PICK)
    def reuse(self, number: int) -> None:
        """The number of another batch, with other content."""
        one = self.sent[number % len(self.sent)]
        other = LogBatch(one.batch.writer, one.batch.seq, courses=[Course("odd", [1], [1], [1.0])])
        assert isinstance(self.attempt(lambda: self.house.run_log.take(SYSTEM, other, run=one.run)), BatchReused)

    @precondition(lambda self: self.runs)
    @rule(number=PICK, points=ROWS, params=PARAMS, tags=TAGS, may_amend=st.booleans())
    def keep(
        self, number: int, points: list[Point], params: dict[str, str], tags: dict[str, str], may_amend: bool
    ) -> None:
        """What comes without a number, as from another system's client."""
        run, known = self.pick(number)
        items = Items(points=[Row(*point) for point in points], params=dict(params), tags=tags)
        refusal = self.attempt(lambda: self.house.run_log.keep(SYSTEM, items, run=run, may_amend=may_amend))
        content = {(*point[:3], repr(point[3])): point for point in points}
        is_repeat = frozenset(content) in known.seen

        if is_repeat and not params and not tags:
            assert refusal is None
        elif not known.is_open and not may_amend:
            assert isinstance(refusal, RunEnded)
        elif known.refuses(params):
            assert isinstance(refusal, ParamFixed)
        else:
            assert refusal is None
            known.take([] if is_repeat else list(content.values()), params, tags)
            if content:
                known.seen.add(frozenset(content))

    @precondition(lambda self: self.runs)
    @rule(number=PICK)
    def finish(self, number: int) -> None:
        run, known = self.pick(number)
        self.house.runs.finish(SYSTEM, FinishRun(), run=run)
        known.is_open = False

    @precondition(lambda self: self.runs)
    @rule(number=PICK, key=KEYS)
    def seal(self, number: int, key: str) -> None:
        run, _ = self.pick(number)
        with self.house.database.read() as connection:
            known = store.known(connection, run)
            assert known is not None
            found = history.Series(connection, run=known.number, key=key)
        if found.key is not None:
            self.house.run_log.sealer.seal(found.run, found.key)

    @rule()
    def crash(self) -> None:
        """Goes on with what lies on the disk at this moment, as after a power cut."""
        old = self.folder / f"home-{self.lives}"
        self.lives += 1
        new = self.folder / f"home-{self.lives}"
        shutil.copytree(old, new, ignore=shutil.ignore_patterns("*.sock", "*-shm", "lock"))
        self.house.close()
        self.house = House(new)

    def attempt(self, act: object) -> TaxiwayError | None:
        assert callable(act)
        try:
            act()
        except TaxiwayError as refusal:
            return refusal
        return None

    @invariant()
    def all_is_as_it_ought_to_be(self) -> None:
        for run, known in self.runs.items():
            found = self.house.runs.find(run)
            assert (found.params, found.tags) == (known.params, known.tags)
            assert {key: to_wire(float(value)) for key, value in found.metrics.items()} == known.newest()
            for key in ("loss", "acc"):
                points = self.house.run_log.history(run, key)
                rows = zip(points.steps.tolist(), points.at.tolist(), map(repr, points.values.tolist()), strict=True)
                assert list(rows) == known.history(key)

    @rule()
    def ask_for_what_is_not_there(self) -> None:
        given = LogBatch(new_id(), 0, courses=[Course("loss", [1], [1], [1.0])])
        assert isinstance(self.attempt(lambda: self.house.run_log.take(SYSTEM, given, run=new_id())), NotFound)


TestTracking = Tracking.TestCase
TestTracking.settings = settings(
    max_examples=6,
    stateful_step_count=20,
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
