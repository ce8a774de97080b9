"""What a search means, said once more in plain Python: the oracle for what the databases answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import timedelta
from functools import cmp_to_key
from typing import Any, NamedTuple

from taxiway.runs.compare import Scalar
from taxiway.runs.search.filter import Ago, And, Node, Not, Or, Order, Term, When, Words

EPOCH_MICROS = timedelta(microseconds=1)
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
MLFLOW = {"running": "RUNNING", "finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}


class Told(NamedTuple):
    """A run as a test made it; moments in microseconds."""

    id: str
    name: str
    status: str
    experiment: str
    started_at: int
    ended_at: int | None
    cpu_s: float | None
    params: dict[str, Scalar]
    metrics: dict[str, float]
    tags: dict[str, str]

    def fact(self, name: str) -> Any:
        duration = None if self.ended_at is None else (self.ended_at - self.started_at) / 1e6
        more = {"duration_s": duration, "project": "fraud", "created_by": "ana", "user": ""}
        return more[name] if name in more else getattr(self, name)


def holds(node: Node | None, run: Told) -> bool:
    match node:
        case None:
            return True
        case And(parts):
            return all(holds(part, run) for part in parts)
        case Or(parts):
            return any(holds(part, run) for part in parts)
        case Not(part):
            return not holds(part, run)
        case Words(text):
            known = split(" ".join([run.name, *run.tags.values()]))
            return all(any(one.startswith(word) for one in known) for word in split(text))
        case Term():
            return term_holds(node, run)


def split(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def term_holds(term: Term, run: Told) -> bool:
    field = term.field
    if field.kind == "run":
        value = run.fact(field.name)
        found = [] if value is None or (field.name == "user" and term.sign in ("is null", "is not null")) else [value]
        if field.name == "status":
            return status_holds(term, run.status)
    else:
        given: dict[str, Any] = getattr(run, field.kind)
        found = [given[field.name]] if field.name in given else []
    if term.sign in ("is null", "is not null"):
        return bool(found) == (term.sign == "is not null")
    return any(value_holds(term, value) for value in found)


def status_holds(term: Term, status: str) -> bool:
    if term.value is None:
        return term.sign == "is not null"
    both = [value_holds(term, word) for word in (status, MLFLOW[status])]
    return all(both) if term.sign in ("!=", "not in") else any(both)


def value_holds(term: Term, found: Scalar) -> bool:
    value = term.value
    match value:
        case When() | Ago():
            assert isinstance(value, When)
            return moment_holds(term.sign, float(found), value)
        case bool():
            is_word = write(found) in (str(value), str(value).lower(), str(value).upper())
            return is_word == (term.sign == "=")
        case float():
            number = as_number(found)
            return term.sign == "!=" if math.isnan(number) else COMPARED[term.sign](number, value)
        case tuple() if isinstance(value[0], float):
            return (as_number(found) in value) == (term.sign == "in")
        case tuple():
            return (write(found) in value) == (term.sign == "in")
        case _:
            return text_holds(term.sign, write(found), str(value))


def moment_holds(sign: str, at: float, span: When) -> bool:
    place = -1 if at < span.at else 0 if at < span.at + span.width else 1
    return COMPARED[sign](place, 0)


def text_holds(sign: str, text: str, value: str) -> bool:
    if sign in COMPARED:
        return COMPARED[sign](text, value)
    if sign == "contains":
        return small(value) in small(text)
    if sign == "~":
        return re.search(value, text) is not None
    pattern, text = (value, text) if sign == "like" else (small(value), small(text))
    expression = "".join({"%": ".*", "_": "."}.get(c) or re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def small(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def write(value: Scalar) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)


def as_number(value: Scalar) -> float:
    """NaN for what is no number."""
    if isinstance(value, (bool, str)) and not re.fullmatch(r"[0-9.]*[0-9]", str(value)):
        return math.nan
    return float(value)


def rank(order: Order, run: Told) -> tuple[int, Any]:
    """Which part of the order a run is in, and its value there."""
    field = order.field
    if field.kind == "run":
        value = run.fact(field.name)
        if field.name == "status":
            value = MLFLOW[value].lower()  # alike at every door
        return (2, 0) if value is None else (0, value)
    given: dict[str, Any] = getattr(run, field.kind)
    if field.name not in given:
        return (2, 0)
    found = given[field.name]
    if field.kind == "tags" or order.is_text:
        return (0, write(found))
    number = as_number(found)
    return (1, write(found) if field.kind == "params" else 0) if math.isnan(number) else (0, number)


def in_order(runs: list[Told], orders: tuple[Order, ...]) -> list[Told]:
    def compare(a: Told, b: Told) -> int:
        for order in orders:
            (part_a, value_a), (part_b, value_b) = rank(order, a), rank(order, b)
            if part_a != part_b:
                return part_a - part_b
            if value_a != value_b:
                return (1 if value_a > value_b else -1) * (-1 if order.is_falling else 1)
        return b.started_at - a.started_at or (1 if a.id > b.id else -1)

    return sorted(runs, key=cmp_to_key(compare))
