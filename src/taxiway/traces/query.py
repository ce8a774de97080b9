"""Searches of traces as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Text, case, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement as Column

from taxiway.kernel.errors import BadField
from taxiway.runs.search.matching import glob_of
from taxiway.runs.search.patterns import PatternBroken, compiled, is_found
from taxiway.traces.filter import SPAN_ATTRIBUTES, Order, Term
from taxiway.traces.tables import LONGEST_HEAD, links, marks, remarks, spans, traces

NAME = "mlflow.traceName"
PROMPTS = "mlflow.linkedPrompts"
SOURCE_RUN = "mlflow.sourceRun"


class Search(Struct, frozen=True):
    """What is asked for. experiments: by number, None is every one; projects: those to be seen, None is every one."""

    terms: tuple[Term, ...] = ()
    order: tuple[Order, ...] = ()
    experiments: tuple[int, ...] | None = None
    projects: tuple[str, ...] | None = None
    project: str = ""
    limit: int = 100
    offset: int = 0


def find_ids(connection: Connection, search: Search) -> tuple[list[str], bool]:
    """The ids that a search finds, in order, and whether there are more."""
    query = select(traces.c.id).where(*wanted(connection, search))
    order = search.order or (Order("started_ms", is_falling=True),)
    for one in order:
        column = sorted_by(one.name)
        query = query.order_by(case((column.is_(None), 1), else_=0), column.desc() if one.is_falling else column)
    query = query.order_by(traces.c.id).offset(search.offset).limit(search.limit + 1)
    found = [row.id for row in connection.execute(query)]
    return found[: search.limit], len(found) > search.limit


def count_found(connection: Connection, search: Search) -> int:
    """How many traces a search finds, on all its pages."""
    query = select(func.count()).select_from(traces).where(*wanted(connection, search))
    return connection.execute(query).scalar_one()


def wanted(connection: Connection, search: Search) -> Iterator[ColumnElement[bool]]:
    """What the traces that a search finds fulfil."""
    if search.experiments is not None:
        yield traces.c.experiment.in_(search.experiments)
    if search.projects is not None:
        yield traces.c.project.in_(search.projects)
    if search.project:
        yield traces.c.project == search.project
    conditions = Conditions(connection)
    for term in search.terms:
        yield conditions.of(term)


def sorted_by(name: str) -> Column[Any]:
    match name:
        case "name":
            return mark_of("tag", NAME)
        case "run":
            return mark_of("fact", SOURCE_RUN)
        case "ended_ms":
            return traces.c.started_ms + traces.c.duration_ms
        case _:
            return traces.c[name]


def mark_of(kind: str, key: str) -> Column[Any]:
    found = select(marks.c.text).where(marks.c.trace == traces.c.id, marks.c.kind == kind, marks.c.key == key)
    return found.scalar_subquery()


class Conditions:
    """Makes SQL of terms, for one connection."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        if self.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.create_function("taxiway_is_found", 2, is_found, deterministic=True)

    def of(self, term: Term) -> ColumnElement[bool]:
        match term.place:
            case "trace":
                return self._of_trace(term)
            case "tag" | "fact":
                return self._of_mark(term.place, term.name, term)
            case "span":
                return self._of_span(term)
            case _:
                return self._of_remark(term)

    def _of_trace(self, term: Term) -> ColumnElement[bool]:
        match term.name:
            case "name" | "prompt":
                return self._of_mark("tag", NAME if term.name == "name" else PROMPTS, term)
            case "run":
                linked = exists().where(links.c.trace == traces.c.id, self._matched(links.c.run, term))
                return or_(linked, self._of_mark("fact", SOURCE_RUN, term))
            case "text":
                return self._of_span(Term("span", "content", term.sign, term.value))
            case "ended_ms":
                return compared(traces.c.started_ms + traces.c.duration_ms, term)
            case "started_ms" | "duration_ms":
                return compared(traces.c[term.name], term)
            case _:
                return self._matched(traces.c[term.name], term)

    def _of_mark(self, kind: str, key: str, term: Term) -> ColumnElement[bool]:
        found = exists().where(marks.c.trace == traces.c.id, marks.c.kind == kind, marks.c.key == key)
        if term.sign == "is null":
            return ~found
        if term.sign == "is not null":
            return found
        if term.sign == "=" and isinstance(term.value, str):
            found = found.where(marks.c.head == term.value[:LONGEST_HEAD])  # which is indexed
        return found.where(self._matched(marks.c.text, term))

    def _of_span(self, term: Term) -> ColumnElement[bool]:
        match term.name:
            case "name":
                column: Column[Any] = spans.c.name
            case "type":
                column = spans.c.kind
            case "status":
                column = case((spans.c.state == "ok", "OK"), (spans.c.state == "error", "ERROR"), else_="UNSET")
            case "content":
                column = cast(spans.c.content, Text)
            case _:
                column = self._attribute(term.name.removeprefix(SPAN_ATTRIBUTES))
        return exists().where(spans.c.trace == traces.c.id, self._matched(column, term))

    def _attribute(self, key: str) -> Column[Any]:
        """An attribute of a span as text; nothing where it has none."""
        content = cast(spans.c.content, Text)
        if not self.is_sqlite:
            return func.jsonb_extract_path_text(cast(content, JSONB), "attributes", key)
        if '"' in key:
            raise BadField(field="filter", value=repr(key[:100]), expected="an attribute's name without double quotes")
        return cast(func.json_extract(content, f'$.attributes."{key}"'), Text)

    def _of_remark(self, term: Term) -> ColumnElement[bool]:
        found = exists().where(
            remarks.c.trace == traces.c.id, remarks.c.kind == term.place, remarks.c.name == term.name
        )
        if term.sign == "is null":
            return ~found
        if term.sign == "is not null":
            return found
        if isinstance(term.value, float):
            return found.where(compared(remarks.c.number, term))
        return found.where(self._matched(remarks.c.value, term))

    def _matched(self, column: Column[Any], term: Term) -> ColumnElement[bool]:
        """A comparison of texts, by code point; ILIKE alone disregards case, that of A to Z."""
        match term.sign, term.value:
            case "in", tuple(values):
                return column.in_(values)
            case "not in", tuple(values):
                return column.not_in(values)
            case "like", str(value):  # that of SQLite disregards case
                return column.op("GLOB")(glob_of(value)) if self.is_sqlite else column.like(value, escape="")
            case "ilike", str(value):
                return column.like(value) if self.is_sqlite else column.ilike(value, escape="")
            case "rlike", str(value):
                return self._found(column, value)
            case _:
                return compared(column, term)

    def _found(self, column: Column[Any], pattern: str) -> ColumnElement[bool]:
        """A regular expression. PostgreSQL has a dialect of its own, so there the texts are judged here."""
        try:
            compiled(pattern)
        except PatternBroken as e:
            raise BadField(field="filter", value=repr(pattern[:100]), expected=f"a regular expression: {e}") from e
        if self.is_sqlite:
            return func.taxiway_is_found(pattern, column) == 1
        texts = self.connection.execute(select(column).distinct()).scalars()
        return column.in_([text for text in texts if is_found(pattern, text)])


def compared(column: Column[Any], term: Term) -> ColumnElement[bool]:
    comparisons: dict[str, Callable[[], ColumnElement[bool]]] = {
        "=": lambda: column == term.value,
        "!=": lambda: column != term.value,
        "<": lambda: column < term.value,
        "<=": lambda: column <= term.value,
        ">": lambda: column > term.value,
        ">=": lambda: column >= term.value,
    }
    return comparisons[term.sign]()
