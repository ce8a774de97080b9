"""Queries of evidence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, insert, select, update
from sqlalchemy.engine import RowMapping

from taxiway.evidence.contract import KeyState, ListStatements, PublicKey, Statement, Trust
from taxiway.evidence.dsse import Envelope
from taxiway.evidence.statement import Subject
from taxiway.evidence.tables import keys, statements, subjects

COLUMNS = [column for column in statements.c if column.name != "envelope"]
NAMES = [column.name for column in COLUMNS]
# Asked in every change that says something, so they are not made anew each time.
MAY_SIGN = (
    select(keys.c.id)
    .where(keys.c.retired_at.is_(None), keys.c.revoked_at.is_(None))
    .order_by(keys.c.made_at.desc(), keys.c.id)
)
ADD_STATEMENT, ADD_SUBJECT = insert(statements), insert(subjects)


def add(connection: Connection, found: Sequence[tuple[Statement, Envelope]]) -> None:
    rows, about = [], []
    for statement, envelope in found:
        rows.append({**{name: getattr(statement, name) for name in NAMES}, "envelope": envelope})
        named = {(each.digest, each.name) for each in statement.subjects}
        about += [{"digest": digest, "statement": statement.id, "name": name} for digest, name in sorted(named)]
    connection.execute(ADD_STATEMENT, rows)
    if about:
        connection.execute(ADD_SUBJECT, about)


def find(connection: Connection, statement: str) -> tuple[Statement, Envelope] | None:
    row = connection.execute(select(statements).where(statements.c.id == statement)).mappings().first()
    return (read(connection, [row])[0], row["envelope"]) if row else None


def with_digest(connection: Connection, digest: str) -> Statement | None:
    """The first statement of these signed bytes."""
    query = select(*COLUMNS).where(statements.c.digest == digest).order_by(statements.c.id).limit(1)
    return next(iter(read(connection, connection.execute(query).mappings().all())), None)


def listed(connection: Connection, ask: ListStatements, projects: list[str] | None) -> list[Statement]:
    """Newest first. projects: what may be seen; None is everything."""
    query = narrowed(select(*COLUMNS), ask, projects).order_by(statements.c.id.desc()).limit(ask.limit)
    return read(connection, connection.execute(query).mappings().all())


def envelopes_about(connection: Connection, thing: str) -> list[tuple[Statement, Envelope]]:
    """All that was said of a thing, oldest first, with the envelopes."""
    query = select(statements).where(statements.c.thing == thing).order_by(statements.c.id)
    rows = connection.execute(query).mappings().all()
    return list(zip(read(connection, rows), [row["envelope"] for row in rows], strict=True))


def narrowed(query: Select[Any], ask: ListStatements, projects: list[str] | None) -> Select[Any]:
    if projects is not None:
        query = query.where(statements.c.project.in_(projects))
    if ask.subject:
        about = select(subjects.c.statement).where(subjects.c.digest == ask.subject)
        query = query.where(statements.c.id.in_(about))
    if ask.thing:
        query = query.where(statements.c.thing == ask.thing)
    if ask.predicate_type:
        query = query.where(statements.c.predicate_type == ask.predicate_type)
    if ask.before:
        query = query.where(statements.c.id < ask.before)
    return query


def read(connection: Connection, rows: Sequence[RowMapping]) -> list[Statement]:
    """Statements with their subjects, trusted as far as their keys are now."""
    ids = [row["id"] for row in rows]
    about: dict[str, list[Subject]] = {}
    for found in connection.execute(
        select(subjects).where(subjects.c.statement.in_(ids)).order_by(subjects.c.name)
    ).mappings():
        about.setdefault(found["statement"], []).append(Subject(found["name"], found["digest"]))
    known = {key.id: key for key in all_keys(connection)}
    made = []
    for row in rows:
        trust, because = trust_in(known.get(row["key"]), row["at"])
        values = {c.name: row[c.name] for c in COLUMNS}
        made.append(Statement(**values, subjects=about.get(row["id"], []), trust=trust, because=because))
    return made


def trust_in(key: PublicKey | None, at: datetime | None) -> tuple[Trust, str]:
    """How far something that a key signed at some time is to be believed, and why not. at: None where nobody knows."""
    if key is None:
        return "bad", "no key of this platform signed it"
    if key.revoked_at is None:
        return "good", ""
    since = f"its key was revoked as of {key.revoked_at:%Y-%m-%d %H:%M} UTC: {key.because}"
    return ("bad", since) if at is None or at >= key.revoked_at else ("marked", f"it is older, but {since}")


def rename_things(connection: Connection, before: str, after: str) -> None:
    """Gives all things whose references begin with `before` ones that begin with `after`."""
    begins = statements.c.thing.startswith(before, autoescape=True)
    for thing in connection.execute(select(statements.c.thing).where(begins).distinct()).scalars().all():
        renamed = after + thing.removeprefix(before)
        connection.execute(update(statements).where(statements.c.thing == thing).values(thing=renamed))


# --- keys ---


def all_keys(connection: Connection) -> list[PublicKey]:
    """Newest first."""
    found = connection.execute(select(keys).order_by(keys.c.made_at.desc(), keys.c.id)).mappings()
    return [read_key(row) for row in found]


def read_key(row: RowMapping) -> PublicKey:
    state: KeyState = "revoked" if row["revoked_at"] else "retired" if row["retired_at"] else "signs"
    return PublicKey(**{c.name: row[c.name] for c in keys.c}, state=state)


def find_key(connection: Connection, key: str) -> PublicKey | None:
    row = connection.execute(select(keys).where(keys.c.id == key)).mappings().first()
    return read_key(row) if row else None


def signing(connection: Connection) -> list[str]:
    """The keys that may sign, newest first."""
    return list(connection.execute(MAY_SIGN).scalars())


def known_among(connection: Connection, names: Collection[str]) -> set[str]:
    return set(connection.execute(select(keys.c.id).where(keys.c.id.in_(names))).scalars())


def add_key(connection: Connection, key: PublicKey) -> None:
    values = msgspec.structs.asdict(key)
    del values["state"]
    connection.execute(insert(keys).values(values))


def retire(connection: Connection, key: str, at: datetime) -> None:
    connection.execute(update(keys).where(keys.c.id == key, keys.c.retired_at.is_(None)).values(retired_at=at))


def revoke(connection: Connection, key: str, at: datetime, *, by: str, because: str) -> None:
    changed = {"revoked_at": at, "revoked_by": by, "because": because}
    connection.execute(update(keys).where(keys.c.id == key).values(changed))
