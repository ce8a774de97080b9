"""The CLI of traces."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.show import as_table
from taxiway.traces.contract import Span, Trace, TraceWithSpans

if TYPE_CHECKING:
    from taxiway.client import Client

NS_IN_MS = 1_000_000


def list_(client: Client, given: Namespace) -> list[Trace]:
    return list(client.traces.list(given.filter or "", project=given.project, limit=given.limit))


def show(client: Client, given: Namespace) -> TraceWithSpans:
    return client.traces.show(given.trace)


def as_steps(found: TraceWithSpans) -> str:
    """One line for the trace and one for each step."""
    trace = found.trace
    took = "" if trace.duration_ms is None else f" in {trace.duration_ms} ms"
    start = min((span.started_ns for span in found.spans), default=0)
    steps = [step(span, start) for span in found.spans]
    return f"{trace.name or trace.id}: {trace.state}{took}\n" + (as_table(steps) if steps else "No steps.")


def step(span: Span, start_ns: int) -> dict[str, Any]:
    took = None if span.ended_ns is None else round((span.ended_ns - span.started_ns) / NS_IN_MS, 1)
    after = round((span.started_ns - start_ns) / NS_IN_MS, 1)
    return {"step": span.name, "kind": span.kind, "state": span.state, "after_ms": after, "took_ms": took}


COMMANDS = (
    Command(
        "list",
        "the newest traces that a filter lets through",
        list_,
        (
            Argument("filter", "such as \"status = 'ERROR' and tags.team = 'search'\"", default="", is_optional=True),
            Argument("--project", "only of this project", default=""),
            Argument("--limit", "how many at most", count, 50),
        ),
        ("id", "name", "state", "started_ms", "duration_ms", "spans", "project"),
    ),
    Command(
        "show",
        "one trace with its steps",
        show,
        (Argument("trace", "the trace's id"),),
        show=as_steps,
    ),
)
