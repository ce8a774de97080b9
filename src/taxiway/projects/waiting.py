"""Whom something waits for: the one rule behind the portfolio, a project's page and everybody's inbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.web.words import listed

NOBODY = "nobody who may give it"
HOME = "the home's owner"  # who may do everything but approve
WaitKind = Literal["request", "alert", "step"]


class Wait(Struct, frozen=True):
    """Something to be done. people: who could do it now, by name.

    what: in words that follow "to". kind: a request for approval, an alert, or the next step of a version.
    """

    people: tuple[str, ...]
    what: str
    url: str
    since: datetime | None = None
    kind: WaitKind = "step"

    @property
    def who(self) -> str:
        """Who could do it now, in words: "olu", "ana or olu"."""
        return listed(list(self.people), "or") or (NOBODY if self.kind == "request" else HOME)

    def is_for(self, caller: Caller) -> bool:
        """Whether it stands in the caller's inbox. The home's owner, who may do everything but approve, sees all."""
        return caller.name in self.people or caller.kind == "local"


Waiter = Callable[[Caller, list[str]], dict[str, list[Wait]]]
"""Given the caller and names of projects, what waits in each of those. One call for all."""


class Waiting:
    """What waits for people, as the nouns above tell it. Nobody here asks them by name."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.waiters: list[Waiter] = []

    def who_could(self, project: str, needs: str, *, first: str = "") -> tuple[str, ...]:
        """The people who may do it in a project, or `first` alone where they are among them: whose work it is."""
        able = self.access.people_who_may(needs, project)
        return (first,) if first in able else tuple(able)

    def of(self, caller: Caller, projects: list[str]) -> dict[str, list[Wait]]:
        """What waits in each of the projects; there is an entry for every one of them."""
        found: dict[str, list[Wait]] = {project: [] for project in projects}
        for waiter in self.waiters if projects else []:
            for project, waits in waiter(caller, projects).items():
                if project in found:
                    found[project] += waits
        return found

    def inbox(self, caller: Caller, projects: list[str]) -> list[tuple[str, Wait]]:
        """What waits for the caller, each with its project, the longest waiting first."""
        found = [(project, wait) for project, waits in self.of(caller, projects).items() for wait in waits]
        mine = [each for each in found if each[1].is_for(caller)]
        return sorted(mine, key=lambda each: each[1].since.timestamp() if each[1].since else 0.0)
