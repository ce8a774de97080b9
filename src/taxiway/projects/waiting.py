"""Whom something waits for: the one rule behind the portfolio, a project's page and everybody's inbox."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.notices.contract import TodoKind
from taxiway.notices.keeping import Todo
from taxiway.web.words import listed

MOST_KEY = 500
NOBODY = "nobody who may give it"
HOME = "the home's owner"  # who may do everything but approve
WaitKind = Literal["request", "alert", "step", "waiver", "review"]


class Wait(Struct, frozen=True):
    """Something to be done. people: who could do it now, by name.

    what: in words that follow "to". kind: a request for approval, an alert, the next step of a version, a waiver that
    was asked for, or a review that is due. key: the same while it is the same thing; by default its words and page.
    by, note: who asked, and what they said.
    """

    people: tuple[str, ...]
    what: str
    url: str
    since: datetime | None = None
    kind: WaitKind = "step"
    key: str = ""
    thing: str = ""
    by: str = ""
    note: str = ""

    @property
    def who(self) -> str:
        """Who could do it now, in words: "olu", "ana or olu"."""
        return listed(list(self.people), "or") or (NOBODY if self.kind == "request" else HOME)

    def is_for(self, caller: Caller) -> bool:
        """Whether it waits for the caller. The home's owner, who may do everything but approve, sees all."""
        return caller.name in self.people or caller.kind == "local"


KINDS: dict[WaitKind, TodoKind] = {
    "request": "approval",
    "alert": "alert",
    "step": "step",
    "waiver": "waiver",
    "review": "review",
}

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

    def todos(self, projects: list[str]) -> list[Todo]:
        """The same for everybody's inbox, where it is written down."""
        found = self.of(SYSTEM, [project for project in projects if project])
        return [todo_of(project, wait) for project, waits in found.items() for wait in waits]


def todo_of(project: str, wait: Wait) -> Todo:
    return Todo(
        key=wait.key or f"{wait.kind}:{wait.url}:{wait.what}"[:MOST_KEY],
        kind=KINDS[wait.kind],
        people=wait.people,
        what=wait.what,
        url=wait.url,
        project=project,
        thing=wait.thing,
        note=wait.note,
        by=wait.by,
        since=wait.since,
    )
