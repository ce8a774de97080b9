"""Names for things that people do not name: time-ordered ids."""

from __future__ import annotations

import os
import re
import secrets
import threading
import time
from datetime import UTC, datetime

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
BYTES_OF_ID = 10
DRAWN_AT_ONCE = 64
RANDOM_BITS = 74
STEP_BITS = 40
ID = re.compile(r"[0-9a-f]{32}")


def new_id(at_ms: int | None = None) -> str:
    """32 hex characters: a UUID of version 7 (RFC 9562), so that later ids sort later.

    Those that one thread makes within a millisecond sort too: each adds a random amount to the one before it.
    """
    ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    bits = randomness.after(ms) if at_ms is None else randomness.draw()
    value = (ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1
    return f"{value:032x}"


class Randomness(threading.local):
    """Random bits, asked of the system for many ids at once: each asking gives the interpreter to another thread."""

    def __init__(self) -> None:
        self.kept = b""
        self.last = (0, 0)

    def draw(self) -> int:
        """80 bits."""
        if not self.kept:
            self.kept = secrets.token_bytes(DRAWN_AT_ONCE * BYTES_OF_ID)
        drawn, self.kept = self.kept[:BYTES_OF_ID], self.kept[BYTES_OF_ID:]
        return int.from_bytes(drawn)

    def after(self, ms: int) -> int:
        """74 bits, above those that this thread drew last within the same millisecond."""
        bits = self.draw() & (1 << RANDOM_BITS) - 1
        last_ms, last_bits = self.last
        if ms == last_ms:
            stepped = last_bits + 1 + (bits & (1 << STEP_BITS) - 1)
            bits = stepped if stepped < 1 << RANDOM_BITS else bits
        self.last = (ms, bits)
        return bits

    def forget(self) -> None:
        """So that a process and its child never draw the same."""
        self.kept = b""


randomness = Randomness()
os.register_at_fork(after_in_child=randomness.forget)


def made_at(id_: str) -> datetime:
    """When an id of `new_id` was made, to the millisecond; of a text that merely looks like one, at most LATEST."""
    at_s = (int(id_, 16) >> 80) / 1000
    return datetime.fromtimestamp(at_s, UTC) if at_s < LATEST.timestamp() else LATEST


def is_name(text: str) -> bool:
    """Whether `text` can name a project, model, endpoint and the like: lower-case, 1 to 63 characters, a-z 0-9 . _ -"""
    return NAME.fullmatch(text) is not None
