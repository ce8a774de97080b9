"""Queries of the audit log."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Select, Table, func, or_, select, type_coerce
from sqlalchemy.engine import RowMapping
from sqlalchemy.types import NullType

from taxiway.audit.contract import Entry, ListEntries, TreeHead
from taxiway.audit.merkle import Node, Nodes
from taxiway.audit.tables import entries, heads, nodes
from taxiway.storage.database import EPOCH, read_moment, write_moment
from taxiway.storage.rows import Into, marks, put_all

HEAD_FIELDS = "size, root, frontier, at, key_id, signature"
NEWEST = f"SELECT {HEAD_FIELDS} FROM audit_heads ORDER BY size DESC LIMIT 1"  # noqa: S608 - names of ours
ENTRIES = Into(
    "audit_entries",
    (
        ("seq", "bigint"),
        ("at", "bigint"),
        ("actor", "varchar"),
        ("verb", "varchar"),
        ("thing", "varchar"),
        ("project", "varchar"),
        ("door", "varchar"),
        ("request_id", "varchar"),
        ("facts", "text"),
        ("leaf", "bytea"),
    ),
)
NODES = Into("audit_nodes", (("level", "integer"), ("number", "bigint"), ("digest", "bytea")))
HEADS = Into(
    "audit_heads",
    (
        ("size", "bigint"),
        ("root", "bytea"),
        ("frontier", "bytea"),
        ("at", "bigint"),
        ("key_id", "varchar"),
        ("signature", "bytea"),
    ),
)


class Head(Struct, frozen=True):
    """A head as it is stored."""

    size: int
    root: bytes
    frontier: bytes
    at: datetime
    key_id: str
    signature: bytes

    def outside(self) -> TreeHead:
        return TreeHead(
            size=self.size,
            root=self.root.hex(),
            at=self.at,
            key_id=self.key_id,
            signature=self.signature.hex(),
        )


def newest_head(connection: Connection) -> Head | None:
    """Asked before each entry, so the statement goes to the driver as it stands."""
    row = connection.exec_driver_sql(NEWEST).first()
    if row is None:
        return None
    size, root, frontier, at, key_id, signature = row
    return Head(size, bytes(root), bytes(frontier), read_moment(at), key_id, bytes(signature))


def append(
    connection: Connection, rows: list[dict[str, Any]], completed: list[Node], made: list[Head], *, before: int | None
) -> None:
    """Adds entries, the full subtrees above their leaves that they complete, and heads.

    before: the size of the head that gives way to these; None where it stays.
    """
    signed = [(h.size, h.root, h.frontier, write_moment(h.at), h.key_id, h.signature) for h in made]
    if before is not None:
        mark = marks(connection, 1)
        changes = ", ".join(f"{name} = {mark}" for name, _ in HEADS.columns)
        statement = f"UPDATE audit_heads SET {changes} WHERE size = {mark}"  # noqa: S608 - names of ours
        connection.exec_driver_sql(statement, (*signed.pop(0), before))
    above = [(node.level, node.index, node.digest) for node in completed]
    put_all(connection, [(ENTRIES, [as_kept(row) for row in rows]), (NODES, above), (HEADS, signed)])


def as_kept(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(write_moment(row[name]) if name == "at" else row[name] for name, _ in ENTRIES.columns)


def as_stored(table: Table) -> Select[*tuple[Any, ...]]:
    """The rows as the database has them, whatever somebody wrote into it: reading them must not fail."""
    return select(*(type_coerce(column, NullType()).label(column.name) for column in table.c))


def raw_rows(connection: Connection) -> Generator[tuple[Any, ...], None, None]:
    """Every entry as stored, oldest first: its fields in their order, and its leaf.

    Whoever stops early closes it: the server holds a cursor for it.
    """
    query = as_stored(entries).order_by(entries.c.seq).execution_options(yield_per=1000)
    with connection.execute(query) as found:
        for rows in found.partitions():
            yield from map(tuple, rows)


def raw_heads(connection: Connection) -> Iterator[dict[str, Any]]:
    for row in connection.execute(as_stored(heads).order_by(heads.c.size)).mappings():
        yield dict(row)


def raw_nodes(connection: Connection, level: int) -> Generator[tuple[Any, Any], None, None]:
    """The number and the digest of each node of a level, from left to right."""
    query = as_stored(nodes).where(nodes.c.level == level).order_by(nodes.c.number)
    with connection.execute(query.execution_options(yield_per=1000)) as found:
        for row in found.mappings():
            yield row["number"], row["digest"]


def count_nodes(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(nodes)).scalar_one()


def with_moment(row: dict[str, Any]) -> dict[str, Any]:
    """A row as it is stored, with its time read. Raises TypeError, OverflowError where it is none."""
    return {**row, "at": read_moment(row["at"])}


def stored_nodes(connection: Connection) -> Nodes:
    """The look-up that proofs are made from."""

    def look_up(level: int, index: int) -> bytes:
        if level == 0:
            query = select(entries.c.leaf).where(entries.c.seq == index)
        else:
            query = select(nodes.c.digest).where(nodes.c.level == level, nodes.c.number == index)
        return bytes(connection.execute(query).scalar_one())

    return look_up


def find(connection: Connection, ask: ListEntries, projects: list[str] | None) -> list[Entry]:
    """Entries newest first. `projects` limits what may be seen; None is everything."""
    order = entries.c.seq.desc() if ask.after is None else entries.c.seq
    query = as_stored(entries).order_by(order).limit(ask.limit)
    if projects is not None:
        query = query.where(entries.c.project.in_(projects))
    if ask.before is not None:
        query = query.where(entries.c.seq < ask.before)
    if ask.after is not None:
        query = query.where(entries.c.seq > ask.after)
    if ask.text:
        places = (entries.c.thing, entries.c.verb, entries.c.actor, entries.c.facts)
        query = query.where(or_(*(place.icontains(ask.text, autoescape=True) for place in places)))
    if ask.since is not None:
        query = query.where(entries.c.at >= ask.since)
    if ask.until is not None:
        query = query.where(entries.c.at < ask.until)
    for column, value in (
        (entries.c.project, ask.project),
        (entries.c.thing, ask.thing),
        (entries.c.actor, ask.actor),
        (entries.c.verb, ask.verb),
    ):
        if value is not None:
            query = query.where(column == value)
    return [read_entry(row) for row in connection.execute(query).mappings()]


def read_entry(row: RowMapping) -> Entry:
    """An entry as it is stored. One that somebody wrote over is shown for what can be read of it, and says so."""
    values: dict[str, Any] = dict(row)
    try:
        values["at"] = read_moment(values["at"])
        values["facts"] = msgspec.json.decode(values["facts"])
    except (TypeError, OverflowError, msgspec.DecodeError):
        values["at"] = EPOCH
        values["facts"] = {"unreadable": "This entry was written over. `taxiway audit verify` says what is wrong."}
    leaf = values["leaf"]
    values["leaf"] = bytes(leaf).hex() if isinstance(leaf, (bytes, memoryview)) else ""
    return Entry(**values)


def count(connection: Connection, projects: list[str]) -> int:
    """How many entries are about these projects."""
    query = select(func.count()).select_from(entries).where(entries.c.project.in_(projects))
    return connection.execute(query).scalar_one()


def read_head(row: Mapping[Any, Any]) -> Head:
    values: dict[str, Any] = dict(row)
    for name in ("root", "frontier", "signature"):
        values[name] = bytes(values[name])
    return Head(**values)
