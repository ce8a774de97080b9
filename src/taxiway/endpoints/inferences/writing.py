"""The writing side of the inference log: one open segment per endpoint, synced for many requests at once.

A segment's records are written with one call per request, so a killed gateway loses no record of an answer it gave.
Where an endpoint's log is `acknowledged`, the answer also waits until the disk has it: requests that come while an
fsync is under way share the next one. Where it is `buffered`, fsync runs five times a second beside the requests.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from taxiway.endpoints.inferences.record import Line, Lines
from taxiway.kernel.ids import new_id

SEGMENT_BYTES = 32 << 20
SEGMENT_AGE_S = 600.0
LATE_MS = 540_000  # a little less than a request may take


@dataclass
class LogCounts:
    """What was counted of one endpoint's log since its gateway began.

    refused: requests that got no answer since the log did not take them; unrecorded: those that got one all the same.
    """

    requests: int = 0
    rows: int = 0
    bytes: int = 0
    syncs: int = 0
    failed_syncs: int = 0
    refused: int = 0
    unrecorded: int = 0
    problem: str = ""  # why the last request was not taken; empty once one is
    problem_at: datetime | None = None


class OpenSegment:
    """The file that an endpoint's records go to now."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.id = new_id()
        # Readers look for a record in segments begun no later than this after it: a clock that was set back ends one.
        self.earliest = new_id(max(0, (int(self.id, 16) >> 80) - LATE_MS))[:12]
        self.endpoint = folder.name
        self.path = folder / f"open-{self.id}.jsonl"
        self.descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)  # as long as somebody appends
        self.size = 0
        self.began = time.monotonic()
        self.is_dirty = False
        self.is_named = False  # whether the disk knows of the file
        self.waiting: list[asyncio.Future[None]] = []
        self.is_committing = False

    def append(self, data: bytes) -> None:
        """All of the data or nothing of it. Raises OSError, such as on a full disk."""
        try:
            written = os.write(self.descriptor, data)
            if written < len(data):
                written += os.write(self.descriptor, data[written:])
        except OSError:
            os.ftruncate(self.descriptor, self.size)
            raise
        if written < len(data):
            os.ftruncate(self.descriptor, self.size)
            raise OSError(28, "No space left on device")
        self.size += written
        self.is_dirty = True

    def sync(self) -> None:
        """Waits until the disk has what was written, and the file's name. Raises OSError."""
        os.fdatasync(self.descriptor)
        if not self.is_named:
            for folder in self.path.parents[:3]:  # the endpoint's, that of all logs, and the home
                sync_folder(folder)
            self.is_named = True


def sync_folder(folder: Path) -> None:
    """Waits until the disk knows the names in a folder. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class InferenceLog:
    """Appends records, one open segment per endpoint. Only `sync` may run in another thread."""

    def __init__(self, home: Path, segment_bytes: int = SEGMENT_BYTES, segment_age_s: float = SEGMENT_AGE_S) -> None:
        self.folder = home / "inferences"
        self.segment_bytes = segment_bytes
        self.segment_age_s = segment_age_s
        self.encoder = msgspec.json.Encoder()
        self.open: dict[str, OpenSegment] = {}
        self.retired: list[OpenSegment] = []
        self.counts: dict[str, LogCounts] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        close_left_open(home)

    @property
    def failed_syncs(self) -> int:
        return sum(each.failed_syncs for each in self.counts.values())

    def counted(self, endpoint: str) -> LogCounts:
        found = self.counts.get(endpoint)
        if found is None:
            found = self.counts[endpoint] = LogCounts()
        return found

    def append(self, endpoint: str, lines: Sequence[Line | Lines], rows: int | None = None) -> OpenSegment:
        """Writes the records of one request at once. rows: how many they are, where that is not the number of lines.

        Raises OSError; then nothing of them is in the log.
        """
        segment = self.open.get(endpoint)
        if segment is not None and lines[0].prediction_id < segment.earliest:
            self.close(endpoint)
            segment = None
        if segment is None:
            segment = self.open[endpoint] = OpenSegment(self.folder / endpoint)
        data = self.encoder.encode_lines(lines)
        segment.append(data)
        counts = self.counts.get(endpoint) or self.counted(endpoint)
        counts.requests += 1
        counts.rows += len(lines) if rows is None else rows
        counts.bytes += len(data)
        if counts.problem:
            counts.problem = ""
        if segment.size >= self.segment_bytes:
            self.close(endpoint)
        return segment

    async def durable(self, segment: OpenSegment) -> None:
        """Returns once the disk has what was appended to the segment so far. Raises OSError."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        segment.waiting.append(future)
        if not segment.is_committing:
            segment.is_committing = True
            task = loop.create_task(self.commit(segment))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        await future

    async def commit(self, segment: OpenSegment) -> None:
        """Syncs for everybody who waits, again and again until nobody does."""
        loop = asyncio.get_running_loop()
        counts = self.counted(segment.endpoint)
        while segment.waiting:
            together, segment.waiting = segment.waiting, []
            segment.is_dirty = False
            problem: OSError | None = None
            try:
                await loop.run_in_executor(None, segment.sync)
            except OSError as e:
                problem = e
            counts.syncs += 1
            if problem is not None:
                self.give_up(segment)
            for future in together:
                if future.done():
                    continue
                if problem is None:
                    future.set_result(None)
                else:
                    future.set_exception(OSError(problem.errno, problem.strerror))
        segment.is_committing = False

    def give_up(self, segment: OpenSegment) -> None:
        """Has nothing more written to a segment whose sync failed.

        The kernel drops what it could not write: a second try on the same file would report a false success.
        """
        self.counted(segment.endpoint).failed_syncs += 1
        if self.open.get(segment.endpoint) is segment:
            self.close(segment.endpoint)

    def rotate(self) -> None:
        """Closes the segments that are old enough, so that they can be sealed."""
        for endpoint, segment in list(self.open.items()):
            if time.monotonic() - segment.began >= self.segment_age_s:
                self.close(endpoint)

    def close(self, endpoint: str) -> None:
        """Ends an endpoint's open segment; the next record begins another."""
        segment = self.open.pop(endpoint)
        segment.path.rename(segment.path.with_name(f"closed-{segment.id}.jsonl"))
        self.retired.append(segment)

    def unsynced(self) -> tuple[list[OpenSegment], list[OpenSegment]]:
        """What `sync` should bring to the disk now: segments with new records, and those among them that are closed."""
        busy = [s for s in self.retired if s.is_committing]
        retired = [s for s in self.retired if not s.is_committing]
        self.retired = busy
        written = [s for s in (*self.open.values(), *retired) if s.is_dirty and not s.is_committing]
        for segment in written:
            segment.is_dirty = False
        return written, retired

    def sync(self, written: list[OpenSegment], retired: list[OpenSegment]) -> None:
        """Waits until the disk has it all. Another thread may do so while this one appends."""
        for segment in written:
            counts = self.counted(segment.endpoint)
            counts.syncs += 1
            try:
                segment.sync()
            except OSError:
                # The kernel drops what it could not write: a second try would report a false success.
                counts.failed_syncs += 1
        for segment in retired:
            os.close(segment.descriptor)

    def finish(self) -> None:
        """Closes and syncs everything."""
        for endpoint in list(self.open):
            self.close(endpoint)
        self.sync(*self.unsynced())


def close_left_open(home: Path) -> None:
    """Turns the open segments of a gateway that is gone into closed ones; whoever still appends to one holds it."""
    for path in (home / "inferences").glob("*/open-*.jsonl"):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.rename(path.with_name(path.name.replace("open-", "closed-", 1)))
