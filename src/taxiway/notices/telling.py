"""Telling people: a notice is written with the change that it tells of, and the e-mail with it, or none is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

from taxiway.audit.service import Record
from taxiway.kernel.ids import new_id
from taxiway.notices import store
from taxiway.notices.contract import NoticeKind
from taxiway.notices.rules import next_at


class News(Struct, frozen=True):
    """Something that people are told of. what: in words. note: what was said."""

    kind: NoticeKind
    what: str
    url: str
    thing: str = ""
    project: str = ""
    note: str = ""


def tell(record: Record, people: Collection[str], news: News) -> None:
    """Puts news into the inbox of each, but not of who brings it about."""
    told = sorted(set(people) - {record.caller.name})
    rows = [row_of(each, news, record) for each in told]
    post(record.connection, rows, record.at)


def row_of(person: str, news: News, record: Record) -> dict[str, Any]:
    id_ = new_id()
    return {
        "id": id_,
        "person": person,
        "key": f"{news.kind}:{id_}",
        "kind": news.kind,
        "is_todo": False,
        "project": news.project,
        "thing": news.thing,
        "what": news.what,
        "note": news.note,
        "url": news.url,
        "by": record.caller.name,
        "made_at": record.at,
    }


def post(connection: Connection, rows: Collection[Mapping[str, Any]], at: datetime) -> None:
    """Keeps notices, and puts those of whoever wants e-mail into a letter: one at once for all of a change, or the
    next daily one."""
    if not rows:
        return
    wishes = store.wishes(connection, sorted({row["person"] for row in rows}))
    letters: dict[str, str] = {}
    for person, wish in wishes.items():
        if wish.delivery == "daily":
            due = next_at(wish.hour, at)
            letters[person] = store.open_daily(connection, person) or store.add_letter(
                connection, person, "daily", at=at, due=due
            )
        elif wish.delivery == "at_once":
            letters[person] = store.add_letter(connection, person, "at_once", at=at, due=at)
    empty = {"read_at": None, "done_at": None, "gone_at": None}
    store.put(connection, [{**empty, **row, "letter": letters.get(row["person"], "")} for row in rows])
