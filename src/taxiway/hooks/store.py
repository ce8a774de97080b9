"""Queries of hooks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from taxiway.hooks.contract import Delivery, Hook
from taxiway.hooks.tables import deliveries, hooks

SHOWN = tuple(deliveries.c[name] for name in Delivery.__struct_fields__)


class Kept(Struct, frozen=True):
    """A hook with its sealed secret."""

    hook: Hook
    secret: bytes | None


class Claimed(Struct, frozen=True):
    """A delivery that is to be made now. attempts: this one included."""

    id: str
    event: str
    body: str
    attempts: int
    kept: Kept


# --- hooks ---


def add(connection: Connection, hook: Hook, secret: bytes | None) -> None:
    row = {column.name: getattr(hook, column.name) for column in hooks.c if column.name != "secret"}
    connection.execute(insert(hooks).values(row | {"secret": secret}))


def change(connection: Connection, id_: str, **values: Any) -> None:
    connection.execute(update(hooks).where(hooks.c.id == id_).values(values))


def remove(connection: Connection, id_: str) -> None:
    connection.execute(delete(deliveries).where(deliveries.c.hook == id_))
    connection.execute(delete(hooks).where(hooks.c.id == id_))


def find(connection: Connection, named: str) -> list[Kept]:
    """The hooks of that id or, where there is none, of that name."""
    for column in (hooks.c.id, hooks.c.name):
        rows = connection.execute(select(hooks).where(column == named).order_by(hooks.c.id)).mappings().all()
        if rows:
            return [kept_of(connection, row) for row in rows]
    return []


def all_hooks(connection: Connection) -> list[Hook]:
    """In the order in which they were made."""
    rows = connection.execute(select(hooks).order_by(hooks.c.id)).mappings().all()
    return [kept_of(connection, row).hook for row in rows]


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(hooks)).scalar_one()


def wanting(connection: Connection, event: str) -> list[str]:
    """The ids of the active hooks that are told of an event."""
    rows = connection.execute(select(hooks.c.id, hooks.c.events).where(hooks.c.is_active))
    return [row[0] for row in rows if event in row[1]]


def kept_of(connection: Connection, row: RowMapping) -> Kept:
    plain = {column.name: row[column.name] for column in hooks.c if column.name != "secret"}
    hook = Hook(
        **plain,
        has_secret=row["secret"] is not None,
        waiting=waiting(connection, row["id"]),
        last=next(iter(last_tried(connection, row["id"])), None),
    )
    return Kept(hook, row["secret"])


# --- deliveries ---


def put(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        connection.execute(insert(deliveries), rows)


def waiting(connection: Connection, hook: str) -> int:
    query = select(func.count()).where(deliveries.c.hook == hook, deliveries.c.state == "waiting")
    return connection.execute(query).scalar_one()


def deliveries_of(connection: Connection, hook: str, limit: int) -> list[Delivery]:
    """Newest first."""
    query = select(*SHOWN).where(deliveries.c.hook == hook).order_by(deliveries.c.id.desc()).limit(limit)
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def last_tried(connection: Connection, hook: str) -> list[Delivery]:
    query = select(*SHOWN).where(deliveries.c.hook == hook, deliveries.c.tried_at.is_not(None))
    query = query.order_by(deliveries.c.tried_at.desc(), deliveries.c.id.desc()).limit(1)
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def due(connection: Connection, at: datetime) -> list[str]:
    """The ids of active hooks for which something is to be delivered now."""
    query = select(deliveries.c.hook).join(hooks, hooks.c.id == deliveries.c.hook).where(hooks.c.is_active)
    query = query.where(deliveries.c.state == "waiting", deliveries.c.due_at <= at).distinct()
    return list(connection.execute(query).scalars())


def claim(connection: Connection, hook: str, at: datetime, until: datetime) -> Claimed | None:
    """The delivery that has been due longest, which nobody else gets before `until`."""
    kept = next(iter(find(connection, hook)), None)
    if kept is None or not kept.hook.is_active:
        return None
    query = select(deliveries).where(
        deliveries.c.hook == hook, deliveries.c.state == "waiting", deliveries.c.due_at <= at
    )
    query = query.order_by(deliveries.c.due_at, deliveries.c.id).limit(1).with_for_update(skip_locked=True)
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    attempts = row["attempts"] + 1
    settle(connection, row["id"], attempts=attempts, due_at=until, tried_at=at, status=0, error="")
    return Claimed(row["id"], row["event"], row["body"], attempts, kept)


def settle(connection: Connection, id_: str, **values: Any) -> None:
    connection.execute(update(deliveries).where(deliveries.c.id == id_).values(values))


def release(connection: Connection, at: datetime) -> None:
    """Has everything that was claimed be due again: who claimed it is no more."""
    held = (deliveries.c.state == "waiting", deliveries.c.error == "", deliveries.c.attempts > 0)
    connection.execute(update(deliveries).where(*held).values(due_at=at))


def end(connection: Connection, hook: str, *, is_delivered: bool) -> None:
    """Counts a delivery that ended."""
    column = hooks.c.delivered if is_delivered else hooks.c.given_up
    connection.execute(update(hooks).where(hooks.c.id == hook).values({column: column + 1}))


def drop(connection: Connection, hook: str) -> None:
    """Counts a delivery that was not kept."""
    connection.execute(update(hooks).where(hooks.c.id == hook).values(dropped=hooks.c.dropped + 1))


def prune(connection: Connection, hook: str, keep: int) -> None:
    """Takes away all deliveries that ended but the newest."""
    ended = (deliveries.c.hook == hook, deliveries.c.state != "waiting")
    nth = select(deliveries.c.id).where(*ended).order_by(deliveries.c.id.desc()).offset(keep).limit(1)
    oldest = connection.execute(nth).scalar()
    if oldest is not None:
        connection.execute(delete(deliveries).where(*ended, deliveries.c.id <= oldest))
