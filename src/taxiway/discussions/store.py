"""Queries of discussions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Select, func, insert, or_, select, update

from taxiway.discussions.contract import Comment, ListThreads, Thread
from taxiway.discussions.rules import first_line, waiting
from taxiway.discussions.tables import comments, threads


def add(connection: Connection, thread: Thread) -> None:
    row = {name: value for name, value in asdict(thread).items() if name in threads.c}
    connection.execute(insert(threads).values(row | {"is_asking": bool(thread.asked)}))


def add_comment(connection: Connection, thread: str, comment: Comment) -> None:
    connection.execute(insert(comments).values(asdict(comment) | {"thread": thread}))
    connection.execute(update(threads).where(threads.c.id == thread).values(last_at=comment.at))


def change_comment(connection: Connection, thread: str, comment: Comment) -> None:
    here = (comments.c.thread == thread, comments.c.number == comment.number)
    connection.execute(update(comments).where(*here).values(asdict(comment)))


def turn(connection: Connection, thread: str, *, by: str, at: datetime | None) -> None:
    connection.execute(update(threads).where(threads.c.id == thread).values(resolved_by=by, resolved_at=at))


def find(connection: Connection, id_: str) -> Thread | None:
    return next(iter(read(connection, select(threads).where(threads.c.id == id_))), None)


def select_of(connection: Connection, projects: Collection[str] | None, body: ListThreads) -> list[Thread]:
    """Those in the projects (None is all), the latest word first."""
    query = select(threads)
    if projects is not None:
        query = query.where(threads.c.project.in_(projects))
    if body.thing:
        below = threads.c.thing.startswith(f"{body.thing}@", autoescape=True)
        query = query.where(or_(threads.c.thing == body.thing, below))
    if body.state != "all":
        is_open = body.state == "open"
        query = query.where(threads.c.resolved_at.is_(None) if is_open else threads.c.resolved_at.is_not(None))
    if body.whom:
        said = select(comments.c.thread).where(comments.c.by == body.whom)
        asked = threads.c.is_asking & threads.c.asked.contains(f'"{body.whom}"', autoescape=True)
        query = query.where(or_(threads.c.by == body.whom, threads.c.id.in_(said), asked))
    return read(connection, query.order_by(threads.c.last_at.desc(), threads.c.id.desc()).limit(body.limit))


def about(connection: Connection, things: Collection[str]) -> list[Thread]:
    """Those about any of the things, oldest first."""
    return read(connection, select(threads).where(threads.c.thing.in_(things)).order_by(threads.c.id))


def asking(connection: Connection, projects: Collection[str]) -> list[Thread]:
    """The open ones that somebody was asked to look in."""
    query = select(threads).where(threads.c.project.in_(projects), threads.c.resolved_at.is_(None))
    return read(connection, query.where(threads.c.is_asking).order_by(threads.c.id))


def matching(connection: Connection, projects: Collection[str] | None, text: str, most: int) -> list[Thread]:
    """Those in which something was said that holds the words."""
    said = select(comments.c.thread).where(comments.c.withdrawn_at.is_(None))
    said = said.where(func.lower(comments.c.text).contains(text.lower(), autoescape=True))
    query = select(threads).where(threads.c.id.in_(said))
    if projects is not None:
        query = query.where(threads.c.project.in_(projects))
    return read(connection, query.order_by(threads.c.last_at.desc()).limit(most))


def read(connection: Connection, query: Select[Any]) -> list[Thread]:
    rows = connection.execute(query).mappings().all()
    said: dict[str, list[Comment]] = {row["id"]: [] for row in rows}
    if said:
        found = select(comments).where(comments.c.thread.in_(said)).order_by(comments.c.thread, comments.c.number)
        for row in connection.execute(found).mappings():
            said[row["thread"]].append(shown({name: value for name, value in row.items() if name != "thread"}))
    return [thread_of(dict(row), said[row["id"]]) for row in rows]


def shown(row: dict[str, Any]) -> Comment:
    """A comment as people read it: of one that was withdrawn only that it was."""
    gone = {"text": "", "edits": [], "mentions": []} if row["withdrawn_at"] is not None else {}
    return Comment(**row | gone)


def thread_of(row: dict[str, Any], said: Sequence[Comment]) -> Thread:
    answered = [each.by for each in said if each.answer and each.withdrawn_at is None]
    kept = {name: value for name, value in row.items() if name in Thread.__struct_fields__}
    return Thread(
        **kept,
        state="open" if row["resolved_at"] is None else "resolved",
        opening=first_line(said[0].text) if said else "",
        waits_for=waiting(row["asked"], row["role"], answered),
        comments=list(said),
    )


def rename_model(connection: Connection, before: str, to: str) -> None:
    """What is said of a model follows its name."""
    head = f"model:{before}"
    here = or_(threads.c.thing == head, threads.c.thing.startswith(f"{head}@", autoescape=True))
    for id_, thing in connection.execute(select(threads.c.id, threads.c.thing).where(here)).all():
        renamed = f"model:{to}{thing[len(head) :]}"
        connection.execute(update(threads).where(threads.c.id == id_).values(thing=renamed))
