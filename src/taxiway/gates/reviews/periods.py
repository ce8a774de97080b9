"""When a model in use is looked at again: by its tier, or as its path says. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from taxiway.gates.reviews.contract import Review, ReviewState
from taxiway.projects.contract import RiskTier

EVERY: dict[RiskTier, int] = {"high": 180, "medium": 365, "low": 730}  # days
SOON = timedelta(days=30)
SPAN = re.compile(r"([1-9][0-9]{0,3})d")
LONGEST_DAYS = 3650


class ReviewAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """every: how often a version in use is looked at again, as days, such as 180d."""

    every: str

    def __post_init__(self) -> None:
        found = SPAN.fullmatch(self.every)
        if not found or int(found[1]) > LONGEST_DAYS:
            raise ValueError(f"every as days, such as 180d, at most {LONGEST_DAYS}d")

    @property
    def days(self) -> int:
        return int(self.every.removesuffix("d"))


def asked_in(review: ReviewAsk | UnsetType) -> dict[str, Any]:
    """What the digest of a path holds of its key `review`: nothing where it has none."""
    return {} if review is UNSET else {"review": review.days}


def due_at(since: datetime, last: Review | None, every_days: int) -> datetime:
    """When the next review is due: a period after the version came to its stage, or as the last review says.

    A review that wants the version gone was due when it was recorded, and stays so. One from before the version came
    to its stage does not count.
    """
    entered = since + timedelta(days=every_days)
    if last is None or last.at < since:
        return entered
    if last.outcome == "retire":
        return last.at
    return min(last.due_at, last.at + timedelta(days=every_days))


def state_at(due: datetime, now: datetime) -> ReviewState:
    if due <= now:
        return "overdue"
    return "due soon" if due - now <= SOON else "ok"


@lru_cache(maxsize=256)
def path_days(text: str, read: Any) -> int | None:
    """The days that a path's text says between reviews; None where it says nothing. read: reads the text."""
    found = read(text).review
    return None if found is UNSET else found.days
