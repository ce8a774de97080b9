"""Taking what runs log. Batches are many and small: they go through the writer's group commits without an audit
entry each; the entry that ends the run seals them all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from starlette.concurrency import run_in_threadpool

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, TaxiwayError, TooLarge
from taxiway.kernel.numbers import to_wire
from taxiway.runs import store
from taxiway.runs.contract import Course, LogBatch, Logged, Point, ReadMetric
from taxiway.runs.paths import check_key, is_clean
from taxiway.runs.points import loose, series, times
from taxiway.runs.points.appending import Appending
from taxiway.runs.points.batch import Batch, batch_of
from taxiway.runs.points.history import Place, Series, page_of
from taxiway.runs.points.history import course as drawn
from taxiway.runs.points.loose import Items
from taxiway.runs.points.sealing import Sealer
from taxiway.runs.points.segments import History
from taxiway.runs.refusals import RunEnded
from taxiway.runs.service import unknown
from taxiway.storage.database import EPOCH, Database
from taxiway.storage.writes import Lane

MOST_POINTS = 20_000
MOST_PAIRS = 1_000
MOST_READ = 100_000
MOST_ON_LOOP = 200  # points in rows that are made ready on the event loop: some 0.3 ms
MOST_IN_ARRAYS = 1_000  # or points in arrays, which take as long


class Log:
    """The batches of runs, and reading the points back."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.database = database
        self.ledger = ledger
        self.writer = ledger.writer
        self.sealer = Sealer(database, ledger.writer)
        self.appending = Appending(self.sealer.grew)
        self.lane: Lane[Batch, Logged] = Lane(self.appending.apply)

    def close(self) -> None:
        """Stops sealing; the writer still takes batches."""
        self.sealer.close()

    # --- taking ---

    def take(self, caller: Caller, body: LogBatch, *, run: str) -> Logged:
        """Stores a batch whole or not at all; it is on the disk when this returns.

        Raises BadField, TooLarge, NotFound, ParamFixed, BatchReused, RunTrashed, and RunEnded for a batch that is new
        to an ended run.
        """
        return self.writer.merge(self.lane, checked(run, body))

    async def take_soon(self, caller: Caller, body: LogBatch, *, run: str) -> Logged:
        """As `take`, for a handler on the event loop."""
        is_large = len(body.points) > MOST_ON_LOOP or bool(body.courses)
        batch = await run_in_threadpool(checked, run, body) if is_large else checked(run, body)
        return await self.writer.merge_soon(self.lane, batch)

    def keep(self, caller: Caller, items: Items, *, run: str, may_amend: bool = False) -> None:
        """Stores items that came without a writer's number, whole or not at all; they are on the disk on return.

        may_amend: an ended run takes them too; the audit log then has an entry `runs.amend` with the new seal.
        Raises BadField, TooLarge, NotFound, ParamFixed, RunTrashed, RunEnded.
        """
        batch = loose.checked_batch(run, items)
        try:
            self.writer.merge(self.lane, batch)
        except RunEnded:
            if not may_amend:
                raise
            self._amend(caller, batch)

    async def keep_soon(self, caller: Caller, items: Items, *, run: str, may_amend: bool = False) -> None:
        """As `keep`, for a handler on the event loop."""
        is_large = len(items.points) > MOST_ON_LOOP or items.size > MOST_IN_ARRAYS
        batch = (
            await run_in_threadpool(loose.checked_batch, run, items) if is_large else loose.checked_batch(run, items)
        )
        await self.keep_batch_soon(caller, batch, may_amend=may_amend)

    async def keep_batch_soon(self, caller: Caller, batch: Batch, *, may_amend: bool = False) -> None:
        """As `keep_soon`, for what `loose.checked_batch` made elsewhere."""
        try:
            await self.writer.merge_soon(self.lane, batch)
        except RunEnded:
            if not may_amend:
                raise
            await run_in_threadpool(self._amend, caller, batch)

    def _amend(self, caller: Caller, batch: Batch) -> None:
        """Adds to an ended run, with an entry that holds its new seal."""
        number, project = self._known(batch.run)
        amending = msgspec.structs.replace(batch, is_amending=True)

        def make(record: Record) -> None:
            answer = self.appending.apply(record.change, [amending])[0]
            if isinstance(answer, TaxiwayError):
                raise answer
            sealed, points = series.seal(record.connection, number)
            store.change(record.connection, number, sealed=sealed)
            record.note(sealed=sealed, points=points, params=batch.params, tags=batch.tags)

        unkeyed = msgspec.structs.replace(caller, key=None)
        self.ledger.change(unkeyed, "runs.amend", f"run:{batch.run}", make, answer=type(None), project=project)

    def _known(self, run: str) -> tuple[int, str]:
        with self.database.read() as connection:
            known = store.known(connection, run)
        if known is None:
            raise unknown(run)
        return known.number, known.project

    # --- reading ---

    def history(self, run: str, key: str, *, first_step: int | None = None, last_step: int | None = None) -> History:
        """All of a metric's points by step, time and value, or those from one step to another, both counted.

        Raises NotFound for a run that is not there.
        """
        with self._series(run, key) as found:
            return found.whole(first_step, last_step).ordered_by_value()

    def points(self, caller: Caller, body: ReadMetric, *, run: str) -> Page[Point]:
        """A metric's points by step; at equal steps by time, and then as they were written."""
        if not 1 <= body.limit <= MOST_READ:
            raise BadField(field="limit", value=str(body.limit), expected=f"a number from 1 to {MOST_READ}")
        place = read_place(body.after)
        with self._series(run, body.key) as found:
            page, end = page_of(found, limit=body.limit, after=place)
        columns = zip(page.steps.tolist(), page.at.tolist(), page.values.tolist(), strict=True)
        points = [Point(body.key, to_wire(value), step, times.moment(at)) for step, at, value in columns]
        return Page(points, None if end is None else msgspec.msgpack.encode(end).hex())

    @contextmanager
    def _series(self, run: str, key: str) -> Iterator[Series]:
        with self.database.snapshot() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            yield Series(connection, run=known.number, key=key)

    def courses(
        self, runs: Sequence[str], key: str, *, columns: int, by_time: bool = False
    ) -> list[list[tuple[float, float]]]:
        """A metric of each run for drawing: steps with values, at most two for each column. Unknown runs have none.

        by_time: microseconds since 1970 instead of steps.
        """
        found: list[list[tuple[float, float]]] = []
        with self.database.snapshot() as connection:
            for run in runs:
                known = store.known(connection, run)
                series_ = Series(connection, run=known.number, key=key) if known else None
                found.append(drawn(series_, columns=columns, by_time=by_time) if series_ else [])
        return found

    def counts(self, run: str) -> dict[str, int]:
        """How many points each metric of a run has."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            return store.counts_of(connection, known.number) if known else {}


def checked(run: str, body: LogBatch) -> Batch:
    check(body)
    return batch_of(run, body)


def check(batch: LogBatch) -> None:
    """What the types do not say already. Raises BadField, TooLarge."""
    for what, found, most in (
        ("The number of points in a batch", count_points(batch), MOST_POINTS),
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
    for number, course in enumerate(batch.courses):
        check_course(f"courses[{number}]", course)
    for name, value in batch.params.items():
        check_key("params", name)
        check_text(f"params.{name}", value)
    for name, text in batch.tags.items():
        check_key("tags", name)
        check_text(f"tags.{name}", text)


def count_points(batch: LogBatch) -> int:
    return len(batch.points) + sum(len(course.steps) for course in batch.courses)


def check_course(field: str, course: Course) -> None:
    """Refuses columns that do not go together, and times before 1970. Raises BadField."""
    check_key(f"{field}.key", course.key)
    for name, column in (("at", course.at), ("values", course.values)):
        if len(column) != len(course.steps):
            expected = f"as many as there are steps, {len(course.steps)}"
            raise BadField(field=f"{field}.{name}", value=f"{len(column)} of them", expected=expected)
    if course.at and not 0 <= min(course.at) <= max(course.at) <= times.LATEST:
        raise BadField(field=f"{field}.at", value=str(min(course.at)), expected=times.WORDS)


def check_text(field: str, value: object) -> None:
    if isinstance(value, str) and not is_clean(value.replace("\n", "").replace("\t", "").replace("\r", "")):
        raise BadField(field=field, value=repr(value[:100]), expected="a text without control characters")
    if isinstance(value, int) and abs(value) >= 10**300:
        raise BadField(field=field, value="an integer of more than 300 digits", expected="a shorter number, or a text")


def read_place(text: str) -> Place | None:
    if not text:
        return None
    try:
        return msgspec.msgpack.decode(bytes.fromhex(text), type=Place)
    except (ValueError, msgspec.MsgspecError) as e:
        raise BadField(field="after", value=repr(text[:60]), expected="the `next` of the page before") from e
