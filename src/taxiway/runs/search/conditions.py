"""From a filter's conditions to SQL, every value a bound parameter. None is ever NULL, so that ``not`` is right.

Both answer alike: texts compare by code point, ``contains`` and ``ilike`` take no notice of the case of
a to z, and regular expressions run in one engine.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    FromClause,
    Text,
    and_,
    any_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    type_coerce,
)

from taxiway.runs.contract import RunStatus
from taxiway.runs.search.filter import Ago, And, Node, Not, Or, Term, When, Words
from taxiway.runs.search.matching import STATUS_WORDS, glob_of, lowered, status_holds
from taxiway.runs.search.moments import span_of
from taxiway.runs.search.patterns import is_found
from taxiway.runs.search.words import has_words
from taxiway.runs.tables import LONGEST_HEAD, experiments, keys, latest, params, readings, runs, tags
from taxiway.storage.database import Moment

SIGNS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
BOOLEANS = {True: ("true", "True", "TRUE"), False: ("false", "False", "FALSE")}  # as Python's str() writes them too
LOST_AFTER = timedelta(minutes=5)
MICROS = literal(1_000_000.0, Float)


class Conditions:
    """Makes SQL of conditions, for one connection and one moment."""

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.is_sqlite = connection.dialect.name == "sqlite"
        self.key_numbers: dict[str, int | None] = {}
        if self.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.create_function("taxiway_is_found", 2, is_found, deterministic=True)

    def of(self, node: Node | None) -> ColumnElement[bool]:
        match node:
            case None:
                return true()
            case And(parts):
                return and_(*map(self.of, parts))
            case Or(parts):
                return or_(*map(self.of, parts))
            case Not(part):
                return not_(self.of(part))
            case Words(text):
                return has_words(text)
            case Term(field):
                by_kind = {"run": self.of_run, "dataset": self.of_dataset, "metrics": self.of_metric}
                return by_kind.get(field.kind, self.of_pair)(node)

    # --- what was logged under a name ---

    def of_metric(self, term: Term) -> ColumnElement[bool]:
        table = latest.alias()
        return self.has(table, term, numeric(table.c.value, term))

    def of_pair(self, term: Term) -> ColumnElement[bool]:
        """A condition on a parameter or tag."""
        table = (params if term.field.kind == "params" else tags).alias()
        match term.value:
            case bool():
                words = BOOLEANS[term.value]
                is_word = table.c.head.in_(words)
                return self.has(table, term, is_word if term.sign == "=" else not_(is_word))
            case float() | (float(), *_):
                return self.has(table, term, numeric(table.c.value, term))
            case str() if term.sign == "=":
                is_same = table.c.head == term.value[:LONGEST_HEAD]
                if len(term.value) >= LONGEST_HEAD:
                    is_same = and_(is_same, table.c.text == term.value)
                return self.has(table, term, is_same)
            case tuple() if term.sign == "in":
                heads = sorted({str(one)[:LONGEST_HEAD] for one in term.value})
                return self.has(table, term, and_(table.c.head.in_(heads), table.c.text.in_(term.value)))
            case _:
                source = select(table.c.text).where(table.c.key == self.key_number(term.field.name))
                return self.has(table, term, self.text(table.c.text, term, source))

    def has(self, table: FromClause, term: Term, holds: ColumnElement[bool]) -> ColumnElement[bool]:
        """That the run has the key, and what it logged under it holds."""
        key = self.key_number(term.field.name)
        if key is None:
            return true() if term.sign == "is null" else false()
        there = exists().where(table.c.run == runs.c.number, table.c.key == key)
        if term.sign in ("is null", "is not null"):
            return not_(there) if term.sign == "is null" else there
        return there.where(holds)

    def key_number(self, name: str) -> int | None:
        """The number of a key; None where the name was never logged."""
        if name not in self.key_numbers:
            query = select(keys.c.number).where(keys.c.name == name)
            self.key_numbers[name] = self.connection.execute(query).scalar()
        return self.key_numbers[name]

    # --- the run itself, and the data it read ---

    def of_run(self, term: Term) -> ColumnElement[bool]:
        name = term.field.name
        if name == "status":
            return self.has_status({status for status in STATUS_WORDS if status_holds(term, status)})
        if name == "experiment" and term.value is not None:
            source = select(experiments.c.number)
            holds = self.text(experiments.c.name, term, select(experiments.c.name))
            return runs.c.experiment.in_(source.where(holds))
        column = run_column(name) if name != "experiment" else runs.c.experiment
        if term.sign in ("is null", "is not null"):
            is_null = column.is_(None) if is_nullable(name) else column == "" if name == "user" else false()
            return not_(is_null) if term.sign == "is not null" else is_null
        if isinstance(term.value, (When, Ago)):
            holds = self.within(column, term, term.value)
        elif isinstance(term.value, float):
            holds = SIGNS[term.sign](column, term.value)
        else:
            holds = self.text(column, term, select(column))
        return and_(column.is_not(None), holds) if is_nullable(name) else holds

    def within(self, column: ColumnElement[Any], term: Term, value: When | Ago) -> ColumnElement[bool]:
        """A moment against a span of time, taken as a whole: it is before, in or after it."""
        start, end = span_of(value, self.now)
        inside = and_(column >= start, column < end)
        found: dict[str, ColumnElement[bool]] = {
            "=": inside,
            "!=": or_(column < start, column >= end),
            "<": column < start,
            "<=": column < end,
            ">": column >= end,
            ">=": column >= start,
        }
        return found[term.sign]

    def has_status(self, wanted: set[RunStatus]) -> ColumnElement[bool]:
        """A run that still runs by its own account is lost when it fell silent."""
        parts: list[ColumnElement[bool]] = [runs.c.status.in_(sorted(wanted - {"running", "lost"}))]
        if wanted >= {"running", "lost"}:
            parts.append(runs.c.status == "running")
        elif wanted & {"running", "lost"}:
            parts.append(status_at(self.now) == min(wanted & {"running", "lost"}))
        return or_(*parts)

    def of_dataset(self, term: Term) -> ColumnElement[bool]:
        table = readings.alias()
        column = table.c[term.field.name]
        there = exists().where(table.c.run == runs.c.number)
        if term.sign in ("is null", "is not null"):
            there = there.where(column != "")
            return not_(there) if term.sign == "is null" else there
        return there.where(self.text(column, term, select(column)))

    # --- texts ---

    def text(self, column: ColumnElement[Any], term: Term, source: Any) -> ColumnElement[bool]:
        """A comparison of texts. source: selects every text there is, for what the database cannot judge itself."""
        sign, value = term.sign, term.value
        if isinstance(value, tuple):
            return column.in_(value) if sign == "in" else column.not_in(value)
        if not isinstance(value, str):
            return true()  # `is null` and its kin ask for nothing more
        if sign in SIGNS:
            held: ColumnElement[bool] = SIGNS[sign](column, value)
        elif sign == "contains":
            escaped = value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            held = self.folded(column).like(f"%{lowered(escaped)}%", escape="\\")
        elif sign == "ilike":
            held = self.like(self.folded(column), lowered(value))
        elif sign == "like":
            held = column.bool_op("GLOB")(glob_of(value)) if self.is_sqlite else self.like(column, value)
        else:
            held = self.matches(column, value, source)
        return held

    def folded(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """A text with A to Z made small and nothing else: SQLite's LIKE does so by itself."""
        return column if self.is_sqlite else func.lower(column.collate("C"))

    def like(self, column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
        """LIKE without an escape: a backslash is a backslash."""
        return column.like(value) if self.is_sqlite else column.like(value, escape="")

    def matches(self, column: ColumnElement[Any], pattern: str, source: Any) -> ColumnElement[bool]:
        """A regular expression. PostgreSQL has a dialect of its own, so there the texts are judged here."""
        if self.is_sqlite:
            return func.taxiway_is_found(pattern, column) == 1
        texts = self.connection.execute(source.distinct()).scalars()
        found = [text for text in texts if is_found(pattern, text)]
        return column == any_(cast(found, ARRAY(Text))) if found else false()


def numeric(column: ColumnElement[Any], term: Term) -> ColumnElement[bool]:
    """A comparison of numbers. What is stored as NULL is not a number: it differs from every one."""
    if term.value is None:
        return true()
    if isinstance(term.value, tuple):
        return column.in_(term.value) if term.sign == "in" else or_(column.not_in(term.value), column.is_(None))
    held: ColumnElement[bool] = SIGNS[term.sign](column, term.value)
    return or_(held, column.is_(None)) if term.sign == "!=" else held


def status_at(now: datetime) -> ColumnElement[str]:
    """The status as people see it."""
    is_silent = and_(runs.c.status == "running", runs.c.heard_at < now - LOST_AFTER)
    return case((is_silent, "lost"), else_=runs.c.status)


def is_nullable(name: str) -> bool:
    return name in ("ended_at", "duration_s", "cpu_s")


def run_column(name: str) -> ColumnElement[Any]:
    """What a run is compared by; moments as microseconds."""
    if name == "duration_s":
        return (type_coerce(runs.c.ended_at, BigInteger) - type_coerce(runs.c.started_at, BigInteger)) / MICROS
    if name == "artifact_uri":
        ours = literal("mlflow-artifacts:/") + cast(runs.c.experiment, Text) + "/" + runs.c.id + "/artifacts"
        return case((runs.c.location != "", runs.c.location), else_=ours)
    column = runs.c[name]
    return type_coerce(column, BigInteger) if isinstance(column.type, Moment) else column
