"""Blocks of time that are clusters: hours, days and weeks, in UTC. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

SPANS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7)}
MONDAY: Final = datetime(1970, 1, 5, tzinfo=UTC)


def start_of(at: datetime, unit: str) -> datetime:
    """The beginning of the hour, day or week (from Monday) that holds a moment, in UTC.

    >>> start_of(datetime(2013, 7, 4, 5, 6, tzinfo=UTC), "week").day
    1
    """
    return MONDAY + (at - MONDAY) // SPANS[unit] * SPANS[unit]


def name_of(start: datetime, unit: str) -> str:
    return f"{start:%Y-%m-%d %H:00}" if unit == "hour" else f"{start:%Y-%m-%d}"
