"""Time comes in as an argument, so that a test can hold it still."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def now() -> datetime:
    """The wall clock, aware, in UTC."""
    return datetime.now(UTC)
