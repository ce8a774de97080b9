"""Names for things that people do not name: time-ordered ids."""

from __future__ import annotations

import re
import secrets
import time
from datetime import UTC, datetime

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
ID = re.compile(r"[0-9a-f]{32}")


def new_id(at_ms: int | None = None) -> str:
    """32 hex characters: a UUID of version 7 (RFC 9562), so that later ids sort later."""
    ms = time.time_ns() // 1_000_000 if at_ms is None else at_ms
    value = (ms & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return f"{value:032x}"


def made_at(id_: str) -> datetime:
    """When an id of `new_id` was made, to the millisecond; of a text that merely looks like one, at most LATEST."""
    at_s = (int(id_, 16) >> 80) / 1000
    return datetime.fromtimestamp(at_s, UTC) if at_s < LATEST.timestamp() else LATEST


def is_name(text: str) -> bool:
    """Whether `text` can name a project, model, endpoint and the like: lower-case, 1 to 63 characters, a-z 0-9 . _ -"""
    return NAME.fullmatch(text) is not None
