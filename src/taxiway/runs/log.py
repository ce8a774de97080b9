"""Taking what runs log. Batches are many and small: they go through the writer's group commits without an audit
entry each; the entry that ends the run seals them all."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, TooLarge
from taxiway.runs import loose, series, store
from taxiway.runs.contract import LogBatch, Logged, Point, ReadMetric
from taxiway.runs.history import History, history_of
from taxiway.runs.loose import Items
from taxiway.runs.paths import check_key, is_clean
from taxiway.runs.refusals import BatchReused, RunEnded
from taxiway.runs.service import unknown
from taxiway.storage.database import EPOCH, Database
from taxiway.storage.writes import Change

MOST_POINTS = 20_000
MOST_PAIRS = 1_000
MOST_READ = 100_000


class Log:
    """The batches of runs, and reading the points back."""

    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.writer = ledger.writer
        self.clock = clock

    def take(self, caller: Caller, body: LogBatch, *, run: str) -> Logged:
        """Stores a batch whole or not at all; it is on the disk when this returns.

        Raises BadField, TooLarge, ParamFixed, BatchReused, and RunEnded for a batch that is new to an ended run.
        """
        check(body)
        rows = series.rows_of(body)
        digest = series.digest_of_rows(rows)
        items = len(body.points) + len(body.params) + len(body.tags)

        def make(change: Change) -> Logged:
            connection = change.connection
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            writer = series.writer_number(connection, run=known.number, writer=body.writer)
            if items:
                entered = series.enter_batch(connection, writer=writer, seq=body.seq, items=items, digest=digest)
                if entered == (items, digest):
                    return Logged(items, is_new=False)
                if entered is not None:
                    raise BatchReused(writer=body.writer, seq=body.seq)
            if known.status != "running":
                raise RunEnded(run=run, ended_as=known.status)
            if rows:
                try:
                    series.add_points(connection, run=known.number, writer=writer, seq=body.seq, rows=rows)
                except IntegrityError as e:  # it overlaps another batch of its writer
                    raise BatchReused(writer=body.writer, seq=body.seq) from e
            series.add_params(connection, run=known.number, id_=run, given=dict(body.params))
            series.put_tags(connection, run=known.number, given=dict(body.tags))
            store.change(connection, known.number, heard_at=change.at)
            return Logged(items, is_new=True)

        return self.writer.write(make)

    def keep(self, caller: Caller, items: Items, *, run: str, may_amend: bool = False) -> None:
        """Stores items that came without a writer's number, whole or not at all; they are on the disk on return.

        may_amend: an ended run takes them too; the audit log then has an entry `runs.amend` with the new seal.
        Raises BadField, TooLarge, NotFound, ParamFixed, RunEnded.
        """
        given = loose.checked(items)
        try:
            self.writer.write(lambda change: self._keep(change, given, run=run))
        except RunEnded:
            if not may_amend:
                raise
            self._amend(caller, given, run=run)

    async def keep_soon(self, caller: Caller, items: Items, *, run: str, may_amend: bool = False) -> None:
        """As `keep`, for handlers on the event loop."""
        await run_in_threadpool(self.keep, caller, items, run=run, may_amend=may_amend)

    def _keep(self, change: Change, items: Items, *, run: str, is_ended_too: bool = False) -> None:
        connection = change.connection
        known = store.known(connection, run)
        if known is None:
            raise unknown(run)
        if known.status != "running" and not is_ended_too:
            raise RunEnded(run=run, ended_as=known.status)
        series.add_params(connection, run=known.number, id_=run, given=dict(items.params))
        if items.points:
            writer = series.writer_number(connection, run=known.number, writer=loose.WRITER)
            digest = series.digest_of_rows(items.points)
            for seq in loose.places(items.points, digest):
                size = len(items.points)
                entered = series.enter_batch(connection, writer=writer, seq=seq, items=size, digest=digest)
                if entered == (size, digest):
                    break
                if entered is None:
                    series.add_points(connection, run=known.number, writer=writer, seq=seq, rows=items.points)
                    break
        series.put_tags(connection, run=known.number, given=dict(items.tags))
        store.change(connection, known.number, heard_at=change.at)

    def _amend(self, caller: Caller, items: Items, *, run: str) -> None:
        with self.database.read() as connection:
            known = store.known(connection, run)
        if known is None:
            raise unknown(run)

        def make(record: Record) -> None:
            self._keep(record.change, items, run=run, is_ended_too=True)
            sealed, points = series.seal(record.connection, known.number)
            store.change(record.connection, known.number, sealed=sealed)
            record.note(sealed=sealed, points=points, params=items.params, tags=items.tags)

        unkeyed = msgspec.structs.replace(caller, key=None)
        self.ledger.change(unkeyed, "runs.amend", f"run:{run}", make, answer=type(None), project=known.project)

    def history(self, run: str, key: str) -> History:
        """All of a metric's points by step, time and value. Raises NotFound for a run that is not there."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            return history_of(connection, run=known.number, key=key)

    def points(self, caller: Caller, body: ReadMetric, *, run: str) -> Page[Point]:
        """A metric's points by step; at equal steps by time, and then as they were written."""
        if not 1 <= body.limit <= MOST_READ:
            raise BadField(field="limit", value=str(body.limit), expected=f"a number from 1 to {MOST_READ}")
        with self.database.read() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            place = read_place(body.after)
            found, end = series.points_of(connection, run=known.number, key=body.key, limit=body.limit, after=place)
        return Page(found, None if end is None else msgspec.msgpack.encode(end).hex())

    def courses(self, runs: Sequence[str], key: str, *, columns: int) -> list[list[tuple[float, float]]]:
        """A metric of each run for drawing: steps with values, at most two for each column. Unknown runs have none."""
        with self.database.read() as connection:
            known = [store.known(connection, run) for run in runs]
            return [series.course(connection, run=one.number, key=key, columns=columns) if one else [] for one in known]

    def counts(self, run: str) -> dict[str, int]:
        """How many points each metric of a run has."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            return store.counts_of(connection, known.number) if known else {}


def check(batch: LogBatch) -> None:
    """What the types do not say already. Raises BadField, TooLarge."""
    for what, found, most in (
        ("The number of points in a batch", len(batch.points), MOST_POINTS),
        ("The number of parameters in a batch", len(batch.params), MOST_PAIRS),
        ("The number of tags in a batch", len(batch.tags), MOST_PAIRS),
    ):
        if found > most:
            raise TooLarge(what=what, limit=most, found=found)
    seen: set[str] = set()
    for number, point in enumerate(batch.points):
        if point.key not in seen:
            check_key(f"points[{number}].key", point.key)
            seen.add(point.key)
        if point.at < EPOCH:
            field = f"points[{number}].at"
            raise BadField(field=field, value=point.at.isoformat(), expected="a moment since 1970")
    for name, value in batch.params.items():
        check_key("params", name)
        check_text(f"params.{name}", value)
    for name, text in batch.tags.items():
        check_key("tags", name)
        check_text(f"tags.{name}", text)


def check_text(field: str, value: object) -> None:
    if isinstance(value, str) and not is_clean(value.replace("\n", "").replace("\t", "").replace("\r", "")):
        raise BadField(field=field, value=repr(value[:100]), expected="a text without control characters")
    if isinstance(value, int) and abs(value) >= 10**300:
        raise BadField(field=field, value="an integer of more than 300 digits", expected="a shorter number, or a text")


def read_place(text: str) -> series.Place | None:
    if not text:
        return None
    try:
        return msgspec.msgpack.decode(bytes.fromhex(text), type=series.Place)
    except (ValueError, msgspec.MsgspecError) as e:
        raise BadField(field="after", value=repr(text[:60]), expected="the `next` of the page before") from e
