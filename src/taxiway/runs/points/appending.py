"""Adding batches to runs, many in one transaction: everything is looked at first, then all of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection, update

from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.compare import is_same
from taxiway.runs.contract import Logged
from taxiway.runs.points import loose, series
from taxiway.runs.points.batch import RESOLUTION, Batch, Block, Newest, both, of_many
from taxiway.runs.points.placing import Known, Look, Pair, Placed, stored_before, writer_numbers
from taxiway.runs.points.segments import History
from taxiway.runs.refusals import BatchReused, ParamFixed
from taxiway.runs.store import params_of
from taxiway.runs.tables import runs
from taxiway.storage.database import EPOCH
from taxiway.storage.rows import Into, put_all, put_rows
from taxiway.storage.writes import Change

HEARD_EVERY = timedelta(seconds=2)
MOST_REMEMBERED = 50_000
ENDED_BLOCK = 16  # so many points are a segment at once where a series comes whole, and will hardly grow

Name = TypeVar("Name")

POINTS = Into(
    "run_points",
    (
        ("run", "integer"),
        ("key", "integer"),
        ("writer", "integer"),
        ("seq", "bigint"),
        ("step", "bigint"),
        ("at", "bigint"),
        ("value", "double precision"),
    ),
)
SEGMENTS = Into(
    "run_segments",
    (
        ("run", "integer"),
        ("key", "integer"),
        ("points", "integer"),
        ("first_step", "bigint"),
        ("last_step", "bigint"),
        ("first_at", "bigint"),
        ("last_at", "bigint"),
        ("low", "double precision"),
        ("high", "double precision"),
        ("data", "bytea"),
    ),
)
WRITERS = Into("run_writers", (("run", "integer"), ("writer", "varchar")), "ON CONFLICT DO NOTHING")
BATCHES = Into("run_batches", (("writer", "integer"), ("seq", "bigint"), ("size", "integer"), ("digest", "bytea")))
# The highest step wins, at equal steps the latest (a negative time is later than any other), then the highest value,
# which no NaN (NULL) is.
IS_NEWER = """(excluded.step, excluded.at < 0, excluded.at) > (run_latest.step, run_latest.at < 0, run_latest.at)
    OR ((excluded.step, excluded.at) = (run_latest.step, run_latest.at)
        AND (run_latest.value IS NULL OR excluded.value > run_latest.value))"""
LATEST = Into(
    "run_latest",
    (
        ("run", "integer"),
        ("key", "integer"),
        ("step", "bigint"),
        ("at", "bigint"),
        ("value", "double precision"),
        ("points", "bigint"),
        ("sealed", "bigint"),
        ("low", "double precision"),
        ("high", "double precision"),
    ),
    f"""ON CONFLICT (run, key) DO UPDATE SET
    value = CASE WHEN {IS_NEWER} THEN excluded.value ELSE run_latest.value END,
    step = CASE WHEN {IS_NEWER} THEN excluded.step ELSE run_latest.step END,
    at = CASE WHEN {IS_NEWER} THEN excluded.at ELSE run_latest.at END,
    low = CASE WHEN run_latest.low IS NULL OR excluded.low < run_latest.low THEN excluded.low ELSE run_latest.low END,
    high = CASE WHEN run_latest.high IS NULL OR excluded.high > run_latest.high
        THEN excluded.high ELSE run_latest.high END,
    points = run_latest.points + excluded.points,
    sealed = run_latest.sealed + excluded.sealed""",
)


Grown = Callable[[int, int, int, int], None]  # run, key, points in the tail, points in short segments


class Appending:
    """The lane of log requests. grown: told, after a commit, which series grew by how much."""

    def __init__(self, grown: Grown) -> None:
        self.grown = grown
        self.key_numbers: dict[str, int] = {}  # only what is committed, which never changes

    def apply(self, change: Change, batches: Sequence[Batch]) -> list[Logged | TaxiwayError]:
        """Stores all batches that may be, and says of each what became of it."""
        look = Look(change.connection, batches)
        answers: list[Logged | TaxiwayError] = []
        placed: list[Placed] = []
        for batch in batches:
            found = look.place(batch)
            if isinstance(found, Placed):
                placed.append(found)
                answers.append(Logged(batch.size, is_new=found.is_new))
            else:
                answers.append(found)
        new = [one for one in placed if one.is_new and one.batch.size]
        self._add(change, new, self._writers(change, look, {one.pair for one in new}))
        self._add_pairs(change, [one for one in placed if one.has_pairs])
        hear(change, look.known.values(), {one.run for one in placed})
        return answers

    def _add(self, change: Change, new: Sequence[Placed], writers: Mapping[Pair, int]) -> None:
        connection = change.connection
        numbers = self._keys(change, {key for one in new for key in one.batch.newest})
        named = [(writers[one.pair], one.seq, one.batch.size, one.batch.digest) for one in new]
        points = [
            (one.run, numbers[key], writers[one.pair], one.seq + place, step, at, value)
            for one in new
            for key, place, step, at, value in one.batch.rows
        ]
        blocks = [row_of(one.run, numbers[key], block) for one in new for key, block in one.batch.blocks]
        newest: dict[tuple[int, int], Newest] = {}
        for one in new:
            for key, said in one.batch.newest.items():
                series_ = (one.run, numbers[key])
                newest[series_] = both(newest[series_], said) if series_ in newest else said
        put_all(connection, [(BATCHES, named), (POINTS, points), (SEGMENTS, blocks), (LATEST, latest_rows(newest))])
        change.after_commit(lambda: self._grew(newest))

    def _add_pairs(self, change: Change, placed: Sequence[Placed]) -> None:
        """Adds parameters, which were found to be new or the same, and tags."""
        rows = [(one.run, name, value) for one in placed for name, value in one.batch.params.items()]
        numbers = self._keys(change, {name for _, name, _ in rows})
        series.put_params(change.connection, [(run, numbers[name], value) for run, name, value in rows])
        if rows and change.connection.dialect.name != "sqlite":
            check_params(change.connection, placed)
        for one in placed:
            series.put_tags(change.connection, run=one.run, given=dict(one.batch.tags))

    def _writers(self, change: Change, look: Look, wanted: set[Pair]) -> dict[Pair, int]:
        """The numbers of writers, those of new ones included."""
        if missing := sorted(wanted - look.writers.keys()):
            put_rows(change.connection, WRITERS, missing)
            look.writers |= writer_numbers(change.connection, missing)
        return look.writers

    def _grew(self, newest: Mapping[tuple[int, int], Newest]) -> None:
        for (run, key), said in newest.items():
            self.grown(run, key, said.points - said.sealed, said.sealed)

    def _keys(self, change: Change, names: set[str]) -> dict[str, int]:
        """The numbers of keys, those of new ones included."""
        found = {name: self.key_numbers[name] for name in names if name in self.key_numbers}
        if missing := names - found.keys():
            found |= series.key_numbers(change.connection, missing)
            remember(change, self.key_numbers, found)
        return found


def check_params(connection: Connection, placed: Sequence[Placed]) -> None:
    """Finds out where another server was quicker to give a parameter. Raises ParamFixed."""
    kept = params_of(connection, sorted({one.run for one in placed if one.batch.params}))
    for one in placed:
        for name, value in one.batch.params.items():
            if not is_same(kept[one.run][name], value):
                raise ParamFixed(run=one.batch.run, param=name, value=repr(kept[one.run][name]), given=repr(value))


def add_history(connection: Connection, *, run: int, given: Mapping[str, History]) -> bool:
    """Adds whole series to a run in a change of somebody else's, as a batch known by its content.

    False where the very same was added before.
    """
    batch = of_many("", given)
    writers = writer_numbers(connection, [(run, loose.WRITER)])
    if not writers:
        put_rows(connection, WRITERS, [(run, loose.WRITER)])
        writers = writer_numbers(connection, [(run, loose.WRITER)])
    writer = writers[run, loose.WRITER]
    for seq in loose.places(batch.latest_at, batch.digest):
        end = seq + batch.size
        there = stored_before(connection, [(writer, end)])[writer, end]
        if there is not None and (there.seq, there.digest) == (seq, batch.digest):
            return False
        if there is None or there.seq + there.size <= seq:
            break
    else:
        raise BatchReused(writer=loose.WRITER, seq=0)
    numbers = series.key_numbers(connection, set(given))
    put_rows(connection, BATCHES, [(writer, seq, batch.size, batch.digest)])
    points = [(run, numbers[key], writer, seq + place, step, at, value) for key, place, step, at, value in batch.rows]
    put_rows(connection, POINTS, points)
    put_segments(connection, [(run, numbers[key], block) for key, block in batch.blocks])
    put_latest(connection, {(run, numbers[key]): said for key, said in batch.newest.items()})
    return True


def add_histories(connection: Connection, given: Mapping[int, Mapping[str, History]]) -> dict[int, str]:
    """Adds whole series to runs, by number, that logged nothing before: with a few statements for all of them.

    Gives what `series.seal` would say of each now.
    """
    batches = {run: of_many("", histories, shortest=ENDED_BLOCK) for run, histories in given.items()}
    pairs = [(run, loose.WRITER) for run in batches]
    put_rows(connection, WRITERS, pairs)
    writers = writer_numbers(connection, pairs)
    numbers = series.key_numbers(connection, {key for histories in given.values() for key in histories})
    placed = [
        (run, writers[run, loose.WRITER], next(loose.places(batch.latest_at, batch.digest)), batch)
        for run, batch in batches.items()
    ]
    put_rows(connection, BATCHES, [(writer, seq, batch.size, batch.digest) for _, writer, seq, batch in placed])
    points = [
        (run, numbers[key], writer, seq + place, step, at, value)
        for run, writer, seq, batch in placed
        for key, place, step, at, value in batch.rows
    ]
    put_rows(connection, POINTS, points)
    put_segments(connection, [(run, numbers[key], block) for run, _, _, batch in placed for key, block in batch.blocks])
    newest = {(run, numbers[key]): said for run, _, _, batch in placed for key, said in batch.newest.items()}
    put_latest(connection, newest)
    return {run: series.seal_over([(loose.WRITER, seq, batch.size, batch.digest)]) for run, _, seq, batch in placed}


def remember(change: Change, known: dict[Name, int], found: Mapping[Name, int]) -> None:
    """Keeps numbers once they are committed, which never change; all are forgotten when they become too many."""

    def keep() -> None:
        if len(known) > MOST_REMEMBERED:
            known.clear()
        known.update(found)

    if found.keys() - known.keys():
        change.after_commit(keep)


def put_segments(connection: Connection, blocks: Sequence[tuple[int, int, Block]]) -> None:
    """Adds segments to series. blocks: each with its run and key."""
    put_rows(connection, SEGMENTS, [row_of(run, key, block) for run, key, block in blocks])


def row_of(run: int, key: int, block: Block) -> tuple[object, ...]:
    ends = block.ends
    return (
        run,
        key,
        block.points,
        ends.first_step,
        ends.last_step,
        ends.first_at,
        ends.last_at,
        ends.low,
        ends.high,
        block.data,
    )


def put_latest(connection: Connection, newest: Mapping[tuple[int, int], Newest]) -> None:
    put_rows(connection, LATEST, latest_rows(newest))


def latest_rows(newest: Mapping[tuple[int, int], Newest]) -> list[tuple[object, ...]]:
    """In one order everywhere, so that no two servers wait for each other."""
    rows = [(run, key, n.step, n.at, n.value, n.points, n.sealed, n.low, n.high) for (run, key), n in newest.items()]
    return sorted(rows, key=lambda row: row[:2])


def hear(change: Change, known: Iterable[Known], numbers: set[int]) -> None:
    """Notes that runs were heard of, not more often than anybody could tell."""
    before = (change.at - HEARD_EVERY - EPOCH) // RESOLUTION
    quiet = [one.number for one in known if one.number in numbers and one.heard_at < before]
    if quiet:
        change.connection.execute(update(runs).where(runs.c.number.in_(sorted(quiet))).values(heard_at=change.at))
