"""Many rows put into a table, or found in it, with few statements, alike on both databases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ARRAY, ColumnElement, Connection, Dialect, Integer, Table, Text, TypeDecorator
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

# Rows that a statement of SQLite takes at most; a rest of a few takes one of just its length. The driver keeps the
# statements prepared. One for each row would give the interpreter to another thread, and ask it back, as often.
SIZES = (256, 64)


class Into(Struct, frozen=True):
    """Where rows go. columns: each with PostgreSQL's name of its type. then: what follows the values, ON CONFLICT."""

    table: str
    columns: tuple[tuple[str, str], ...]
    then: str = ""


def inserting(connection: Connection, table: Table) -> Any:
    """An INSERT that can say what to do when a row is there already: alike on both databases."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def put_rows(connection: Connection, into: Into, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows, whose values stand in the order of the columns."""
    put_all(connection, [(into, rows)])


def put_all(connection: Connection, given: Sequence[tuple[Into, Sequence[tuple[Any, ...]]]]) -> None:
    """Inserts rows into several tables. PostgreSQL, which may be far away, is asked once for all of them."""
    filled = [(into, rows) for into, rows in given if rows]
    if connection.dialect.name == "sqlite":
        for into, rows in filled:
            put_on_sqlite(connection, into, rows)
    elif filled:
        *before, last = [write_unnested(into) for into, _ in filled]
        firsts = ", ".join(f"part_{number} AS ({statement})" for number, statement in enumerate(before))
        columns = [list(column) for _, rows in filled for column in zip(*rows, strict=True)]
        connection.exec_driver_sql(f"WITH {firsts} {last}" if firsts else last, tuple(columns))


def write_unnested(into: Into) -> str:
    """One statement with an array for each column: four times as fast as one for each row."""
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in into.columns)
    return f"INSERT INTO {into.table} ({names_of(into)}) SELECT * FROM unnest({arrays}) {into.then}"  # noqa: S608 - names of ours


def put_on_sqlite(connection: Connection, into: Into, rows: Sequence[tuple[Any, ...]]) -> None:
    values = f"({marks(connection, len(into.columns))})"
    start = 0
    for size in (*SIZES, len(rows) % SIZES[-1]):
        places = ", ".join([values] * size)
        statement = f"INSERT INTO {into.table} ({names_of(into)}) VALUES {places} {into.then}"  # noqa: S608 - names of ours
        while size and len(rows) - start >= size:
            connection.exec_driver_sql(statement, tuple(v for row in rows[start : start + size] for v in row))
            start += size


def names_of(into: Into) -> str:
    return ", ".join(name for name, _ in into.columns)


def marks(connection: Connection, count: int) -> str:
    """The places of so many values in a statement that the driver reads itself."""
    return ", ".join(["?" if connection.dialect.name == "sqlite" else "%s"] * count)


class Numbers(TypeDecorator[Sequence[int]]):
    """Whole numbers as one value: an array, or on SQLite a text of JSON."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else ARRAY(Integer))

    def process_bind_param(self, value: Sequence[int] | None, dialect: Dialect) -> Any:
        given = list(value or ())
        return json.dumps(given) if dialect.name == "sqlite" else given


class Each(FunctionElement[int]):
    """The numbers of one value as rows."""

    inherit_cache = True
    name = "each_number"


@compiles(Each, "sqlite")
def write_each_on_sqlite(each: Each, compiler: SQLCompiler, **given: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(each.clauses, **given)}))"  # noqa: S608 - a bound place


@compiles(Each)
def write_each(each: Each, compiler: SQLCompiler, **given: Any) -> str:
    return f"(SELECT unnest({compiler.process(each.clauses, **given)}))"


def is_among(column: ColumnElement[int], numbers: ColumnElement[Any]) -> ColumnElement[bool]:
    """That a column has one of some numbers, which travel as one value: a place for each of thousands costs more than
    the query. numbers: a bound value of the type `Numbers`."""
    return column.bool_op("IN")(Each(numbers))
