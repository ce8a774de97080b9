"""The caller's side of logging: records appended to the spool, or to memory where that has no room."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol
from zlib import crc32

from msgspec import Struct

from taxiway.kernel.ids import new_id
from taxiway.runs.contract import AddArtifact
from taxiway.runs.sending.fresh import Fresh, Rows
from taxiway.runs.sending.records import File, Head, Request, encode
from taxiway.runs.sending.spool import FRAME, Frame, Mark, SpoolFile

FILE_BYTES = 8 << 20
MOST_IN_MEMORY = 1_000_000  # points, parameters and tags: some 150 MB; what comes after is counted and told, not kept
MOST_HELD_BYTES = 64 << 20  # of files, where they cannot be copied to the spool
MOST_COPIED_BYTES = 64 << 20  # a larger file is not copied: it stays where it is until it is delivered
RETRY_S = 10.0  # between attempts to write where nothing could be written


class Place(Struct, frozen=True):
    """Where a client keeps what it has not delivered. server: where that is to go; limit_bytes: of one run."""

    folder: Path
    server: str
    limit_bytes: int = 2 << 30


class Bytes(Struct, frozen=True):
    """A file to be delivered, with the digest of what is in it."""

    path: Path
    digest: str
    size_bytes: int


class Source(Protocol):
    """Records in order, and how far they were delivered."""

    writer: str
    mark: Mark
    fresh: Fresh | None

    def frames(self, most: int) -> Iterator[Frame]: ...
    def advance(self, mark: Mark) -> None: ...


class Memory:
    """Records that found no room on disk: delivered all the same, lost with the process."""

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self.writer = new_id()
        self.mark = Mark(0, 0)
        self.payloads: deque[bytes] = deque()
        self.items = 0
        self.held: dict[str, bytes] = {}
        self.fresh: Fresh | None = None

    def append(self, payload: bytes, items: int) -> None:
        with self.lock:
            self.payloads.append(payload)
            self.items += items

    def frames(self, most: int) -> Iterator[Frame]:
        for place in range(min(most, len(self.payloads))):
            yield Frame(self.mark.done + 1 + place, self.payloads[place])

    def advance(self, mark: Mark) -> None:
        with self.lock:
            for _ in range(mark.done - self.mark.done):
                self.payloads.popleft()
            self.items -= mark.items - self.mark.items
            self.mark = mark


class Stream:
    """One process's records about one run, in order: files of the spool first, then what is in memory."""

    def __init__(self, place: Place, run: str) -> None:
        self.place = place
        self.run = run
        self.folder = place.folder / run
        self.opening = b""  # the record that opens the run; a forked child may have to say it too
        self._begin()

    def _begin(self) -> None:
        self.lock = threading.RLock()
        self.id = new_id()
        self.files: deque[SpoolFile] = deque()
        self.fresh = Fresh(self.lock)
        self.memory = Memory(self.lock)
        self.trouble = ""  # why the spool had no room, once it had none
        self.retry_at = 0.0
        self.made = 0
        self.put_records = self.put_items = 0
        self.done_records = self.done_items = 0
        self.dropped = 0
        self.older_bytes = 0  # not delivered, in the files before the newest
        self.copied_bytes = 0
        self.is_closed = False
        self.open_file: SpoolFile | None = None  # what takes the next record without further thought,
        self.open_until = 0  # up to this offset
        self._make_file()

    def begin_in_child(self) -> None:
        """After a fork: the parent's records are the parent's to deliver; this process has a stream of its own."""
        for file in self.files:
            os.close(file.fd)  # the lock stays with the parent
        is_opened = self.done_records > 0
        self._begin()
        if self.opening and not is_opened:
            self.put(self.opening, 0)

    # --- appending ---

    def put(self, payload: bytes, items: int, said: tuple[int, Rows] | None = None) -> int:
        """Keeps a record and gives its number. Never raises: what finds no room anywhere is counted as dropped.

        said: the points in it, if it is one of points, and their time in microseconds since 1970.
        """
        with self.lock:
            file = self.open_file
            if file is not None:  # nearly always: one write, and little Python around it
                data = FRAME.pack(len(payload), crc32(payload)) + payload
                end = file.end + len(data)
                if end <= self.open_until and try_write(file.fd, data, file.end):
                    if said is not None:
                        self.fresh.add(file, file.end, end, *said)
                    file.end = end
                    self.put_records += 1
                    self.put_items += items
                    return self.put_records
            return self._put_with_care(payload, items)

    def _put_with_care(self, payload: bytes, items: int) -> int:
        """Keeps a record where the usual way is closed: no file yet, a full one, no room, or the end is past."""
        self.open_file = None
        if self.is_closed or not (self._is_on_disk(payload) or self._is_in_memory(payload, items)):
            self.dropped += items or 1
            return self.put_records
        self.put_records += 1
        self.put_items += items
        if not self.memory.payloads:
            self.open_file, self.open_until = self.files[-1], self._end_of_room()
        return self.put_records

    def _end_of_room(self) -> int:
        """The offset up to which the newest file may grow before somebody must look again."""
        free = self.place.limit_bytes - self.older_bytes - self.copied_bytes
        return min(FILE_BYTES, self.files[-1].mark.done + free)

    def _is_on_disk(self, payload: bytes) -> bool:
        if self.memory.payloads:
            return False  # order: after what is in memory comes memory
        if (not self.files or self.files[-1].end >= FILE_BYTES) and not self._make_file():
            return False
        file = self.files[-1]
        if not self._is_within_limit(len(payload)):
            return False
        try:
            file.append(payload)
        except OSError as e:
            return self._has_no_room(e.strerror or str(e))
        return True

    def _is_within_limit(self, more: int) -> bool:
        newest = self.files[-1].end - self.files[-1].mark.done if self.files else 0
        if self.older_bytes + self.copied_bytes + newest + more <= self.place.limit_bytes:
            return True
        return self._has_no_room(f"the limit of {self.place.limit_bytes / (1 << 20):,.4g} MiB is reached")

    def _has_no_room(self, trouble: str) -> bool:
        self.trouble = self.trouble or trouble
        return False

    def _is_in_memory(self, payload: bytes, items: int) -> bool:
        if items and self.memory.items + items > MOST_IN_MEMORY:
            return False
        self.memory.append(payload, items)
        return True

    def _make_file(self) -> bool:
        if time.monotonic() < self.retry_at:
            return False
        head = Head(self.run, self.place.server, new_id(), self.id, self.made, os.getpid())
        try:
            file = SpoolFile.create(self.folder, head)
        except OSError as e:
            self.retry_at = time.monotonic() + RETRY_S
            return self._has_no_room(e.strerror or str(e))
        file.fresh = self.fresh
        self.files.append(file)
        self.made += 1
        self._count_older()
        return True

    def _count_older(self) -> None:
        files = list(self.files)[:-1]
        self.older_bytes = sum(file.end - file.mark.done for file in files)

    # --- files ---

    def keep_bytes(self, data: bytes, artifact: AddArtifact | None = None) -> int:
        """Keeps bytes to be stored, and gives the number of the record."""
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        with self.lock:
            place = self._copy_of(data, digest)
            if place:
                return self.put(encode(File(digest, len(data), place, "copy", artifact)), 0)
            if sum(map(len, self.memory.held.values())) + len(data) > MOST_HELD_BYTES:
                self.dropped += 1
                return self.put_records
            name = new_id()
            self.memory.held[name] = data
            return self.put(encode(File(digest, len(data), name, "memory", artifact)), 0)

    def _copy_of(self, data: bytes, digest: str) -> str:
        """Where bytes were copied to; empty where there is no room."""
        if not self._is_within_limit(len(data)):
            return ""
        path = self.folder / name_of(digest)
        try:
            path.write_bytes(data)
            path.chmod(0o600)
        except OSError as e:
            self._has_no_room(e.strerror or str(e))
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return ""
        self.copied_bytes += len(data)
        self.open_file = None  # there is less room now
        return path.name

    def keep_file(self, path: Path, digest: str, artifact: AddArtifact) -> int:
        """Notes a file that stays where it is until it is delivered, and gives the number of the record."""
        record = File(digest, path.stat().st_size, str(path.absolute()), "there", artifact)
        return self.put(encode(record), 0)

    def keep_parcel(self, files: Sequence[Bytes], request: Request) -> int:
        """Takes files over, which are gone from where they were, and the request that is to follow them.

        Gives the number of the request's record; 0 where the files find no room, and are left as they were.
        """
        size = sum(file.size_bytes for file in files)
        with self.lock:
            if not self.files or self.memory.payloads or not self._is_within_limit(size):
                return 0
            taken = [self.folder / name_of(file.digest) for file in files]
            try:
                for file, path in zip(files, taken, strict=True):
                    shutil.move(file.path, path)
                    path.chmod(0o600)
            except OSError as e:
                self._has_no_room(e.strerror or str(e))
                for file, path in zip(files, taken, strict=True):
                    if path.exists() and not file.path.exists():
                        shutil.move(path, file.path)
                    path.unlink(missing_ok=True)
                return 0
            self.copied_bytes += size
            self.open_file = None  # there is less room now
            for file, path in zip(files, taken, strict=True):
                self.put(encode(File(file.digest, file.size_bytes, path.name, "copy")), 0)
            return self.put(encode(request), 0)

    # --- delivering ---

    @property
    def waiting(self) -> int:
        """How many points, parameters and tags were not acknowledged yet."""
        return self.put_items - self.done_items

    @property
    def is_delivered(self) -> bool:
        return self.done_records >= self.put_records

    def oldest(self) -> Source | None:
        """What is to be delivered next; files that are through are taken away."""
        with self.lock:
            while len(self.files) > 1 and self.files[0].is_delivered:
                self.files.popleft().remove()
                self._count_older()
                self.open_file = None  # there is more room now
            if self.files and not self.files[0].is_delivered:
                return self.files[0]
            return self.memory if self.memory.payloads else None

    def note(self, records: int, items: int, copied_bytes: int = 0) -> None:
        """Counts what was delivered, or refused for good."""
        with self.lock:
            self.done_records += records
            self.done_items += items
            self.copied_bytes -= copied_bytes

    def close(self) -> None:
        """Lets go of the spool: what is all delivered is taken away, the rest stays for `taxiway runs sync`."""
        with self.lock:
            self.is_closed, self.open_file = True, None
            while self.files:
                file = self.files.popleft()
                if file.is_delivered:
                    file.remove()
                else:
                    file.close()
            clear(self.folder)


def name_of(digest: str) -> str:
    """What a copy of a file is called: by its digest, and apart from another copy of the same."""
    return f"{digest.removeprefix('sha256:')}-{new_id()[-8:]}"


def try_write(fd: int, data: bytes, at: int) -> bool:
    """Whether all of it was written."""
    try:
        return os.pwrite(fd, data, at) == len(data)
    except OSError:
        return False


def clear(folder: Path) -> None:
    """Takes a run's folder away if nothing is left in it."""
    try:
        folder.rmdir()
    except OSError:
        return  # something is left, or it was never made
