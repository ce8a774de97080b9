"""Files of records on disk: what is appended there outlives the process, and a torn end is cut, not fatal.

A file begins with `MAGIC` and a mark that says how far it was delivered; then come frames: a record's length, its
checksum, the record. Appending is one write to the page cache: it survives the process, not a loss of power. The lock
of a file is held as long as its process lives, so nobody else delivers what that is about to.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct

from taxiway.runs.sending.fresh import Fresh
from taxiway.runs.sending.records import Head, decode, encode

MAGIC = b"TWSPOOL1"
MARK = struct.Struct("<QQQI")  # delivered up to, items before that, end of the batch under way, checksum
MARK_AT = len(MAGIC)
FRAMES_AT = 64
FRAME = struct.Struct("<II")
LONGEST_FRAME = 64 << 20
CHUNK = 256 << 10
ENDING = ".spool"


class Mark(NamedTuple):
    """How far a file was delivered.

    done: the offset before which all is delivered. items: how many points and pairs that were, which is the number of
    the next batch. sending: the end of the batch that was last sent, so that it is sent again as it was; else 0.
    """

    done: int
    items: int
    sending: int = 0


class Frame(Struct, frozen=True, gc=False):
    """A record as it lies there, and where it ends."""

    end: int
    payload: bytes


class SpoolFile:
    """One file of records: written by one process, delivered by that or, once it is dead, by another."""

    def __init__(self, path: Path, fd: int, head: Head, mark: Mark, end: int) -> None:
        self.path = path
        self.fd = fd
        self.head = head
        self.writer = head.writer
        self.mark = mark
        self.end = end
        self.fresh: Fresh | None = None  # what is still in memory of it
        self.is_damaged = False  # a frame that was whole does not fit its checksum, and hides what follows

    @classmethod
    def create(cls, folder: Path, head: Head) -> SpoolFile:
        """A new file, locked. Raises OSError where there is no room or no right to write."""
        path = folder / f"{head.stream}.{head.number:04d}{ENDING}"
        beside = path.with_suffix(".new")  # nobody looks at it before it is locked
        fd = open_new(beside)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = cls(path, fd, head, Mark(FRAMES_AT, 0), FRAMES_AT)
            write_at(fd, MAGIC, 0)
            file.append(encode(head))
            file.advance(Mark(file.end, 0))
            beside.rename(path)
        except OSError:
            os.close(fd)
            beside.unlink(missing_ok=True)
            raise
        return file

    @classmethod
    def take(cls, path: Path) -> SpoolFile | None:
        """The file of a process that is gone; None where one still holds it. Raises SpoolDamaged, OSError."""
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return None
        try:
            head, mark = read_start(fd)
        except SpoolDamaged:
            os.close(fd)
            raise
        size = os.fstat(fd).st_size
        file = cls(path, fd, head, mark, size)
        file.end = max((frame.end for frame in file.walk()), default=mark.done)  # what is torn at the end is cut
        return file

    def append(self, payload: bytes) -> None:
        """Adds a record. Raises OSError where it found no room; the file is then as it was."""
        data = FRAME.pack(len(payload), zlib.crc32(payload)) + payload
        write_at(self.fd, data, self.end)
        self.end += len(data)

    @property
    def is_delivered(self) -> bool:
        return self.mark.done >= self.end

    def frames(self, most: int) -> Iterator[Frame]:
        """The next records that were not delivered, at most so many, read as they are asked for."""
        return islice(self.walk(), most)

    def walk(self) -> Iterator[Frame]:
        """The whole frames from the mark on; it ends where one is torn."""
        at, data, start = self.mark.done, b"", self.mark.done
        # Nearly every frame is small and read already: it then passes two comparisons and its checksum.
        while at + FRAME.size <= self.end:
            body = at - start + FRAME.size
            if body > len(data):
                data, start, body = os.pread(self.fd, min(CHUNK, self.end - at), at), at, FRAME.size
            length, checksum = FRAME.unpack_from(data, body - FRAME.size)
            if body + length > len(data):
                if length > LONGEST_FRAME or at + FRAME.size + length > self.end:
                    return
                size = min(max(CHUNK, FRAME.size + length), self.end - at)
                data, start, body = os.pread(self.fd, size, at), at, FRAME.size
            payload = data[body : body + length]
            if not length or len(payload) < length or zlib.crc32(payload) != checksum:
                self.is_damaged = self.is_damaged or length > 0
                return
            at += FRAME.size + length
            yield Frame(at, payload)

    def advance(self, mark: Mark) -> None:
        """Notes how far it is delivered, on disk too: whoever goes on after us begins there."""
        write_at(self.fd, pack_mark(mark), MARK_AT)
        self.mark = mark

    def close(self) -> None:
        """Lets the file go; what is left in it is for whoever delivers what dead processes left."""
        os.close(self.fd)

    def remove(self) -> None:
        """Takes the file away: everything in it is delivered."""
        self.path.unlink(missing_ok=True)
        os.close(self.fd)


def open_new(path: Path) -> int:
    """A descriptor of a new file for its owner alone, its folder made first. Raises OSError."""
    for attempt in range(3):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # whoever delivered the last of a run has just taken its empty folder away
            if attempt == 2:
                raise
    raise FileNotFoundError(errno.ENOENT, "the folder is taken away again and again", str(path))


class SpoolDamaged(Exception):
    """A file whose beginning cannot be read."""


def write_at(fd: int, data: bytes, at: int) -> None:
    """Writes all of it, or raises OSError."""
    written = os.pwrite(fd, data, at)
    if written != len(data):
        raise OSError(errno.ENOSPC, "no space left for the spool")


def pack_mark(mark: Mark) -> bytes:
    body = MARK.pack(*mark, 0)[:-4]
    return body + struct.pack("<I", zlib.crc32(body))


def read_start(fd: int) -> tuple[Head, Mark]:
    """Whose file it is, and its mark. Raises SpoolDamaged."""
    start = os.pread(fd, FRAMES_AT + FRAME.size, 0)
    if len(start) < FRAMES_AT + FRAME.size or not start.startswith(MAGIC):
        raise SpoolDamaged("it does not begin as a spool file does")
    raw = start[MARK_AT : MARK_AT + MARK.size]
    done, items, sending, checksum = MARK.unpack(raw)
    if zlib.crc32(raw[:-4]) != checksum:
        raise SpoolDamaged("the mark of what was delivered does not fit its checksum")
    length, checksum = FRAME.unpack_from(start, FRAMES_AT)
    payload = os.pread(fd, min(length, CHUNK), FRAMES_AT + FRAME.size)
    head = decode(payload) if len(payload) == length and zlib.crc32(payload) == checksum else None
    if not isinstance(head, Head):
        raise SpoolDamaged("it does not say whose it is")
    return head, Mark(done, items, sending)
