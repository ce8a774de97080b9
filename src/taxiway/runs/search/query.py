"""The runs that a search finds, in order, page by page; pages go on by value, not by count."""

from __future__ import annotations

import zlib
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, NamedTuple

import msgspec
from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, FromClause, Join, Select, and_, func, literal, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from taxiway.kernel.errors import BadField
from taxiway.runs.search.conditions import Conditions, status_at
from taxiway.runs.search.filter import Node, Order, render_order
from taxiway.runs.search.narrowing import fewest
from taxiway.runs.search.ranking import Column, Ranking, ranking_of, tie_breakers
from taxiway.runs.tables import experiments, runs
from taxiway.storage.rows import Numbers, is_among
from taxiway.storage.steps import TooManySteps, at_most

View = Literal["active", "deleted", "all"]

FEW = 2_000  # runs: up to so many are gathered and sorted, rather than all be walked in order
STEPS = 200_000  # of SQLite, some ten milliseconds: in which a walk mostly fills a page, so that nothing is counted


class Search(Struct, frozen=True, kw_only=True):
    """What to find. projects: those the caller may see, None is all. experiments: their numbers, None is all."""

    where: Node | None = None
    order: tuple[Order, ...] = ()
    projects: list[str] | None
    project: str = ""
    experiment: str = ""
    experiments: tuple[int, ...] | None = None
    view: View = "active"
    limit: int
    now: datetime


class Mark(Struct, frozen=True, array_like=True):
    """Where a page ended: in which part of the order, and at which values. order: a digest of what it goes by."""

    order: int
    part: int
    values: list[int | float | str]


class Row(NamedTuple):
    number: int
    values: list[int | float | str]


class Ordered(Join):
    """A join whose left side is walked, and the right side looked up for each of its rows, on SQLite as well."""

    inherit_cache = True


@compiles(Ordered, "sqlite")
def write_ordered(join: Ordered, compiler: SQLCompiler, **given: Any) -> str:
    # SQLite never reorders a CROSS JOIN; without statistics it would gather all runs and sort them.
    left = compiler.process(join.left, asfrom=True, from_linter=None)
    right = compiler.process(join.right, asfrom=True, from_linter=None)
    condition: Any = join.onclause
    return f"{left} CROSS JOIN {right} ON {compiler.process(condition, from_linter=None)}"


def find_numbers(connection: Connection, search: Search, after: Mark | None) -> tuple[list[int], Mark | None]:
    """The numbers of the runs of a page, and where the next one begins, None where there is none.

    Runs come by the first key, in parts: those that have a value, those whose value is no number, those without.
    Equal ones come by the further keys; then the newest first, and last by id.
    """
    finder = Finder(connection, search)
    if after is not None:
        finder.check(after)
    found: list[tuple[int, Row]] = []
    for part in range(after.part if after else 0, len(finder.first.parts)):
        wanted = search.limit + 1 - len(found)
        beyond = after.values if after is not None and after.part == part else None
        found += [(part, row) for row in finder.rows(part, beyond, wanted)]
        if len(found) > search.limit:
            ended_in, last = found[search.limit - 1]
            return [row.number for _, row in found[: search.limit]], Mark(finder.signature, ended_in, last.values)
    return [row.number for _, row in found], None


class Finder:
    """One search on one connection.

    Where runs are walked in order, a page is mostly full soon: SQLite tries that first. Only where it takes long is
    it found out whether so few runs come into question that they are gathered and sorted instead.
    """

    def __init__(self, connection: Connection, search: Search) -> None:
        self.connection = connection
        self.search = search
        self.conditions = Conditions(connection, search.now)
        rankings = [ranking_of(order, self.conditions) for order in search.order]
        self.first = rankings[0] if rankings else Ranking.none()
        self.further = rankings[1:]
        self.last = tie_breakers(search.order)
        self.asked = self.conditions.of(search.where)
        self.is_long = not self.conditions.is_sqlite
        self.signature = zlib.crc32(", ".join(map(render_order, search.order)).encode())

    @cached_property
    def few(self) -> list[int] | None:
        """The runs that come into question by one of the conditions, None where they are many."""
        return fewest(self.conditions, self.search.where, FEW)

    @cached_property
    def is_narrow(self) -> bool:
        """Whether so few runs come into question that they are gathered first."""
        return self.few is not None or self._is_in_few()

    def _is_in_few(self) -> bool:
        """Whether the experiments or the project asked for have few runs."""
        limited = limits(self.connection, self.search)
        if not limited or (self.search.experiments is None and not self.search.experiment and not self.search.project):
            return False
        few = select(runs.c.number).where(*limited).limit(FEW + 1).subquery()
        count = self.connection.execute(select(func.count()).select_from(few)).scalar_one()
        return count <= FEW

    @cached_property
    def walked(self) -> list[ColumnElement[bool]]:
        """Which runs are found, where all are walked in order."""
        return [*limits(self.connection, self.search, is_walked=self.conditions.is_sqlite), self.asked]

    @cached_property
    def gathered(self) -> list[ColumnElement[bool]]:
        """Which runs are found, where those in question are gathered first."""
        named = [] if self.few is None else [is_among(runs.c.number, literal(self.few, Numbers))]
        return [*limits(self.connection, self.search), self.asked, *named]

    def check(self, mark: Mark) -> None:
        """Raises BadField for a mark of another search."""
        is_part = 0 <= mark.part < len(self.first.parts)
        columns = self.columns(mark.part) if is_part else []
        is_ours = is_part and mark.order == self.signature and len(columns) == len(mark.values)
        if not is_ours or not all(c.takes(v) for c, v in zip(columns, mark.values, strict=True)):
            raise bad_mark(str(mark.order))

    def columns(self, part: int) -> list[Column]:
        """By what the runs of a part of the order are ordered."""
        return [*self.first.parts[part].columns, *(c for ranking in self.further for c in ranking.columns), *self.last]

    def rows(self, part: int, beyond: list[int | float | str] | None, wanted: int) -> list[Row]:
        if not self.is_long:
            query = self.query(part, beyond, wanted, is_narrow=False)
            try:
                with at_most(self.connection, STEPS):
                    return rows_of(self.connection, query)
            except TooManySteps:
                self.is_long = True
        return rows_of(self.connection, self.query(part, beyond, wanted, is_narrow=self.is_narrow))

    def query(self, part: int, beyond: list[int | float | str] | None, wanted: int, *, is_narrow: bool) -> Select[Any]:
        columns = self.columns(part)
        source = self.source(part, is_narrow=is_narrow)
        query = select(runs.c.number, *(column.value for column in columns)).select_from(source)
        query = query.where(*self.first.parts[part].where, *(self.gathered if is_narrow else self.walked))
        if beyond is not None:
            query = query.where(is_beyond(columns, beyond))
        return query.order_by(*(c.value.desc() if c.is_falling else c.value.asc() for c in columns)).limit(wanted)

    def source(self, part: int, *, is_narrow: bool) -> FromClause:
        """The tables, the one to walk along first."""
        table = self.first.parts[part].table
        joined: FromClause = runs
        if table is not None:
            matched = and_(table.c.run == runs.c.number, table.c.key == self.first.key)
            joined = Ordered(runs, table, matched) if is_narrow else Ordered(table, runs, matched)
        for ranking in self.further:
            if ranking.table is not None:
                on = and_(ranking.table.c.run == runs.c.number, ranking.table.c.key == ranking.key)
                joined = joined.outerjoin(ranking.table, on)
        return joined


def rows_of(connection: Connection, query: Select[Any]) -> list[Row]:
    return [Row(row[0], list(row[1:])) for row in connection.execute(query).all()]


def is_beyond(columns: list[Column], values: list[int | float | str]) -> ColumnElement[bool]:
    """What comes after these values in the order of these columns."""
    ways = []
    for i, column in enumerate(columns):
        value = column.value
        further = value < values[i] if column.is_falling else value > values[i]
        ways.append(and_(*(c.value == v for c, v in zip(columns[:i], values, strict=False)), further))
    first = columns[0]
    near = first.value <= values[0] if first.is_falling else first.value >= values[0]  # what an index can start from
    return and_(near, or_(*ways))


def limits(connection: Connection, search: Search, *, is_walked: bool = False) -> list[ColumnElement[bool]]:
    """In which runs to look at all. is_walked: runs are walked in order, not gathered by what limits them."""
    conditions: list[ColumnElement[bool]] = []
    if search.view != "all":
        is_deleted = search.view == "deleted"
        conditions.append(runs.c.deleted_at.is_not(None) if is_deleted else runs.c.deleted_at.is_(None))
    if search.projects is not None:
        conditions.append(among(runs.c.project, search.projects, unindexed=runs.c.project + "" if is_walked else None))
    if search.project:
        conditions.append(runs.c.project == search.project)
    if search.experiment:
        named = select(experiments.c.number).where(experiments.c.name == search.experiment)
        if search.project:
            named = named.where(experiments.c.project == search.project)
        numbers = list(connection.execute(named).scalars())
        conditions.append(among(runs.c.experiment, numbers, unindexed=runs.c.experiment + 0 if is_walked else None))
    if search.experiments is not None:
        numbers = list(search.experiments)
        conditions.append(among(runs.c.experiment, numbers, unindexed=runs.c.experiment + 0 if is_walked else None))
    return conditions


def among(
    column: ColumnElement[Any], values: list[Any], *, unindexed: ColumnElement[Any] | None
) -> ColumnElement[bool]:
    """That a column has one of these values.

    unindexed: the same, as no index has it. With several values SQLite would gather all of their runs by the index
    and sort them, rather than walk along in order until a page is full.
    """
    if len(values) == 1:
        is_it: ColumnElement[bool] = column == values[0]
        return is_it
    return (column if unindexed is None else unindexed).in_(values)


def count_statuses(connection: Connection, search: Search, most: int | None = None) -> dict[str, int]:
    """How many runs the search finds, by status. most: it stops at the first one more, newest first."""
    finder = Finder(connection, search)
    where = finder.gathered if finder.is_narrow else finder.walked
    found = select(status_at(search.now).label("seen")).where(*where)
    if most is not None:
        found = found.order_by(runs.c.started_at.desc()).limit(most + 1)
    each = found.subquery()
    query = select(each.c.seen, func.count().label("runs")).group_by(each.c.seen)
    return {row.seen: row.runs for row in connection.execute(query)}


def write_mark(mark: Mark | None) -> str | None:
    return None if mark is None else msgspec.msgpack.encode(mark).hex()


def read_mark(text: str) -> Mark | None:
    """Raises BadField."""
    if not text:
        return None
    try:
        return msgspec.msgpack.decode(bytes.fromhex(text), type=Mark)
    except (ValueError, msgspec.MsgspecError) as e:
        raise bad_mark(text) from e


def bad_mark(text: str) -> BadField:
    return BadField(field="after", value=repr(text[:60]), expected="the `next` of the page before, in the same order")
