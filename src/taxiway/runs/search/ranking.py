"""By what runs are ordered, as SQL: a key's values first, then what is no number, then runs without it, either way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, FromClause, String, case, exists, func, not_

from taxiway.runs.search.conditions import Conditions, is_nullable, run_column, status_at
from taxiway.runs.search.filter import Order
from taxiway.runs.tables import experiments, latest, params, runs, tags


class Column(Struct, frozen=True):
    """One thing to order by, which is never NULL. kind: what a mark holds of it."""

    value: Any
    is_falling: bool = False
    kind: type = float

    def takes(self, value: object) -> bool:
        """Whether a value of a mark can be compared with it."""
        return isinstance(value, (int, float)) if self.kind is float else type(value) is self.kind


class Part(Struct, frozen=True):
    """A part of the order when its key comes first: from which table, which rows, and by what within."""

    table: FromClause | None
    where: list[ColumnElement[bool]]
    columns: list[Column]


class Ranking(Struct, frozen=True):
    """One key of an order. parts: as the first key. columns: as a further one, all parts at once."""

    parts: list[Part]
    columns: list[Column]
    table: FromClause | None = None
    key: int = -1

    @staticmethod
    def none() -> Ranking:
        return Ranking([Part(None, [], [])], [])


def ranking_of(order: Order, conditions: Conditions) -> Ranking:
    if order.field.kind == "run":
        return of_run(order, conditions)
    key = conditions.key_number(order.field.name)
    found = {"metrics": of_metric, "params": of_param, "tags": of_text}[order.field.kind]
    return found(order, -1 if key is None else key)


def of_metric(order: Order, key: int) -> Ranking:
    table = latest.alias()
    has, value, falls = table.c.run.is_not(None), table.c.value, order.is_falling
    parts = [
        Part(table, [table.c.key == key, value.is_not(None)], [Column(value, falls)]),
        Part(table, [table.c.key == key, value.is_(None)], []),
        without(latest.alias(), key),
    ]
    rank = case((value.is_not(None), 0), (has, 1), else_=2)
    return Ranking(parts, [Column(rank, kind=int), Column(func.coalesce(value, 0.0), falls)], table, key)


def of_param(order: Order, key: int) -> Ranking:
    """Parameters: numbers by value, then the other texts."""
    if order.is_text:
        return of_text(order, key)
    table = params.alias()
    value, head, falls = table.c.value, table.c.head, order.is_falling
    parts = [
        Part(table, [table.c.key == key, value.is_not(None)], [Column(value, falls)]),
        Part(table, [table.c.key == key, value.is_(None)], [Column(head, falls, str)]),
        without(params.alias(), key),
    ]
    rank = case((value.is_not(None), 0), (table.c.run.is_not(None), 1), else_=2)
    text = case((value.is_(None), func.coalesce(head, "")), else_="")
    number = Column(func.coalesce(value, 0.0), falls)
    return Ranking(parts, [Column(rank, kind=int), number, Column(text, falls, str)], table, key)


def of_text(order: Order, key: int) -> Ranking:
    """Texts by code point: by as much of them as is indexed."""
    whole = params if order.field.kind == "params" else tags
    table, falls = whole.alias(), order.is_falling
    parts = [
        Part(table, [table.c.key == key], [Column(table.c.head, falls, str)]),
        without(whole.alias(), key),
    ]
    rank = case((table.c.run.is_not(None), 0), else_=2)
    return Ranking(parts, [Column(rank, kind=int), Column(func.coalesce(table.c.head, ""), falls, str)], table, key)


def without(table: FromClause, key: int) -> Part:
    return Part(None, [not_(exists().where(table.c.run == runs.c.number, table.c.key == key))], [])


def of_run(order: Order, conditions: Conditions) -> Ranking:
    name, falls = order.field.name, order.is_falling
    if name == "experiment":
        named = experiments.select().with_only_columns(experiments.c.name)
        value: Any = named.where(experiments.c.number == runs.c.experiment).scalar_subquery()
    else:
        value = status_rank(conditions.now) if name == "status" else run_column(name)
    kind = str if isinstance(value.type, String) else float
    column = Column(value, falls, kind)
    if not is_nullable(name):
        return Ranking([Part(None, [], [column])], [column])
    parts = [Part(None, [value.is_not(None)], [column]), Part(None, [value.is_(None)], [])]
    rank = case((value.is_not(None), 0), else_=2)
    return Ranking(parts, [Column(rank, kind=int), Column(func.coalesce(value, 0), falls, kind)])


def tie_breakers(order: tuple[Order, ...]) -> list[Column]:
    """The newest first, and by id, unless that is asked for already."""
    named = {one.field.name for one in order if one.field.kind == "run"}
    last = [("started_at", Column(run_column("started_at"), is_falling=True)), ("id", Column(runs.c.id, kind=str))]
    return [column for name, column in last if name not in named]


def status_rank(now: datetime) -> ColumnElement[str]:
    """What runs are ordered by status by: the words that MLflow has for them, so that every door orders alike."""
    status = status_at(now)
    return case((status == "stopped", "killed"), (status == "lost", "running, but silent"), else_=status)
