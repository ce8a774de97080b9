"""Delivering records to the server, each once: by the process that wrote them, or by one that comes later."""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import chain
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.errors import (
    BadField,
    FileUnusable,
    NotAllowed,
    ServerAway,
    SignInNeeded,
    TaxiwayError,
    TooLarge,
    Unexpected,
)
from taxiway.kernel.numbers import to_wire
from taxiway.kernel.transport import Transport
from taxiway.runs import contract
from taxiway.runs.contract import Course, LogBatch
from taxiway.runs.refusals import ParamFixed
from taxiway.runs.sending.fresh import MOST, Columns
from taxiway.runs.sending.records import (
    Act,
    Capture,
    Change,
    File,
    Finish,
    Head,
    Open,
    Pairs,
    Points,
    Request,
    Use,
    decode,
)
from taxiway.runs.sending.spool import Frame, Mark
from taxiway.runs.sending.stream import Source
from taxiway.storage.contract import put_blob

B = TypeVar("B")
A = TypeVar("A")

MOST_PAIRS = 500
SAID: dict[type[Act], Endpoint[Any, Any]] = {
    Open: contract.start_run,
    Capture: contract.capture_run,
    Use: contract.use_dataset,
    Change: contract.change_run,
    Finish: contract.finish_run,
}
BUSY = frozenset((408, 425, 429))
OF_ONE_ITEM = (BadField, ParamFixed, TooLarge)  # refusals that the rest of a batch may not deserve


class NotNow(Exception):
    """The server cannot take it at the moment, or not from us: it is to be sent again, as it was."""

    def __init__(self, cause: TaxiwayError) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Done(Struct):
    """What is off our hands: stored, or refused for good. answer: to a record that was no point or pair.

    made: what a request made, in words.
    """

    records: int = 0
    items: int = 0
    files: int = 0
    copied_bytes: int = 0
    made: str = ""
    answer: Any = None
    refusal: TaxiwayError | None = None


class Delivery:
    """Sends the records of a run. A batch is noted before it is sent, so that it is sent again as the same one.

    folder: where the run's copies of files lie. held: the bytes that lie in this process's memory, by name.
    """

    def __init__(self, transport: Transport, run: str, folder: Path, held: Mapping[str, bytes] | None = None) -> None:
        self.transport = transport
        self.run = run
        self.folder = folder
        self.held = held if held is not None else {}
        self.most = MOST
        self.distance_s = 0.0  # how long it took to connect

    def next(self, source: Source) -> Done | None:
        """Delivers a batch, or one record that is none; None where nothing waits. Raises NotNow."""
        mark = source.mark
        until = mark.sending
        if source.fresh is not None and self.most == MOST and not mark.sending:
            chunk = source.fresh.take(source, mark.done)
            if chunk is not None:
                batch = LogBatch(source.writer, mark.items, courses=courses_of(chunk.columns))
                return self._deliver_batch(source, batch, chunk.records, chunk.end)
            until = source.fresh.start(source)
        frames = source.frames(self.most)
        first = next(frames, None)
        if first is None:
            return None
        record = decode(first.payload)
        if isinstance(record, Points | Pairs):
            gather = self._points if isinstance(record, Points) else self._pairs
            return self._deliver_batch(source, *gather(chain((first,), frames), source, until))
        done = Done(records=1)
        if not isinstance(record, Head):
            self._act(source, first, record, done)
        source.advance(Mark(first.end, source.mark.items))
        return done

    def meet(self) -> None:
        """Finds out whether a server answers, and how far away it is; that nobody does is found out later."""
        with suppress(OSError, http.client.HTTPException, TaxiwayError):
            self.transport.greet(self._note_distance)

    def knock(self) -> None:
        """Asks a server that was away whether it is back, before anything is made ready for it. Raises NotNow."""
        try:
            self.transport.close()
            self.transport.greet(self._note_distance)
        except TaxiwayError as e:
            raise NotNow(e) from e
        except (OSError, http.client.HTTPException) as e:
            raise NotNow(ServerAway(url=self.transport.find().url, cause=str(e) or type(e).__name__)) from e

    def _note_distance(self, seconds: float) -> None:
        self.distance_s = seconds

    def say_alive(self, writer: str) -> None:
        """Tells the server that the run is still on. Raises NotNow."""
        try:
            self._call(contract.log_batch, LogBatch(writer, 0), "")
        except TaxiwayError as e:
            raise NotNow(e) from e

    # --- batches ---

    def _deliver_batch(self, source: Source, batch: LogBatch, taken: int, end: int) -> Done:
        """taken: of how many records the batch is. end: where the last of them ends."""
        mark = source.mark
        items = sum(len(course.steps) for course in batch.courses) + len(batch.params) + len(batch.tags)
        source.advance(Mark(mark.done, mark.items, sending=end))
        done = Done(records=taken, items=items)
        try:
            self._call(contract.log_batch, batch, "")
        except TaxiwayError as e:
            if is_for_later(e) or isinstance(e, NotAllowed):
                raise NotNow(e) from e
            if taken > 1 and isinstance(e, OF_ONE_ITEM):
                self.most = taken // 2  # nothing of it was stored: by halves, what is refused is found
                source.advance(Mark(mark.done, mark.items))
                return Done()
            done.refusal = e
        except Exception as e:  # noqa: BLE001 - the worker loop: a batch that cannot be sent costs itself alone
            done.refusal = Unexpected(detail=f"A batch could not be sent: {e!r}")
        source.advance(Mark(end, mark.items + items))
        self.most = min(self.most * 2, MOST)
        return done

    def _points(self, frames: Iterator[Frame], source: Source, until: int) -> tuple[LogBatch, int, int]:
        """The next batch of points, as columns by metric, of how many records it is, and where the last one ends.

        until: where it ends at the latest, if not 0; one that was sent before ends just there.

        Records are read one by one: thousands of them at once would have the garbage collector look at everything
        that the training holds.
        """
        columns: dict[str, Columns] = {}
        count = taken = end = 0
        for frame in frames:
            record = decode(frame.payload)
            if type(record) is not Points or 0 < until < frame.end:
                break
            rows, at = record.rows, record.at
            if count and not source.mark.sending and count + len(rows) > MOST:
                break
            for key, step, value in rows:
                if (course := columns.get(key)) is None:
                    course = columns[key] = ([], [], [])
                course[0].append(step)
                course[1].append(at)
                course[2].append(value)
            count += len(rows)
            taken, end = taken + 1, frame.end
        return LogBatch(source.writer, source.mark.items, courses=courses_of(columns)), taken, end

    def _pairs(self, frames: Iterator[Frame], source: Source, until: int) -> tuple[LogBatch, int, int]:
        """The next batch of parameters and tags. They travel apart from points, so that a refused one takes none
        along; one that is given twice goes with the next batch."""
        given: dict[str, dict[str, Any]] = {"params": {}, "tags": {}}
        taken = end = 0
        for frame in frames:
            record = decode(frame.payload)
            if not isinstance(record, Pairs) or 0 < until < frame.end:
                break
            more = msgspec.json.decode(record.given, type=dict[str, Any])
            of_kind = given[record.kind]
            if taken and (more.keys() & of_kind.keys() or len(more) + len(of_kind) > MOST_PAIRS):
                break
            of_kind |= more
            taken, end = taken + 1, frame.end
        batch = LogBatch(source.writer, source.mark.items, params=given["params"], tags=given["tags"])
        return batch, taken, end

    # --- all else ---

    def _act(self, source: Source, frame: Frame, record: Act, done: Done) -> None:
        """Delivers one record that is no batch, and notes what came of it. Raises NotNow."""
        key = f"{source.writer}-{frame.end}"
        try:
            done.answer = self._deliver(record, key)
        except TaxiwayError as e:
            is_early = isinstance(record, Open)  # what follows would be refused with it, and lost
            if is_for_later(e) or is_early or (isinstance(e, NotAllowed) and not isinstance(record, Use | Request)):
                raise NotNow(e) from e
            done.refusal = e
        except OSError as e:
            done.refusal = FileUnusable(file=str(e.filename), cause=e.strerror or str(e))
        except Exception as e:  # noqa: BLE001 - the worker loop: a record that cannot be sent costs itself alone
            done.refusal = Unexpected(detail=f"A record could not be sent: {e!r}")
        if isinstance(record, File):
            done.files = int(done.refusal is None and record.artifact is not None)
            done.copied_bytes = self._let_go(record)
        elif isinstance(record, Request) and done.refusal is None:
            done.made = record.makes

    def _deliver(self, record: Act, key: str) -> Any:
        match record:
            case File():
                return self._store(record, key)
            case Request():
                return self.transport.post(record.path, record.body, idempotency_key=key)
            case _:
                return self._call(SAID[type(record)], record.body, key)

    def _store(self, record: File, key: str) -> Any:
        if record.kept == "memory":
            self.transport.upload(put_blob, self.held[record.place], record.size_bytes, digest=record.digest)
        else:
            path = self.folder / record.place if record.kept == "copy" else Path(record.place)
            with path.open("rb") as file:
                self.transport.upload(put_blob, file, record.size_bytes, digest=record.digest)
        return self._call(contract.add_artifact, record.artifact, key) if record.artifact else None

    def _let_go(self, record: File) -> int:
        """Takes away the copy of a file that is stored or refused; gives its size."""
        if record.kept != "copy":
            return 0
        (self.folder / record.place).unlink(missing_ok=True)
        return record.size_bytes

    def _call(self, endpoint: Endpoint[B, A], body: B, key: str) -> A:
        path = {"run": self.run} if "{run}" in endpoint.path else {}
        try:
            return self.transport.call(endpoint, body, idempotency_key=key, **path)
        except msgspec.DecodeError as e:  # somebody else answers there, such as the page of a hotel's network
            raise Unexpected(detail=f"The answer is none of a Taxiway server: {e}.") from e


def courses_of(columns: Mapping[str, Columns]) -> list[Course]:
    """Columns as they travel: JSON has words for what is no number."""
    found = []
    for key, (steps, at, values) in columns.items():
        is_plain = isfinite(sum(values))  # nearly always: one look at all of them is enough
        found.append(Course(key, steps, at, [*values] if is_plain else [to_wire(value) for value in values]))
    return found


def is_for_later(error: TaxiwayError) -> bool:
    """Whether the same request may yet be taken: nobody answers, the server is in trouble or busy, or does not (now)
    know us."""
    return error.status >= 500 or error.status in BUSY or isinstance(error, SignInNeeded)
