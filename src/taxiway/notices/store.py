"""Queries of notices and of the e-mails that carry them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, func, insert, or_, select, update

from taxiway.kernel.ids import new_id
from taxiway.notices.contract import Letter, ListNotices, Notice
from taxiway.notices.tables import letters, marks, notices, people

SHOWN = tuple(notices.c[name] for name in Notice.__struct_fields__)
LETTER = tuple(letters.c[name] for name in Letter.__struct_fields__)
WAITING = and_(notices.c.done_at.is_(None), notices.c.gone_at.is_(None))
COUNTS = and_(WAITING, or_(notices.c.is_todo, notices.c.read_at.is_(None)))


class Wish(Struct, frozen=True):
    """Whether and where somebody wants e-mail."""

    address: str
    delivery: str
    hour: int


class Claimed(Struct, frozen=True):
    """A letter that is to be sent now. attempts: this one included."""

    id: str
    person: str
    address: str
    attempts: int
    made_at: datetime
    notices: Sequence[Notice]


# --- notices ---


def put(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(insert(notices), [dict(row) for row in rows])


def mine(person: str, projects: Collection[str] | None) -> ColumnElement[bool]:
    """Those of a person, as far as they may still read the projects (None is all)."""
    here = notices.c.person == person
    return here if projects is None else and_(here, notices.c.project.in_([*projects, ""]))


def count(connection: Connection, person: str, projects: Collection[str] | None) -> int:
    query = select(func.count()).select_from(notices).where(mine(person, projects), COUNTS)
    return connection.execute(query).scalar_one()


def select_of(connection: Connection, person: str, projects: Collection[str] | None, body: ListNotices) -> list[Notice]:
    """Newest first."""
    query = select(*SHOWN).where(mine(person, projects))
    match body.show:
        case "waiting":
            query = query.where(WAITING)
        case "unread":
            query = query.where(WAITING, notices.c.read_at.is_(None))
        case "done":
            query = query.where(or_(notices.c.done_at.is_not(None), notices.c.gone_at.is_not(None)))
        case "all":
            pass
    for name in ("kind", "project"):
        if value := getattr(body, name):
            query = query.where(notices.c[name] == value)
    if body.before:
        query = query.where(notices.c.id < body.before)
    rows = connection.execute(query.order_by(notices.c.id.desc()).limit(body.limit)).mappings()
    return [Notice(**row) for row in rows]


def one_of(connection: Connection, person: str, projects: Collection[str] | None, id_: str) -> Notice | None:
    row = connection.execute(select(*SHOWN).where(mine(person, projects), notices.c.id == id_)).mappings().first()
    return None if row is None else Notice(**row)


def mark(connection: Connection, person: str, ids: Collection[str], **values: Any) -> int:
    """Changes a person's notices: those named, or all that wait where none is."""
    query = update(notices).where(notices.c.person == person)
    query = query.where(notices.c.id.in_(ids)) if ids else query.where(WAITING)
    return connection.execute(query.values(values)).rowcount


def standing(connection: Connection, project: str) -> dict[tuple[str, str], RowMapping]:
    """What is written down as to be done in a project, by person and key."""
    here = (notices.c.project == project, notices.c.is_todo, notices.c.gone_at.is_(None))
    rows = connection.execute(select(notices).where(*here)).mappings().all()
    return {(row["person"], row["key"]): row for row in rows}


def change(connection: Connection, id_: str, **values: Any) -> None:
    connection.execute(update(notices).where(notices.c.id == id_).values(values))


def end(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    if ids:
        connection.execute(update(notices).where(notices.c.id.in_(ids)).values(gone_at=at))


def prune(connection: Connection, before: datetime) -> None:
    """Forgets what was over long ago."""
    over = or_(notices.c.done_at < before, notices.c.gone_at < before)
    connection.execute(delete(notices).where(over, or_(notices.c.is_todo.is_(False), notices.c.gone_at < before)))
    connection.execute(delete(letters).where(letters.c.state != "waiting", letters.c.made_at < before))


def rename_model(connection: Connection, before: str, to: str) -> None:
    """What tells of a model follows its name."""
    head, page = f"model:{before}", f"/models/{before}"
    here = or_(notices.c.thing == head, notices.c.thing.startswith(f"{head}@", autoescape=True))
    for row in connection.execute(select(notices.c.id, notices.c.thing, notices.c.url).where(here)).mappings().all():
        url = row["url"]
        renamed = f"/models/{to}{url[len(page) :]}" if url.startswith(page) else url
        change(connection, row["id"], thing=f"model:{to}{row['thing'][len(head) :]}", url=renamed)


# --- what changed since ---


def put_mark(connection: Connection, project: str) -> None:
    serial = new_id()
    done = connection.execute(update(marks).where(marks.c.project == project).values(serial=serial))
    if not done.rowcount:
        connection.execute(insert(marks).values(project=project, serial=serial))


def marked(connection: Connection) -> dict[str, str]:
    """The projects that changed, each with the serial of its last change."""
    return {row.project: row.serial for row in connection.execute(select(marks.c.project, marks.c.serial))}


def take_mark(connection: Connection, project: str, serial: str) -> bool:
    """Whether the project changed no more since that serial; then it counts as written down."""
    here = (marks.c.project == project, marks.c.serial == serial)
    return bool(connection.execute(delete(marks).where(*here)).rowcount)


# --- wishes ---


def wish_of(connection: Connection, person: str) -> Wish | None:
    return wishes(connection, [person], is_any=True).get(person)


def wishes(connection: Connection, persons: Sequence[str], *, is_any: bool = False) -> dict[str, Wish]:
    """What those people want who want e-mail; with is_any also of those who want none."""
    query = select(people).where(people.c.person.in_(persons))
    if not is_any:
        query = query.where(people.c.delivery != "none", people.c.address != "")
    rows = connection.execute(query).mappings()
    return {row["person"]: Wish(row["address"], row["delivery"], row["hour"]) for row in rows}


def keep_wish(connection: Connection, person: str, wish: Wish) -> None:
    connection.execute(delete(people).where(people.c.person == person))
    row = {"person": person, "address": wish.address, "delivery": wish.delivery, "hour": wish.hour}
    connection.execute(insert(people).values(row))


# --- letters ---


def open_daily(connection: Connection, person: str) -> str | None:
    """The daily letter that somebody is about to get: nobody has begun to send it."""
    here = (letters.c.person == person, letters.c.kind == "daily", letters.c.state == "waiting")
    return connection.execute(select(letters.c.id).where(*here, letters.c.attempts == 0).limit(1)).scalar()


def add_letter(connection: Connection, person: str, kind: str, *, at: datetime, due: datetime) -> str:
    row = {"id": new_id(), "person": person, "kind": kind, "state": "waiting", "attempts": 0}
    connection.execute(insert(letters).values(row | {"made_at": at, "due_at": due, "error": ""}))
    return str(row["id"])


def has_due(connection: Connection, at: datetime) -> bool:
    query = select(letters.c.id).where(letters.c.state == "waiting", letters.c.due_at <= at).limit(1)
    return connection.execute(query).first() is not None


def claim(connection: Connection, at: datetime, until: datetime) -> Claimed | None:
    """The letter that has been due longest, which nobody else gets before `until`."""
    query = select(letters).where(letters.c.state == "waiting", letters.c.due_at <= at)
    query = query.order_by(letters.c.due_at, letters.c.id).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    settle(connection, row["id"], attempts=row["attempts"] + 1, due_at=until, tried_at=at, error="")
    wish = wish_of(connection, row["person"])
    wanted = wish is not None and wish.delivery != "none"
    held = connection.execute(select(*SHOWN).where(notices.c.letter == row["id"]).order_by(notices.c.id)).mappings()
    return Claimed(
        id=row["id"],
        person=row["person"],
        address=wish.address if wish and wanted else "",
        attempts=row["attempts"] + 1,
        made_at=row["made_at"],
        notices=[Notice(**each) for each in held],
    )


def settle(connection: Connection, id_: str, **values: Any) -> None:
    connection.execute(update(letters).where(letters.c.id == id_).values(values))


def release(connection: Connection, at: datetime) -> None:
    """Has every letter that was claimed be due again: who claimed it is no more."""
    held = (letters.c.state == "waiting", letters.c.error == "", letters.c.attempts > 0)
    connection.execute(update(letters).where(*held).values(due_at=at))


def last_letters(connection: Connection, most: int) -> list[Letter]:
    rows = connection.execute(select(*LETTER).order_by(letters.c.id.desc()).limit(most)).mappings()
    return [Letter(**row) for row in rows]
