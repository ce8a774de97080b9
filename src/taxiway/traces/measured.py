"""What there is to measure of the traces that a search finds: of themselves, of their spans, of remarks on them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, select

from taxiway.traces.contract import Span
from taxiway.traces.query import NAME, Search, mark_of, wanted
from taxiway.traces.tables import remarks, spans, traces

View = Literal["traces", "spans", "remarks"]

SESSION = "mlflow.trace.session"
USAGE = "mlflow.trace.tokenUsage"
COST = "mlflow.llm.cost"
MODEL, PROVIDER = "mlflow.llm.model", "mlflow.llm.provider"
MS_NS = 1_000_000
ANSWERS = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0}


class Row(Struct, frozen=True):
    """One thing that is measured. at_ms: when its trace began; facts: what it is, figures: what it counts."""

    at_ms: int
    facts: Mapping[str, str | None]
    figures: Mapping[str, Any]


def rows(connection: Connection, search: Search, view: View) -> Iterator[Row]:
    """In no order."""
    match view:
        case "traces":
            yield from of_traces(connection, search)
        case "spans":
            yield from of_spans(connection, search)
        case "remarks":
            yield from of_remarks(connection, search)


def of_traces(connection: Connection, search: Search) -> Iterator[Row]:
    columns = (traces.c.started_ms, traces.c.duration_ms, traces.c.state)
    marked = (mark_of("tag", NAME).label("name"), mark_of("fact", SESSION), mark_of("fact", USAGE))
    for at_ms, duration_ms, state, name, session, usage in connection.execute(
        select(*columns, *marked).where(*wanted(connection, search))
    ):
        figures = {"count": 1, "session": session, "latency": duration_ms, **numbers_in(read(usage))}
        yield Row(at_ms, {"name": name, "state": state}, figures)


def of_spans(connection: Connection, search: Search) -> Iterator[Row]:
    query = select(traces.c.started_ms, spans.c.content).join(traces, traces.c.id == spans.c.trace)
    for at_ms, span in connection.execute(query.where(*wanted(connection, search))):
        told = span.attributes
        facts = {"name": span.name, "kind": span.kind, "state": span.state}
        facts |= {"model": text_in(told.get(MODEL)), "provider": text_in(told.get(PROVIDER))}
        yield Row(at_ms, facts, {"count": 1, "latency": latency_of(span), **numbers_in(read(told.get(COST)))})


def of_remarks(connection: Connection, search: Search) -> Iterator[Row]:
    """Those that hold: one that another was put in place of does not."""
    columns = (remarks.c.name, remarks.c.kind, remarks.c.value, remarks.c.number, remarks.c.content)
    query = select(traces.c.started_ms, *columns).join(traces, traces.c.id == remarks.c.trace)
    for at_ms, name, kind, value, number, content in connection.execute(query.where(*wanted(connection, search))):
        if content.get("valid") is False:
            continue
        judged = number if number is not None else ANSWERS.get((value or "").strip().lower())
        yield Row(at_ms, {"name": name, "kind": kind, "value": value}, {"count": 1, "value": judged})


def latency_of(span: Span) -> int | None:
    return None if span.ended_ns is None else (span.ended_ns - span.started_ns) // MS_NS


def read(said: Any) -> Any:
    """What a program said, which may be JSON in a text."""
    if not isinstance(said, str):
        return said
    try:
        return msgspec.json.decode(said)
    except msgspec.DecodeError:
        return None


def numbers_in(said: Any) -> dict[str, float]:
    """The figures among what was said by name."""
    if not isinstance(said, dict):
        return {}
    return {key: value for key, value in said.items() if is_number(value)}


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def text_in(said: Any) -> str | None:
    """A text, which may be in quotes as JSON has them."""
    found = read(said) if isinstance(said, str) and said[:1] == '"' else said
    return found if isinstance(found, str) else None
