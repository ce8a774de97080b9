"""Putting many rows into a table with few statements, alike on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection

# How many rows a statement of SQLite takes; the driver keeps the few statements that come of it prepared. One
# statement for each row would give the interpreter away and ask it back as often.
SIZES = (256, 32, 4, 1)


class Into(Struct, frozen=True):
    """Where rows go. columns: each with PostgreSQL's name of its type. then: what follows the values, ON CONFLICT."""

    table: str
    columns: tuple[tuple[str, str], ...]
    then: str = ""


def put_rows(connection: Connection, into: Into, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows, whose values stand in the order of the columns."""
    if not rows:
        return
    names = ", ".join(name for name, _ in into.columns)
    if connection.dialect.name != "sqlite":
        # One statement with an array for each column: four times as fast as one for each row.
        arrays = ", ".join(f"%s::{kind}[]" for _, kind in into.columns)
        statement = f"INSERT INTO {into.table} ({names}) SELECT * FROM unnest({arrays}) {into.then}"  # noqa: S608 - names of ours
        connection.exec_driver_sql(statement, tuple(map(list, zip(*rows, strict=True))))
        return
    values = f"({', '.join('?' * len(into.columns))})"
    start = 0
    for size in SIZES:
        statement = f"INSERT INTO {into.table} ({names}) VALUES {', '.join([values] * size)} {into.then}"  # noqa: S608 - names of ours
        while len(rows) - start >= size:
            connection.exec_driver_sql(statement, tuple(v for row in rows[start : start + size] for v in row))
            start += size
