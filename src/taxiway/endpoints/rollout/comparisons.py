"""What shadows answered, beside what callers got: kept row by row, without the inputs, which the inference log has.

``HOME/shadows/ENDPOINT/REVISION/ID.jsonl``: the gateway appends, a file of 8 MB is followed by another, and the newest
eight of a shadow are kept. It is a working copy: the records are in the inference log, under its policy, as shadows'.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from taxiway.kernel.ids import is_name, new_id

FILE_BYTES = 8 << 20
MOST_FILES = 8


class Pair(Struct, frozen=True, gc=False):
    """One row as it is written. shadow_outputs: the JSON text null where the shadow gave no answer, for `error`."""

    prediction_id: str
    row: int
    at: datetime
    revision: int  # whose answer the caller got
    shadow: int
    outputs: Raw
    shadow_outputs: Raw
    agrees: bool
    latency_ms: float
    shadow_latency_ms: float
    error: str = ""
    event_at: datetime | None = None  # when it happened in the world; None: when it was asked


class Compared(Struct, frozen=True):
    """One row as it is read."""

    prediction_id: str
    row: int
    at: datetime
    revision: int
    shadow: int
    outputs: dict[str, Any]
    shadow_outputs: dict[str, Any] | None
    agrees: bool
    latency_ms: float
    shadow_latency_ms: float
    error: str = ""
    event_at: datetime | None = None  # when it happened in the world; None: when it was asked


class Comparisons:
    """The file that one shadow's rows go to."""

    def __init__(self, home: Path, endpoint: str, shadow: int) -> None:
        self.folder = home / "shadows" / endpoint / str(shadow)
        self.encoder = msgspec.json.Encoder()
        self.descriptor: int | None = None
        self.size = 0

    def append(self, pairs: Sequence[Pair]) -> None:
        """Raises OSError, such as on a full disk; a line that was cut is passed over when it is read."""
        if self.descriptor is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{new_id()}.jsonl"
            self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            for old in files(self.folder)[:-MOST_FILES]:
                old.unlink(missing_ok=True)
        self.size += os.write(self.descriptor, self.encoder.encode_lines(pairs))
        if self.size >= FILE_BYTES:
            self.close()

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)
        self.descriptor, self.size = None, 0


def files(folder: Path) -> list[Path]:
    """Oldest first: their names are ids, which grow."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def expire(home: Path, endpoint: str, before: datetime) -> None:
    """Removes what every shadow of an endpoint answered before a moment, file by file."""
    for folder in sorted((home / "shadows" / endpoint).glob("*")) if is_name(endpoint) else []:
        for path in files(folder):
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                path.unlink(missing_ok=True)


def latest(home: Path, endpoint: str, shadow: int, most: int) -> list[Compared]:
    """The rows compared last, oldest first."""
    if not is_name(endpoint):
        return []
    found: list[Compared] = []
    for path in reversed(files(home / "shadows" / endpoint / str(shadow))):
        found[:0] = read(path)
        if len(found) >= most:
            break
    return found[-most:]


def read(path: Path) -> Iterator[Compared]:
    decoder = msgspec.json.Decoder(Compared)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:  # it was one too many meanwhile
        return
    for line in lines:
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
