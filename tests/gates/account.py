"""What a walk knows of versions by itself: nothing of digests, only who did what since when.

It forgets approvals and waivers when something is changed, keeps authors in sets, and counts people, not tokens.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

PEOPLE = ("ana", "ben", "cleo", "dan")
QUORUM = 2
PATH = """\
path: {name}
mode: block
break_glass: [operator]
waivers: {{by: [validator], at_most: 30d}}
stages:
  staging:
    - card: {{}}
  production:
    - approvals: {{roles: [validator], count: 2, expires: {days}d}}
"""


class Clock:
    """A wall clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.at += timedelta(seconds=1)
        return self.at


Texts = tuple[str, ...]


class Given(NamedTuple):
    """An approval. of: the card it was given to. behalf: who had delegated the role."""

    of: Texts
    by: str
    behalf: str
    until: datetime


class Passed(NamedTuple):
    """A waiver of the card's gate. by: who granted it; nobody, while it is only asked for."""

    of: Texts
    asked_by: str
    by: str
    until: datetime


class Account:
    """What the walk itself knows of a version. A card that says again what it said once is the same card."""

    def __init__(self, author: str) -> None:
        self.author = author
        self.card: Texts = ()
        self.writer = ""
        self.judges: dict[Texts, str] = {}  # who ran the check, for each card that was looked at
        self.approvals: list[Given] = []
        self.waivers: dict[str, Passed] = {}
        self.glass_until: datetime | None = None
        self.is_allowed = False  # it was let into production, by whatever is allowed to

    @property
    def authors(self) -> set[str]:
        return {self.author, self.writer, self.judges.get(self.card, "")}

    @property
    def makers(self) -> set[str]:
        return {self.author, self.writer} - {""}

    def voices(self, at: datetime, validators: set[str]) -> int:
        """How many different people stand behind the approvals that count, each of them once."""
        people: set[str] = set()
        voices = 0
        for each in self.approvals:
            behind = {each.by, each.behalf} - {""}
            is_good = each.of == self.card and each.until > at and not behind & self.authors
            if is_good and (each.behalf or each.by) in validators and not behind & people:
                people |= behind
                voices += 1
        return voices

    def is_said(self, at: datetime, validators: set[str]) -> bool:
        """Whether the gate before staging is open: the card was found whole, or somebody answers for it."""
        waived = any(
            each.of == self.card and each.until > at and each.by in validators - self.authors - {each.asked_by}
            for each in self.waivers.values()
        )
        return self.card in self.judges and (bool(self.card) or waived)

    def forget(self) -> None:
        """Everything that was given to a state that is no more."""
        self.approvals.clear()
        self.waivers.clear()
