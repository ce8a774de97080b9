"""Conditions as SQL over one segment's table. Every word of it is ours; what people wrote is bound, never pasted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from taxiway.endpoints.inferences.query.grammar import FLAGS, NUMBERS, TIMES, And, Field, Node, Not, Or, Term
from taxiway.runs.search.filter import Ago, When
from taxiway.runs.search.moments import EPOCH, span_of

# A record's own columns, as the log has them: some are empty where they say nothing.
COLUMNS = {
    "prediction_id": "prediction_id",
    "endpoint": "endpoint",
    "model": "model",
    "bundle_digest": "bundle_digest",
    "status": "status",
    "error": "error",
    "caller": "nullif(caller, '')",
    "trace_id": "coalesce(nullif(trace_id, ''), prediction_id)",
    "protocol": "coalesce(nullif(protocol, ''), 'taxiway')",
    "latency_ms": "latency_ms",
    "revision": "revision",
    "row": '"row"',
    "at": '"at"',
    "event_at": "event_at",
    "shadow": "coalesce(shadow, false)",
}

LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)  # the day after 9999 is none


class Conditions:
    """SQL and its parameters, put together as the tree is walked. now: what spans such as ``2h ago`` count from."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.parameters: list[Any] = []

    def of(self, node: Node) -> str:
        """An expression that is true or false, never null."""
        match node:
            case Term():
                return f"coalesce({self.term(node)}, false)"
            case Not(part):
                return f"NOT {self.of(part)}"
            case And(parts):
                return "(" + " AND ".join([self.of(part) for part in parts]) + ")"
            case Or(parts):
                return "(" + " OR ".join([self.of(part) for part in parts]) + ")"

    def term(self, term: Term) -> str:
        field, sign, sql = term.field, term.sign, ""
        match term.value:
            case None:
                sql = f"{self.text(field)} {sign.upper()}"
            case When() | Ago() as moment:
                sql = self.moment(field, sign, moment)
            case tuple() as values:
                sql = self.listed(field, sign, values)
            case bool() as flag:
                sql = self.flag(field, sign, value=flag)
            case float() as number:
                sql = f"{self.number(field)} {compared(sign)} ?"
                self.parameters.append(number)
            case str() as text:
                sql = self.wording(field, sign, text)
        return sql

    def wording(self, field: Field, sign: str, value: str) -> str:
        expression = self.text(field)
        self.parameters.append(value)
        match sign:
            case "contains":
                return f"contains(lower({expression}), lower(?))"
            case "like" | "ilike":
                return f"{expression} {sign.upper()} ?"
            case "~":
                return f"regexp_matches({expression}, ?)"  # RE2: its time grows with the text alone
            case _:
                return f"{expression} {compared(sign)} ?"

    def text(self, field: Field) -> str:
        """A field's value as text."""
        if field.place == "record":
            column = COLUMNS[field.name]
            return f"CAST({column} AS VARCHAR)" if field.name in (*NUMBERS, *TIMES, *FLAGS) else column
        self.parameters.append(pointer(field.name))
        return f"json_extract_string({field.place}, ?)"

    def number(self, field: Field) -> str:
        """A field's value as a number; null where it is none, or not a number, which is neither more nor less."""
        return (
            COLUMNS[field.name]
            if field.place == "record"
            else f"nullif(TRY_CAST({self.text(field)} AS DOUBLE), 'NaN'::DOUBLE)"
        )

    def flag(self, field: Field, sign: str, *, value: bool) -> str:
        is_turned = (sign == "!=") is value
        if field.place == "record":
            return f"{'NOT ' if is_turned else ''}{COLUMNS[field.name]}"
        expression = self.text(field)
        self.parameters.append("true" if value else "false")
        return f"{expression} {compared(sign)} ?"

    def listed(self, field: Field, sign: str, values: tuple[str | float, ...]) -> str:
        numbers: list[str | float] = [value for value in values if isinstance(value, float)]
        texts: list[str | float] = [value for value in values if isinstance(value, str)]
        kinds: list[tuple[Callable[[Field], str], list[str | float]]] = [(self.number, numbers), (self.text, texts)]
        parts = []
        for expression_of, some in kinds:
            if some:
                expression = expression_of(field)
                self.parameters += some
                parts.append(f"coalesce({expression} IN ({', '.join('?' * len(some))}), false)")
        either = f"({' OR '.join(parts)})"
        if sign == "in":
            return either
        return f"NOT {either} AND {self.text(field)} IS NOT NULL"

    def moment(self, field: Field, sign: str, value: When | Ago) -> str:
        """A day or minute is compared as a whole."""
        first, after = (EPOCH + timedelta(microseconds=min(each, LAST)) for each in span_of(value, self.now))
        column = COLUMNS[field.name]
        bounds = {
            "=": (f"({column} >= ? AND {column} < ?)", [first, after]),
            "!=": (f"({column} < ? OR {column} >= ?)", [first, after]),
            "<": (f"{column} < ?", [first]),
            "<=": (f"{column} < ?", [after]),
            ">": (f"{column} >= ?", [after]),
            ">=": (f"{column} >= ?", [first]),
        }
        sql, given = bounds[sign]
        self.parameters += given
        return sql


def compared(sign: str) -> str:
    """A sign as SQL has it."""
    return "<>" if sign == "!=" else sign


def pointer(name: str) -> str:
    """A JSON pointer (RFC 6901) to a field of an object.

    >>> pointer("a/b~c")
    '/a~1b~0c'
    """
    return "/" + name.replace("~", "~0").replace("/", "~1")
