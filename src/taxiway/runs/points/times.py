"""When points were logged, as one 64-bit number. Pure.

Microseconds since 1970, to the end of the calendar. MLflow's clients count milliseconds in 64 bits and may say moments
that no calendar has; those go on by the millisecond from there. The last of them do not fit into a number with a sign
and are kept as negative ones: what compares or orders times reads them without the sign (`unsigned`), in which all of
them rise.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = (datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).days * 86_400_000_000
LATEST_MS = LATEST // 1000
BEYOND = LATEST - LATEST_MS
MOST_MS = 2**63 - 1
WORDS = "microseconds from 1970 to 9999"


def from_ms(milliseconds: int) -> int:
    """The number for a moment that is told in milliseconds, of 0 to `MOST_MS`."""
    return milliseconds * 1000 if milliseconds <= LATEST_MS else signed(milliseconds + BEYOND)


def array_from_ms(milliseconds: NDArray[np.int64]) -> NDArray[np.int64]:
    beyond = (milliseconds.view(np.uint64) + np.uint64(BEYOND)).view(np.int64)
    return np.where(milliseconds <= LATEST_MS, np.minimum(milliseconds, LATEST_MS) * 1000, beyond)


def to_ms(at: int) -> int:
    """Whole milliseconds since 1970."""
    return at // 1000 if 0 <= at <= LATEST else at % 2**64 - BEYOND


def array_to_ms(at: NDArray[np.int64]) -> NDArray[np.int64]:
    beyond = (unsigned(at) - np.uint64(BEYOND)).view(np.int64)
    return np.where((at >= 0) & (at <= LATEST), at // 1000, beyond)


def signed(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def unsigned(at: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Numbers that rise as the moments do."""
    return at.view(np.uint64)


def rank(at: int) -> int:
    """A number that rises as the moments do."""
    return at % 2**64


def is_moment(at: int) -> bool:
    """Whether some moment is kept as this number."""
    return -(2**63) <= at < 2**63 and rank(at) <= MOST_MS + BEYOND


def within_calendar(at: NDArray[np.int64]) -> NDArray[np.int64]:
    """Microseconds since 1970, at most the calendar's last."""
    found: NDArray[Any] = np.minimum(unsigned(at), np.uint64(LATEST))
    return found.view(np.int64)


def moment(at: int) -> datetime:
    """The moment, at most the calendar's last day."""
    return EPOCH + timedelta(microseconds=min(rank(at), LATEST))
