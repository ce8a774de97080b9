"""From a parsed filter and order to SQL, every value a bound parameter; and pages that go on by value, not by count."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from taxiway.kernel.errors import BadField
from taxiway.runs.filter import Field, Order, Term
from taxiway.runs.tables import LONGEST_HEAD, experiments, keys, latest, params, runs, tags
from taxiway.storage.database import Moment

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
LOST_AFTER = timedelta(minutes=5)
MICROS = literal(1_000_000.0, Float)


class Search(Struct, frozen=True):
    """What to find. projects: those the caller may see, None is all."""

    terms: list[Term]
    order: Order
    projects: list[str] | None
    project: str
    experiment: str
    limit: int
    now: datetime


class Mark(Struct, frozen=True):
    """Where a page ended: the value it was ordered by (None in the part without values) and the run's number."""

    value: float | int | str | None
    run: int


def find_numbers(connection: Connection, search: Search, after: Mark | None) -> tuple[list[int], Mark | None]:
    """The numbers of the runs of a page, and where the next one begins, None where there is none.

    First come the runs that have a value, in order; then those that have none, the newest first.
    """
    value, source = ordered_by(connection, search.order.field)
    conditions = [*limits(search), *(condition(connection, term, search.now) for term in search.terms)]
    wanted = search.limit + 1
    found: list[Mark] = []
    if after is None or after.value is not None:
        query = select(runs.c.number, value.label("value")).select_from(source)
        query = query.where(value.is_not(None), *conditions)
        found = page(connection, query, value, is_falling=search.order.is_falling, after=after, wanted=wanted)
        after = None
    if len(found) < wanted:
        query = select(runs.c.number).select_from(source)
        query = query.where(value.is_(None), *conditions).order_by(runs.c.number.desc()).limit(wanted - len(found))
        if after is not None:
            query = query.where(runs.c.number < after.run)
        found += [Mark(None, row.number) for row in connection.execute(query)]
    is_more = len(found) > search.limit
    found = found[: search.limit]
    return [mark.run for mark in found], found[-1] if is_more else None


def page(
    connection: Connection,
    query: Select[Any],
    value: ColumnElement[Any],
    *,
    is_falling: bool,
    after: Mark | None,
    wanted: int,
) -> list[Mark]:
    """The next runs that have a value. Runs of equal value are ordered by number, the same way round."""
    number = runs.c.number
    if after is not None:
        beyond = value < after.value if is_falling else value > after.value
        further = number < after.run if is_falling else number > after.run
        query = query.where(or_(beyond, and_(value == after.value, further)))
    query = query.order_by(*((value.desc(), number.desc()) if is_falling else (value, number)))
    return [Mark(row.value, row.number) for row in connection.execute(query.limit(wanted))]


def ordered_by(connection: Connection, field: Field) -> tuple[ColumnElement[Any], Any]:
    """The column that holds what is ordered by, and the tables it comes from."""
    joined = runs.join(experiments, runs.c.experiment == experiments.c.number)
    if field.kind == "run":
        return run_column(field.name), joined
    table = latest if field.kind == "metrics" else params
    key = key_number(connection, field.name)
    return table.c.value, joined.outerjoin(table, and_(table.c.run == runs.c.number, table.c.key == key))


def count_statuses(connection: Connection, search: Search) -> dict[str, int]:
    """How many runs the filter lets through, by status."""
    status = status_at(search.now).label("seen")
    query = select(status, func.count().label("runs")).select_from(
        runs.join(experiments, runs.c.experiment == experiments.c.number)
    )
    terms = (condition(connection, term, search.now) for term in search.terms)
    rows = connection.execute(query.where(*limits(search), *terms).group_by("seen"))
    return {row.seen: row.runs for row in rows}


def limits(search: Search) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if search.projects is not None:
        conditions.append(runs.c.project.in_(search.projects))
    if search.project:
        conditions.append(runs.c.project == search.project)
    if search.experiment:
        conditions.append(experiments.c.name == search.experiment)
    return conditions


def condition(connection: Connection, term: Term, now: datetime) -> ColumnElement[bool]:
    """A term as SQL. One about a metric, parameter or tag holds only for runs that have it."""
    field, sign, value = term.field, term.sign, term.value
    if field.kind == "run":
        column = status_at(now) if field.name == "status" else run_column(field.name)
        return compare(column, sign, value)
    # Under a name of its own: the same table may stand outside, as what the list is ordered by.
    table = {"metrics": latest, "params": params, "tags": tags}[field.kind].alias()
    key = key_number(connection, field.name)
    if field.kind == "metrics" or (field.kind == "params" and isinstance(value, float)):
        holds = compare(table.c.value, sign, value)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        holds = compare(table.c.text, sign, text)
        if sign == "=":
            holds = and_(table.c.head == text[:LONGEST_HEAD], holds)
    return exists().where(table.c.run == runs.c.number, table.c.key == key, holds)


def compare(column: ColumnElement[Any], sign: str, value: Any) -> ColumnElement[bool]:
    if sign == "contains":
        return column.icontains(value, autoescape=True)  # alike on both databases
    holds: ColumnElement[bool] = SIGNS[sign](column, value)
    return holds


def status_at(now: datetime) -> ColumnElement[str]:
    """The status as people see it: a run that still runs by its own account is lost when it fell silent."""
    is_silent = and_(runs.c.status == "running", runs.c.heard_at < now - LOST_AFTER)
    return case((is_silent, "lost"), else_=runs.c.status)


def run_column(name: str) -> ColumnElement[Any]:
    if name == "experiment":
        return experiments.c.name
    if name == "duration_s":
        return (type_coerce(runs.c.ended_at, BigInteger) - type_coerce(runs.c.started_at, BigInteger)) / MICROS
    column = runs.c[name]
    return type_coerce(column, BigInteger) if isinstance(column.type, Moment) else column


def key_number(connection: Connection, name: str) -> int:
    """The number of a key; one that no row has where the name was never logged."""
    return connection.execute(select(keys.c.number).where(keys.c.name == name)).scalar() or -1


def write_mark(mark: Mark | None) -> str | None:
    return None if mark is None else msgspec.msgpack.encode(mark).hex()


def read_mark(text: str) -> Mark | None:
    """Raises BadField."""
    if not text:
        return None
    try:
        return msgspec.msgpack.decode(bytes.fromhex(text), type=Mark)
    except (ValueError, msgspec.MsgspecError) as e:
        raise BadField(field="after", value=repr(text[:60]), expected="the `next` of the page before") from e
