"""How what a program says of a trace and what its spans show become one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.traces.contract import Remark, Span, Trace, TraceState

NS_IN_MS = 1_000_000
STATES: dict[str, TraceState] = {"ok": "ok", "error": "error", "unset": "ok"}  # of a root that ended


class Told(Struct, frozen=True):
    """What a program says of a trace as a whole. remarks: each with what it says, to be searched.

    What is None was not said; is_over: whether this is the last word.
    """

    id: str
    state: TraceState
    started_ms: int
    duration_ms: int | None = None
    client_id: str | None = None
    request: str | None = None
    response: str | None = None
    tags: dict[str, str] = {}
    facts: dict[str, str] = {}
    remarks: list[tuple[Remark, Any]] = []
    is_over: bool = True


def seen(known: Trace | None, id_: str, spans: Sequence[Span], *, experiment: int, project: str) -> Trace:
    """A trace as its spans show it; what its program said of it as a whole stands."""
    if known is not None and known.is_told:
        return known
    started_ms = min(span.started_ns for span in spans) // NS_IN_MS
    ends = [span.ended_ns // NS_IN_MS for span in spans if span.ended_ns is not None]
    root = next((span for span in spans if span.parent is None), None)
    state: TraceState = STATES[root.state] if root is not None and root.ended_ns is not None else "running"
    name = root.name if root is not None else ""
    if known is None:
        duration_ms = max(ends) - started_ms if ends else None
        return Trace(id_, experiment, project, name, state, started_ms, duration_ms)
    earliest = min(started_ms, known.started_ms)
    ended = known.started_ms + known.duration_ms if known.duration_ms is not None else None
    last = max([*ends, *([] if ended is None else [ended])], default=None)
    return msgspec.structs.replace(
        known,
        name=name or known.name,
        state=state if root is not None else known.state,
        started_ms=earliest,
        duration_ms=None if last is None else last - earliest,
    )


def merged(known: Trace | None, told: Told, *, experiment: int, project: str) -> Trace:
    """A trace as its program says it went; previews that were not said stay."""
    return Trace(
        id=told.id,
        experiment=experiment,
        project=project,
        name="",  # a tag, which is put apart
        state=told.state,
        started_ms=told.started_ms,
        duration_ms=told.duration_ms,
        client_id=told.client_id if told.client_id is not None or known is None else known.client_id,
        request=told.request if told.request is not None or known is None else known.request,
        response=told.response if told.response is not None or known is None else known.response,
        spans=known.spans if known is not None else 0,
        is_told=told.is_over,
        created_by=known.created_by if known is not None else "",
    )
