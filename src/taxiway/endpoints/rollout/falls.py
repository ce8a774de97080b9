"""Falls: revisions that the gateway took the traffic from by itself, kept on disk until the server has entered them.

They outlive the gateway, so that a restart brings no bad revision back while the server is away.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from taxiway.endpoints.rollout.guard import Cause
from taxiway.endpoints.rollout.split import Split

FILE = "falls.json"
MOST = 200  # the latest; the server has long entered those before


class Fall(Struct, frozen=True):
    """A revision that gave its traffic back. number: of the split that it fell from; to: what divides it since.

    log_tail: the last lines that its workers printed.
    """

    endpoint: str
    number: int
    revision: int
    at: datetime
    to: Split
    cause: Cause
    log_tail: list[str] = []

    @property
    def key(self) -> tuple[str, int, int]:
        return (self.endpoint, self.number, self.revision)


def read_falls(home: Path) -> list[Fall]:
    """In the order in which they happened; none where the file is damaged."""
    try:
        return msgspec.json.decode((home / "gateway" / FILE).read_bytes(), type=list[Fall])
    except (FileNotFoundError, msgspec.DecodeError):
        return []


def keep_falls(home: Path, falls: list[Fall]) -> None:
    """Writes them so that a crash leaves the old list or the new. Raises OSError."""
    path = home / "gateway" / FILE
    waiting = path.with_name(f".{FILE}.{os.getpid()}")
    with waiting.open("wb") as file:
        file.write(msgspec.json.encode(falls[-MOST:]))
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)
