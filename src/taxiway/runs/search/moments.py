"""Dates and durations as a filter writes them. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from taxiway.runs.search.filter import Ago, When

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
UNIT_NAMES = {
    "ms": "ms",
    "millisecond": "ms",
    "milliseconds": "ms",
    "s": "s",
    "sec": "s",
    "second": "s",
    "seconds": "s",
    "m": "m",
    "min": "m",
    "minute": "m",
    "minutes": "m",
    "h": "h",
    "hour": "h",
    "hours": "h",
    "d": "d",
    "day": "d",
    "days": "d",
    "w": "w",
    "week": "w",
    "weeks": "w",
}
PART = re.compile(r"\s*(\d{1,12}(?:\.\d{1,9})?)\s*([a-z]+)")
DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?", re.IGNORECASE
)
DURATIONS = 'a number of seconds or a duration such as "2h", "90 min" or "1h 30m"'
MOMENTS = (
    'a date such as "2026-11-01" or "2026-11-01 14:30" (UTC, or with its zone), "7 days ago", or a number of '
    "milliseconds since 1970"
)


def read_duration(text: str) -> float | None:
    """Seconds; None where the text is no duration.

    >>> read_duration("1h 30m")
    5400.0
    """
    total, at = 0.0, 0
    lowered = text.strip().lower()
    while at < len(lowered):
        match = PART.match(lowered, at)
        if match is None or match[2] not in UNIT_NAMES:
            return None
        total += float(match[1]) * UNITS_S[UNIT_NAMES[match[2]]]
        at = match.end()
    return total if lowered else None


def read_when(text: str) -> When | Ago | None:
    """The moment or span of time that a text names; None where it names none."""
    lowered = text.strip().lower()
    if lowered == "now":
        return Ago(0.0, text)
    if lowered.endswith("ago"):
        seconds = read_duration(lowered.removesuffix("ago"))
        return None if seconds is None or seconds > 1e10 else Ago(seconds, text)
    match = DATE.fullmatch(text.strip())
    return None if match is None else read_date(match, text)


def read_date(match: re.Match[str], text: str) -> When | None:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    shift = timedelta()
    if zone and zone.upper() != "Z":
        digits = zone[1:].replace(":", "")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])) * (-1 if zone[0] == "-" else 1)
    try:
        at = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
        at = at.replace(microsecond=int((fraction or "").ljust(6, "0"))) - shift
    except (ValueError, OverflowError):
        return None
    width = timedelta(days=1) if hour is None else timedelta(minutes=1) if second is None else timedelta(seconds=1)
    return When((at - EPOCH) // MICRO, 1 if fraction else width // MICRO, text)


def in_milliseconds(value: float) -> When:
    """A number of milliseconds since 1970, as MLflow counts: the whole millisecond."""
    whole = int(value)
    return When(whole * 1000, 1000, str(whole))


def span_of(value: When | Ago, now: datetime) -> tuple[int, int]:
    """The first microsecond of a span, and the first after it."""
    if isinstance(value, When):
        return value.at, value.at + value.width
    at = (now - EPOCH) // MICRO - round(value.seconds * 1e6)
    return at, at + 1
