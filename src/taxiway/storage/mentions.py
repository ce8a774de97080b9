"""Which bytes are needed: every digest that a row of any table names, so that nobody can forget to say it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    Text,
    TypeDecorator,
    inspect,
    select,
    type_coerce,
)
from sqlalchemy import cast as to_type

from taxiway.storage.database import Json, metadata

DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
# What only tells of digests: the audit log, signed statements, kept answers, and what people log as words and numbers,
# or say to each other.
TELLING = re.compile(
    r"audit_|evidence_|requests$|discussion_|notice|run_(params|tags|words|keys|latest|points|segments)$|trace_(spans|marks|remarks)$"
)
AT_ONCE = 10_000


def needed(connection: Connection, without: Mapping[str, ColumnElement[bool]]) -> set[bytes]:
    """The digests, as 32 bytes each, that any row names: a row that is in the trash for good names none.

    without: by table, a condition on the rows that still count.
    """
    found: set[bytes] = set()
    unknown = set(inspect(connection).get_table_names()) - metadata.tables.keys() - {"alembic_version"}
    if unknown:
        raise RuntimeError(f"what these tables need is not known: {', '.join(sorted(unknown))}")
    for table in metadata.sorted_tables:
        if TELLING.match(table.name) is None:
            for text in texts(connection, table, without.get(table.name)):
                found.update(bytes.fromhex(digest) for digest in DIGEST.findall(text))
    return found


def texts(connection: Connection, table: Table, counts: ColumnElement[bool] | None) -> Iterator[str]:
    """The texts of a table that name a digest."""
    for column in table.columns:
        if not may_name(column):
            continue
        plain = type_coerce(column, Text) if isinstance(column.type, Json) else to_type(column, Text)
        query = select(plain).where(plain.like("%sha256:%"))
        if "deleted_at" in table.c and table.name not in ("runs", "experiments"):
            query = query.where(table.c.deleted_at.is_(None))
        if counts is not None:
            query = query.where(counts)
        for rows in connection.execute(query.distinct()).scalars().partitions(AT_ONCE):
            yield from rows


def may_name(column: Column[object]) -> bool:
    """Whether a column may hold a digest: any text that is long enough, and whatever is kept as JSON."""
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    return isinstance(kind, Text) or (isinstance(kind, String) and (kind.length or 71) >= 71)
