"""What a search of runs asks for: a tree of conditions, and an order. Pure: it knows words, not tables.

`parsing` reads it from text; `conditions` and `query` make SQL of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

Kind = Literal["metrics", "params", "tags", "run", "dataset"]
Sign = Literal[
    "=", "!=", "<", "<=", ">", ">=", "contains", "like", "ilike", "~", "in", "not in", "is null", "is not null"
]

NOTE = "mlflow.note.content"  # a run's note is this tag, so that both doors agree
TEXT_FIELDS = ("id", "name", "status", "experiment", "project", "created_by", "user", "artifact_uri")
NUMBER_FIELDS = ("duration_s", "cpu_s")
TIME_FIELDS = ("started_at", "ended_at")
DATASET_FIELDS = ("name", "digest", "context")
ORDERED = (*TIME_FIELDS, *NUMBER_FIELDS, "name", "status", "experiment", "created_by", "user", "id", "artifact_uri")


class Field(Struct, frozen=True):
    """What a term or an order is about: a metric, parameter or tag by name, a fact of the run or of data it read."""

    kind: Kind
    name: str


class When(Struct, frozen=True):
    """A span of time: microseconds since 1970, `width` of them. A day is compared as a whole, and so is a minute."""

    at: int
    width: int
    text: str  # as it was written


class Ago(Struct, frozen=True):
    """A moment that is that many seconds before the search."""

    seconds: float
    text: str


Scalar: TypeAlias = str | float | bool | When | Ago
Value: TypeAlias = Scalar | tuple[str | float, ...] | None


class Term(Struct, frozen=True):
    """One condition. One about a metric, parameter or tag holds only for runs that have it, but for ``is null``."""

    field: Field
    sign: Sign
    value: Value = None


class Words(Struct, frozen=True):
    """Every word of the text begins a word of the run's name, note or tags, whatever its case."""

    text: str


class Not(Struct, frozen=True):
    part: Node


class And(Struct, frozen=True):
    parts: tuple[Node, ...]


class Or(Struct, frozen=True):
    parts: tuple[Node, ...]


Node: TypeAlias = Term | Words | Not | And | Or


class Order(Struct, frozen=True):
    """By what to order. Runs without a value come last either way, after those whose value is no number.

    Parameters that read as numbers are ordered by value and come before the others; is_text: all of them are
    ordered as texts, by code point.
    """

    field: Field
    is_falling: bool = False
    is_text: bool = False


PLAIN = re.compile(r"[\w./-]+")
TIGHTNESS = {Or: 0, And: 1, Not: 2, Term: 3, Words: 3}


def joined(kind: type[And] | type[Or], *parts: Node | None) -> Node | None:
    """Conditions joined to one; None stands for no condition."""
    given = [part for part in parts if part is not None]
    return flat(kind, given) if given else None


def flat(kind: type[And] | type[Or], parts: Sequence[Node]) -> Node:
    """One condition or more as one, without one of a kind within another of that kind."""
    found = [one for part in parts for one in (part.parts if isinstance(part, kind) else (part,))]
    return kind(tuple(found)) if len(found) > 1 else found[0]


def render(node: Node | None) -> str:
    """The conditions as text; `parse_filter` gives the same ones again."""
    match node:
        case None:
            return ""
        case Term(field, sign, value):
            tail = "" if value is None else f" {render_value(value)}"
            return f"{render_field(field)} {sign}{tail}"
        case Words(text):
            return quoted(text)
        case Not(part):
            return f"not {within(part, node)}"
        case And(parts):
            return " and ".join(within(part, node) for part in parts)
        case Or(parts):
            return " or ".join(within(part, node) for part in parts)


def within(part: Node, outer: Node) -> str:
    return f"({render(part)})" if TIGHTNESS[type(part)] <= TIGHTNESS[type(outer)] else render(part)


def render_order(order: Order) -> str:
    return render_field(order.field) + (" desc" if order.is_falling else "")


def render_field(field: Field) -> str:
    if field.kind == "run":
        return field.name
    if PLAIN.fullmatch(field.name):
        return f"{field.kind}.{field.name}"
    escaped = re.sub(r"([`\\])", r"\\\1", field.name)
    return f"{field.kind}.`{escaped}`"


def render_value(value: Value) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(value)
        case When(text=text) | Ago(text=text):
            return text if text.lstrip("-").isdigit() else quoted(text)
        case tuple():
            return f"({', '.join(render_value(one) for one in value)})"
        case _:
            return repr(value)


def quoted(text: str) -> str:
    """A text as the language writes it."""
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'
