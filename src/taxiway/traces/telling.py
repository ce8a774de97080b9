"""Traces in words and in order, for their pages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.traces.contract import Remark, Span, Trace, TraceState
from taxiway.web.figures.waterfall import Step, Waterfall
from taxiway.web.numbers import duration
from taxiway.web.words import plural

NS = 1_000_000_000
MOST_STEPS = 200  # drawn; the table below them has more
LONGEST_SHOWN = 2000
VERDICTS: dict[TraceState, str] = {"ok": "pass", "error": "fail", "running": "missing", "unknown": "missing"}
WORDS: dict[TraceState, str] = {"ok": "ok", "error": "failed", "running": "running", "unknown": "not said"}
INPUTS, OUTPUTS, KIND, REQUEST = "mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.spanType", "mlflow.traceRequestId"
SHOWN_APART = (INPUTS, OUTPUTS, KIND, REQUEST)
FACTS_SHOWN_APART = ("mlflow.traceInputs", "mlflow.traceOutputs", "mlflow.sourceRun")


class Shown(Struct, frozen=True):
    """A span as its page shows it. attributes: by name, as text."""

    span: Span
    depth: int
    after_s: float
    took_s: float | None
    inputs: str
    outputs: str
    attributes: list[tuple[str, str]]
    events: list[tuple[str, float, list[tuple[str, str]]]]

    @property
    def anchor(self) -> str:
        return f"span-{self.span.id}"


def in_order(spans: Sequence[Span]) -> list[tuple[Span, int]]:
    """Spans with how deep they lie, each parent before its children, those by time.

    A span whose parent did not come stands at the top; so does one of a circle, which no program should send.
    """
    children: defaultdict[str | None, list[Span]] = defaultdict(list)
    known = {span.id for span in spans}
    for span in spans:
        children[span.parent if span.parent in known and span.parent != span.id else None].append(span)
    found: list[tuple[Span, int]] = []
    seen: set[str] = set()

    def lay(roots: Sequence[Span]) -> None:
        waiting = [(span, 0) for span in reversed(roots)]
        while waiting:
            span, depth = waiting.pop()
            if span.id in seen:
                continue
            seen.add(span.id)
            found.append((span, depth))
            waiting += [(child, depth + 1) for child in reversed(children[span.id])]

    lay(children[None])
    lay(spans)  # what is left stands in circles
    return found


def shown(spans: Sequence[Span]) -> list[Shown]:
    """The spans as they are read from top to bottom."""
    if not spans:
        return []
    start = min(span.started_ns for span in spans)
    return [
        Shown(
            span=span,
            depth=depth,
            after_s=(span.started_ns - start) / NS,
            took_s=None if span.ended_ns is None else max(0.0, (span.ended_ns - span.started_ns) / NS),
            inputs=text_of(span.attributes.get(INPUTS)),
            outputs=text_of(span.attributes.get(OUTPUTS)),
            attributes=[(k, text_of(v)) for k, v in span.attributes.items() if k not in SHOWN_APART],
            events=[
                (e.name, (e.at_ns - start) / NS, [(k, text_of(v)) for k, v in e.attributes.items()])
                for e in span.events
            ],
        )
        for span, depth in in_order(spans)
    ]


def waterfall(trace: Trace, found: Sequence[Shown]) -> Waterfall:
    steps = tuple(
        Step(
            name=one.span.name,
            after_s=one.after_s,
            took_s=one.took_s,
            depth=one.depth,
            kind=one.span.kind if one.span.kind != "UNKNOWN" else "",
            is_failed=one.span.state == "error",
            url=f"#{one.anchor}",
        )
        for one in found[:MOST_STEPS]
    )
    return Waterfall(title=f"Steps of {trace.name or trace.id}", steps=steps)


def facts(trace: Trace) -> list[tuple[str, str]]:
    """What a program noted of a trace, and is not shown elsewhere."""
    return [(name, text) for name, text in trace.facts.items() if text and name not in FACTS_SHOWN_APART]


def text_of(value: Any) -> str:
    """A value as it is read: texts as they are, all else as JSON; not at length."""
    text = value if isinstance(value, str) else "" if value is None else indented(value)
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + " …"


def indented(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


class Said(Struct, frozen=True):
    """A remark as its page shows it."""

    name: str
    kind: str
    says: str
    because: str
    by: str
    is_withdrawn: bool


def remark(given: Remark) -> Said:
    content, said = given.content, given.content.get(given.kind)
    value = said.get("value", said) if isinstance(said, dict) else said
    source = content.get("source") or {}
    return Said(
        name=given.name,
        kind=given.kind,
        says=text_of(value),
        because=str(content.get("rationale", "")),
        by=str(source.get("source_id", "")),
        is_withdrawn=content.get("valid") is False,
    )


def of_trace(trace: Trace, spans: Sequence[Span]) -> str:
    """One sentence that says how a trace went."""
    name = trace.name or trace.id
    steps = f"in {plural(len(spans), 'step')}" if spans else "without steps"
    took = "" if trace.duration_ms is None else duration(trace.duration_ms / 1000)
    match trace.state:
        case "ok":
            return f"{name} took {took}, {steps}" if took else f"{name} went well, {steps}"
        case "error":
            failed = next((span for span in spans if span.state == "error" and span.message), None)
            because = f": {failed.message.splitlines()[0][:160]}" if failed and failed.message.strip() else ""
            return f"{name} failed{f' after {took}' if took else ''}, {steps}{because}"
        case "running":
            return f"{name} is still going, {steps} so far"
        case _:
            return f"{name} did not say how it went, {steps}"


def of_list(found: Sequence[Trace], has_more: bool) -> str:
    failed = sum(trace.state == "error" for trace in found)
    if not found:
        return "No trace to show"
    count = f"The newest {plural(len(found), 'trace')}" if has_more else plural(len(found), "trace")
    return f"{count}, {failed} failed" if failed else f"{count}, none failed"
