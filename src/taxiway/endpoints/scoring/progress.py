"""What of a scoring is done: a file beside the output that answers are appended to, a frame for each chunk.

A process may be killed at any point. A frame that was not written whole is found by its checksum, and cut off.
"""

from __future__ import annotations

import fcntl
import os
import zlib
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from taxiway.endpoints.scoring.refusals import InputChanged, ScoringHeld

HEAD = 12  # bytes before a frame: its length, its chunk's number, its checksum


class Begun(Struct, frozen=True, kw_only=True):
    """What a scoring is of; it goes on only where all of this is as it was."""

    model: str
    bundle: str
    input: str  # size, time of change, and digests of both ends
    columns: list[str]
    keep: list[str]
    on_error: str
    is_trial: bool
    serves: str
    is_exact: bool
    chunk_rows: int


NAMES = {"input": "input", "bundle": "version", "keep": "choice of columns", "on_error": "choice for bad rows"}


class Progress:
    """The answers that there are, by the numbers of their chunks."""

    def __init__(self, file: IO[bytes], begun: Begun) -> None:
        self.file = file
        self.begun = begun
        self.places: dict[int, tuple[int, int]] = {}  # chunk: where its frame's data begins, and its length

    def add(self, number: int, data: bytes) -> None:
        """Keeps a chunk's answers."""
        self.file.seek(0, os.SEEK_END)
        start = self.file.tell()
        self.file.write(framed(number + 1, data))  # 0 is what was begun
        self.file.flush()
        self.places[number] = (start + HEAD, len(data))

    def read(self, number: int) -> bytes:
        start, size = self.places[number]
        self.file.seek(start)
        return self.file.read(size)


def open_progress(path: Path, begun: Begun, *, output: str, is_anew: bool) -> Progress:
    """The progress of a scoring, continued where there is one. Raises InputChanged, ScoringHeld."""
    file = path.open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        file.close()
        raise ScoringHeld(output=output) from e
    found = read_frames(file)
    if is_anew or not found:
        file.truncate(0)
        progress = Progress(file, begun)
        file.write(framed(0, msgspec.msgpack.encode(begun)))
        file.flush()
        return progress
    (start, size), *rest = found.values()
    file.seek(start)
    before = msgspec.msgpack.decode(file.read(size), type=Begun)
    if changed := differences(before, begun):
        file.close()
        raise InputChanged(output=output, what=changed)
    progress = Progress(file, before)
    progress.places = {number - 1: place for number, place in zip(list(found)[1:], rest, strict=True)}
    return progress


def differences(before: Begun, now: Begun) -> list[str]:
    """What is not as it was, in words."""
    one, other = msgspec.structs.asdict(before), msgspec.structs.asdict(now)
    names = [NAMES.get(name, "set of options") for name in one if one[name] != other[name]]
    return sorted(set(names), key=names.index)


def framed(number: int, data: bytes) -> bytes:
    head = len(data).to_bytes(4, "little") + number.to_bytes(4, "little")
    return head + zlib.crc32(head + data).to_bytes(4, "little") + data


def read_frames(file: IO[bytes]) -> dict[int, tuple[int, int]]:
    """Where the data of each whole frame lies; what follows the last of them is cut off."""
    file.seek(0)
    found: dict[int, tuple[int, int]] = {}
    end = 0
    while len(head := file.read(HEAD)) == HEAD:
        size, number = int.from_bytes(head[:4], "little"), int.from_bytes(head[4:8], "little")
        data = file.read(size)
        if len(data) != size or zlib.crc32(head[:8] + data) != int.from_bytes(head[8:], "little"):
            break
        found[number] = (end + HEAD, size)
        end += HEAD + size
    file.truncate(end)
    return found
