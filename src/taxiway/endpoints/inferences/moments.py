"""Which moments a row may be about. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

FIRST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=3_660)  # what is predicted may lie ahead: a flight next month, a loan in ten years
PLAUSIBLE = f"a time between {FIRST:%Y} and ten years from now"


def is_plausible(event_at: datetime, now: datetime) -> bool:
    """Whether something may have happened then, or will. A slip, such as of the year 1, opens windows without end."""
    return FIRST <= event_at <= now + AHEAD
