"""What discussions put into people's inboxes: the things that they were asked to look at."""

from __future__ import annotations

from taxiway.discussions.contract import Thread
from taxiway.discussions.service import Discussions, asking
from taxiway.discussions.telling import page_of, quoted
from taxiway.notices.keeping import Todo
from taxiway.web.entries import short_ref


class LookTodos:
    """A source of things to do."""

    def __init__(self, discussions: Discussions) -> None:
        self.discussions = discussions

    def __call__(self, projects: list[str]) -> list[Todo]:
        with self.discussions.database.read() as connection:
            return [todo_of(each) for each in asking(connection, projects)]


def todo_of(thread: Thread) -> Todo:
    return Todo(
        key=thread.ref,
        kind="look",
        people=thread.waits_for,
        what=f"look at {short_ref(thread.thing)}, as {thread.by} asks",
        note=quoted(thread.comments[0].text) if thread.comments else "",
        url=page_of(thread),
        thing=thread.thing,
        project=thread.project,
        by=thread.by,
        since=thread.at,
    )
