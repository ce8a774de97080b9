"""The calendar of monitors: where a window of event time begins and ends, and what it is called. UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from taxiway.monitors.terms import WindowSize


def start_of(at: datetime, size: WindowSize) -> datetime:
    """The beginning of the window that holds a moment; weeks begin on Monday.

    >>> start_of(datetime(2013, 4, 18, 7, tzinfo=UTC), "month")
    datetime.datetime(2013, 4, 1, 0, 0, tzinfo=datetime.timezone.utc)
    """
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if size == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if size == "week" else day


def end_of(start: datetime, size: WindowSize) -> datetime:
    """Where the window that begins then ends, and the next begins."""
    if size == "month":
        return start_of(start + timedelta(days=31), "month")
    return start + timedelta(days=7 if size == "week" else 1)


def name_of(start: datetime, size: WindowSize) -> str:
    """A window in words: "April 2013", "week of 1 Apr 2013", "1 Apr 2013"."""
    if size == "month":
        return f"{start:%B %Y}"
    day = f"{start.day} {start:%b %Y}"
    return f"week of {day}" if size == "week" else day


def short_name(start: datetime, size: WindowSize) -> str:
    """A window in few letters, for the head of a narrow column: "Apr '13", or the day that a day or week begins."""
    return f"{start:%b '%y}" if size == "month" else f"{start.day} {start:%b}"


def all_between(first: datetime, last: datetime, size: WindowSize, most: int) -> list[datetime]:
    """The beginnings of every window from the first to the last, both counted; only the `most` latest of them."""
    starts = [first]
    while starts[-1] < last:
        starts.append(end_of(starts[-1], size))
    return starts[-most:]
