"""The law of notices: when the next daily e-mail goes out, and which words of a change have something to do with
what waits for whom. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

# The nouns whose changes move what waits for people. Runs and data, which change all day, are not among them.
NOUNS = frozenset({"projects", "models", "gates", "endpoints", "monitors", "access", "discussions"})


def next_at(hour: int, at: datetime) -> datetime:
    """The next moment at which a day's hour begins, later than `at`."""
    today = at.replace(hour=hour, minute=0, second=0, microsecond=0)
    return today if today > at else today + timedelta(days=1)


def matters(verb: str) -> bool:
    """Whether a change with this verb may move what waits for somebody."""
    return verb.partition(".")[0] in NOUNS
