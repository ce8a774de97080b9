"""Queries of stores."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import Connection, delete, func, insert, select, update

from taxiway.storage.rows import inserting
from taxiway.stores.contract import Store
from taxiway.stores.tables import placed, stores


class Placed(Struct, frozen=True):
    """A file in a store. digest: empty until it was read once."""

    ref: str
    store: str
    place: str
    size_bytes: int
    digest: str = ""


def all_stores(connection: Connection) -> list[Store]:
    """By name."""
    counting = select(placed.c.store, func.count()).group_by(placed.c.store)
    files = {row[0]: row[1] for row in connection.execute(counting)}
    rows = connection.execute(select(stores).order_by(stores.c.name)).mappings()
    return [Store(**row, files=files.get(row["name"], 0)) for row in rows]


def add(connection: Connection, store: Store) -> None:
    names = ("name", "url", "added_by", "added_at")
    connection.execute(insert(stores).values({name: getattr(store, name) for name in names}))


def remove(connection: Connection, name: str) -> None:
    connection.execute(delete(stores).where(stores.c.name == name))


def put_placed(connection: Connection, files: Sequence[Placed]) -> None:
    """Adds files; one that is there stays as it is."""
    adding = inserting(connection, placed)
    names = Placed.__struct_fields__
    rows = [{name: getattr(file, name) for name in names} for file in files]
    if rows:
        connection.execute(adding.on_conflict_do_nothing(), rows)


def find_placed(connection: Connection, ref: str) -> Placed | None:
    row = connection.execute(select(placed).where(placed.c.ref == ref)).mappings().first()
    return Placed(**row) if row else None


def with_digest(connection: Connection, digest: str) -> list[Placed]:
    rows = connection.execute(select(placed).where(placed.c.digest == digest).order_by(placed.c.ref)).mappings()
    return [Placed(**row) for row in rows]


def set_digest(connection: Connection, ref: str, digest: str) -> None:
    connection.execute(update(placed).where(placed.c.ref == ref, placed.c.digest == "").values(digest=digest))


def has_any(connection: Connection) -> bool:
    return connection.execute(select(placed.c.ref).limit(1)).first() is not None
