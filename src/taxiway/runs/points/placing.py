"""Where batches belong and whether they may be stored: all that has to be known before anything is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.compare import Scalar, is_same
from taxiway.runs.points import loose
from taxiway.runs.points.batch import Batch
from taxiway.runs.refusals import BatchReused, ParamFixed, RunEnded, RunTrashed
from taxiway.runs.service import unknown
from taxiway.runs.store import params_of
from taxiway.storage.rows import marks

OPEN = ("running", "scheduled")

Pair = tuple[int, str]  # a run's number and a writer's name


class Known(NamedTuple):
    """What a run is to the writer."""

    number: int
    status: str
    heard_at: int  # microseconds since 1970
    is_trashed: bool


class Placed(NamedTuple):
    """A batch with its place in its writer's sequence. is_new: False where its points are stored already."""

    batch: Batch
    run: int
    seq: int
    is_new: bool

    @property
    def pair(self) -> Pair:
        return self.run, self.batch.writer

    @property
    def has_pairs(self) -> bool:
        """Whether its parameters and tags are to be written: a batch that has a number was stored with them."""
        return bool(self.batch.params or self.batch.tags) and (self.is_new or self.batch.seq is None)


class Stored(NamedTuple):
    """A batch as the database has it."""

    seq: int
    size: int
    digest: bytes


class Look:
    """What the database knows of some batches, read with few queries, and what was decided about them so far."""

    def __init__(self, connection: Connection, batches: Sequence[Batch]) -> None:
        self.connection = connection
        self.known: dict[str, Known] = {}
        self.writers: dict[Pair, int] = {}
        self.before: dict[tuple[int, int], Stored | None] = {}
        self._look({(batch.run, batch.writer, first_end(batch)) for batch in batches})
        self.decided: dict[Pair, list[Stored]] = {}
        with_params = {self.known[one.run].number for one in batches if one.run in self.known and one.params}
        self.params: dict[int, dict[str, Scalar]] = params_of(connection, sorted(with_params)) if with_params else {}

    def _look(self, wanted: set[tuple[str, str, int]]) -> None:
        """Reads what is known of runs, their writers and the places before some ends, all with one query."""
        for id_, writer, end, run, status, heard_at, is_trashed, number, *stored in look_up(self.connection, wanted):
            self.known[id_] = Known(run, status, heard_at, bool(is_trashed))
            if number is not None:
                self.writers[run, writer] = number
                seq, size, digest = stored
                self.before[number, end] = None if seq is None else Stored(seq, size, bytes(digest))

    def place(self, batch: Batch) -> Placed | TaxiwayError:
        """Where the batch belongs, or why it is refused. What was placed before in this transaction counts."""
        known = self.known.get(batch.run)
        if known is None:
            return unknown(batch.run)
        if known.is_trashed:
            return RunTrashed(run=batch.run)
        found = self._place(batch, known.number)
        if isinstance(found, TaxiwayError) or not (found.is_new or found.has_pairs):
            return found
        if known.status not in OPEN and not batch.is_amending:
            return RunEnded(run=batch.run, ended_as=known.status)
        if refusal := self._check_params(batch, known.number):
            return refusal
        if found.is_new and batch.size:
            self.decided.setdefault(found.pair, []).append(Stored(found.seq, batch.size, batch.digest))
        return found

    def _place(self, batch: Batch, run: int) -> Placed | TaxiwayError:
        if not batch.size:
            return Placed(batch, run, batch.seq or 0, is_new=True)
        for seq in [batch.seq] if batch.seq is not None else loose.places(batch.latest_at, batch.digest):
            there = self._there(run, batch, seq)
            if there is None:
                return Placed(batch, run, seq, is_new=True)
            if (there.size, there.digest) == (batch.size, batch.digest) and there.seq == seq:
                return Placed(batch, run, seq, is_new=False)
        return BatchReused(writer=batch.writer, seq=batch.seq or 0)

    def _there(self, run: int, batch: Batch, seq: int) -> Stored | None:
        """The batch of the same writer that takes some of the places from `seq` on; None where they are free."""
        end = seq + batch.size
        for one in self.decided.get((run, batch.writer), ()):
            if one.seq < end and seq < one.seq + one.size:
                return one
        writer = self.writers.get((run, batch.writer))
        if writer is None:
            return None
        if (writer, end) not in self.before:
            self.before |= stored_before(self.connection, [(writer, end)])
        last = self.before[writer, end]
        return last if last is not None and seq < last.seq + last.size else None

    def _check_params(self, batch: Batch, run: int) -> ParamFixed | None:
        if not batch.params:
            return None
        kept = self.params.setdefault(run, {})
        for name, value in batch.params.items():
            if name in kept and not is_same(kept[name], value):
                return ParamFixed(run=batch.run, param=name, value=repr(kept[name]), given=repr(value))
        kept |= batch.params
        return None


def first_end(batch: Batch) -> int:
    """Where a batch ends in its writer's sequence, if it stands where it should."""
    seq = batch.seq if batch.seq is not None else next(loose.places(batch.latest_at, batch.digest))
    return seq + batch.size


LAST_BEFORE = "(SELECT max(o.seq) FROM run_batches o WHERE o.writer = w.number AND o.seq < wanted.until)"
LOOK_UP = f"""SELECT wanted.id, wanted.writer, wanted.until, r.number, r.status, r.heard_at, r.deleted_at IS NOT NULL,
        w.number, b.seq, b.size, b.digest
    FROM wanted JOIN runs r ON r.id = wanted.id
    LEFT JOIN run_writers w ON w.run = r.number AND w.writer = wanted.writer
    LEFT JOIN run_batches b ON b.writer = w.number AND b.seq = {LAST_BEFORE}"""  # noqa: S608 - its own words


def look_up(connection: Connection, wanted: Collection[tuple[str, str, int]]) -> Iterable[Sequence[Any]]:
    """Of runs that exist: the run, the number of a writer of it, and the last batch of that before an end.

    wanted: runs by id, with a writer and an end.
    """
    if connection.dialect.name == "sqlite":
        rows = ", ".join(["(?, ?, ?)"] * len(wanted))
        statement = f"WITH wanted(id, writer, until) AS (VALUES {rows}) {LOOK_UP}"
        return connection.exec_driver_sql(statement, tuple(value for one in wanted for value in one)).all()
    arrays = "SELECT * FROM unnest(%s::varchar[], %s::varchar[], %s::bigint[])"
    columns = tuple(map(list, zip(*wanted, strict=True)))
    return connection.exec_driver_sql(f"WITH wanted(id, writer, until) AS ({arrays}) {LOOK_UP}", columns).all()


def writer_numbers(connection: Connection, pairs: Collection[Pair]) -> dict[Pair, int]:
    """The numbers of those writers that have one. They are asked each time: removed runs leave theirs to others."""
    if not pairs:
        return {}
    wanted = ", ".join([f"({marks(connection, 2)})"] * len(pairs))
    statement = f"SELECT run, writer, number FROM run_writers WHERE (run, writer) IN (VALUES {wanted})"  # noqa: S608 - marks
    values = tuple(value for pair in pairs for value in pair)
    return {(run, writer): number for run, writer, number in connection.exec_driver_sql(statement, values)}


def stored_before(connection: Connection, ends: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Stored | None]:
    """For each writer and end the last of its batches that begins before that end.

    Batches of a writer never overlap, so whether places are free can be told by that one alone.
    """
    if not ends:
        return {}
    wanted = ", ".join(f"({writer:d}, {end:d})" for writer, end in ends)
    statement = f"""WITH wanted(writer, until) AS (VALUES {wanted})
        SELECT w.writer, w.until, b.seq, b.size, b.digest FROM wanted w JOIN run_batches b ON b.writer = w.writer
        AND b.seq = (SELECT max(o.seq) FROM run_batches o WHERE o.writer = w.writer AND o.seq < w.until)"""  # noqa: S608 - whole numbers of ours
    found: dict[tuple[int, int], Stored | None] = dict.fromkeys(ends)
    for writer, end, seq, size, digest in connection.exec_driver_sql(statement):
        found[writer, end] = Stored(seq, size, bytes(digest))
    return found
