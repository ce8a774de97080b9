"""Keeps what waits for people written down, so that nobody has to judge every version to count it.

Each change marks its project, in its own transaction. What waits in a marked project is then looked up once, from
every noun that knows of some, and written down together with the e-mails about what is new. A mark goes only if the
project did not change meanwhile; otherwise it is looked up again. So nothing is lost when a process ends in between,
and of several servers only the one whose look was the latest writes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from threading import Lock
from typing import Any

from msgspec import Struct

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.ids import new_id
from taxiway.notices import store
from taxiway.notices.contract import TodoKind
from taxiway.notices.rules import matters
from taxiway.notices.telling import post
from taxiway.storage.writes import Change

PLATFORM = ""
EVERYWHERE = "*"  # a mark for every project, by who cannot say which
LOCAL = "local"  # who works without sign-in has an inbox, too
MOST_LOOKS = 5  # at a project that changes while it is looked at


class Todo(Struct, frozen=True, kw_only=True):
    """Something that waits in a project. key: the same while it is the same thing. people: who could do it now."""

    key: str
    kind: TodoKind
    people: Collection[str]
    what: str
    url: str
    project: str
    thing: str = ""
    note: str = ""
    by: str = ""
    since: datetime | None = None


Source = Callable[[list[str]], Iterable[Todo]]
"""Given names of projects, what waits in each; the empty name is the platform's own."""


class Keeper:
    """sources: what knows of things to do; nouns add theirs. names: every project."""

    def __init__(self, ledger: Ledger) -> None:
        self.database = ledger.database
        self.writer = ledger.writer
        self.sources: list[Source] = []
        self.names: Callable[[], list[str]] = list
        self.lock = Lock()
        ledger.before_entries.append(mark)

    def mark_all(self) -> None:
        """Has everything be looked up again: time alone makes reviews and findings overdue."""
        self.writer.write(lambda change: store.put_mark(change.connection, EVERYWHERE))

    def mark(self, projects: Collection[str]) -> None:
        def put(change: Change) -> None:
            for project in projects:
                store.put_mark(change.connection, project)

        self.writer.write(put)

    def is_settled(self) -> bool:
        with self.database.read() as connection:
            return not store.marked(connection)

    def settle(self, *, everywhere: bool = True) -> None:
        """Writes down what waits in every project that changed. everywhere: also where only a mark for all says so."""
        for _ in range(MOST_LOOKS):
            with self.database.read() as connection:
                marked = store.marked(connection)
            if EVERYWHERE in marked and everywhere:
                self._spread(marked[EVERYWHERE])
                continue
            marked.pop(EVERYWHERE, None)
            if not marked:
                return
            with self.lock:
                self._settle(marked)

    def _spread(self, serial: str) -> None:
        """Turns the mark for all into one for each project."""
        names = [PLATFORM, *self.names()]

        def spread(change: Change) -> None:
            if store.take_mark(change.connection, EVERYWHERE, serial):
                for name in names:
                    store.put_mark(change.connection, name)

        self.writer.write(spread)

    def _settle(self, marked: dict[str, str]) -> None:
        found: dict[str, list[Todo]] = {project: [] for project in marked}
        for source in self.sources:
            for todo in source(list(marked)):
                if todo.project in found:
                    found[todo.project].append(todo)

        def write(change: Change) -> None:
            for project, todos in found.items():
                if store.take_mark(change.connection, project, marked[project]):
                    keep(change, project, todos)

        self.writer.write(write)


def mark(record: Record) -> None:
    """Marks the project of a change that may move what waits for somebody."""
    if matters(record.verb):
        is_wide = record.project is None and record.verb.startswith("access.")
        store.put_mark(record.connection, EVERYWHERE if is_wide else record.project or PLATFORM)


def keep(change: Change, project: str, todos: Iterable[Todo]) -> None:
    """Makes what is written down of a project what waits there: the new is told, what is over goes."""
    standing = store.standing(change.connection, project)
    wanted = {(person, todo.key): todo for todo in todos for person in {*todo.people, LOCAL}}
    new = [
        row_of(person, todo, change.at) for (person, _), todo in wanted.items() if (person, todo.key) not in standing
    ]
    for place, row in standing.items():
        todo = wanted.get(place)
        if todo is not None and (row["what"], row["note"], row["url"]) != (todo.what, todo.note, todo.url):
            store.change(change.connection, row["id"], what=todo.what, note=todo.note, url=todo.url)
    store.end(change.connection, [row["id"] for place, row in standing.items() if place not in wanted], change.at)
    post(change.connection, new, change.at)


def row_of(person: str, todo: Todo, at: datetime) -> dict[str, Any]:
    told = {name: getattr(todo, name) for name in ("key", "kind", "project", "thing", "what", "note", "url", "by")}
    return {**told, "id": new_id(), "person": person, "is_todo": True, "made_at": todo.since or at}
