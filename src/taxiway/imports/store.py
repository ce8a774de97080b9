"""Queries of imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from sqlalchemy import Connection, func, insert, select

from taxiway.imports.contract import Import
from taxiway.imports.tables import imported, imports
from taxiway.storage.rows import inserting

AT_ONCE = 500  # SQLite's statements hold a bounded number of values


def find(connection: Connection, source: str) -> Import | None:
    row = connection.execute(select(imports).where(imports.c.source == source)).mappings().first()
    return Import(**row) if row else None


def all_imports(connection: Connection) -> list[Import]:
    """Oldest first."""
    return [Import(**row) for row in connection.execute(select(imports).order_by(imports.c.opened_at)).mappings()]


def add(connection: Connection, new: Import) -> None:
    names = ("source", "origin", "project", "opened_by", "opened_at")
    connection.execute(insert(imports).values({name: getattr(new, name) for name in names}))


def ours(connection: Connection, source: str, kind: str, theirs: Sequence[str]) -> dict[str, str]:
    """What their things are here, as far as they are."""
    found: dict[str, str] = {}
    query = select(imported.c.theirs, imported.c.ours).where(imported.c.source == source, imported.c.kind == kind)
    for part in parts(theirs):
        found |= {row.theirs: row.ours for row in connection.execute(query.where(imported.c.theirs.in_(part)))}
    return found


def stamps(connection: Connection, source: str, kind: str, theirs: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    query = select(imported.c.theirs, imported.c.stamp).where(imported.c.source == source, imported.c.kind == kind)
    for part in parts(theirs):
        rows = connection.execute(query.where(imported.c.theirs.in_(part), imported.c.stamp != ""))
        found |= {row.theirs: row.stamp for row in rows}
    return found


def all_ours(connection: Connection, source: str, kind: str) -> list[str]:
    query = select(imported.c.ours).where(imported.c.source == source, imported.c.kind == kind)
    return list(connection.execute(query).scalars())


def count(connection: Connection, source: str) -> dict[str, int]:
    """How many things of each kind were taken."""
    query = select(imported.c.kind, func.count()).where(imported.c.source == source).group_by(imported.c.kind)
    return {row[0]: row[1] for row in connection.execute(query)}


def mark(connection: Connection, source: str, kind: str, rows: Iterable[tuple[str, str, str]]) -> None:
    """Notes what things are here: theirs, ours and the stamp of each."""
    values = [{"source": source, "kind": kind, "theirs": t, "ours": o, "stamp": s} for t, o, s in rows]
    if not values:
        return
    adding = inserting(connection, imported)
    again = {"ours": adding.excluded.ours, "stamp": adding.excluded.stamp}
    connection.execute(
        adding.on_conflict_do_update(index_elements=["source", "kind", "theirs"], set_=again),
        values,
    )


def parts(all_: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(all_)
    while part := list(islice(rest, AT_ONCE)):
        yield part
