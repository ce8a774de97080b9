"""What the outside sees of traces."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError

TraceState = Literal["ok", "error", "running", "unknown"]
SpanState = Literal["ok", "error", "unset"]


class TraceElsewhere(TaxiwayError):
    """Spans or a last word for a trace that belongs to another experiment."""

    status = 409
    trace: str

    def __str__(self) -> str:
        return (
            f"The trace {self.trace} was told to another experiment before. "
            f"Send all its spans there, or draw a new trace id."
        )


class Event(Struct, frozen=True):
    """Something that happened within a span, such as an exception. at_ns: nanoseconds since 1970."""

    name: str
    at_ns: int
    attributes: dict[str, Any] = {}


class Link(Struct, frozen=True):
    """Another span that a span says it has to do with; ids are hexadecimal."""

    trace: str
    span: str
    attributes: dict[str, Any] = {}


class Span(Struct, frozen=True):
    """One step of a trace. Ids are 16 hexadecimal digits; times are nanoseconds since 1970.

    kind: what sort of step its program says it was, such as ``LLM`` or ``TOOL``; empty where it says nothing.
    attributes: whatever the program told; bytes stand as ``{"$bytes": BASE64}``, numbers that JSON does not know as
    ``{"$number": "NaN"}``.
    """

    id: str
    name: str
    started_ns: int
    ended_ns: int | None = None
    parent: str | None = None
    kind: str = ""
    state: SpanState = "unset"
    message: str = ""
    attributes: dict[str, Any] = {}
    events: list[Event] = []
    links: list[Link] = []


class Remark(Struct, frozen=True):
    """What a person, a judge or a program said of a trace's quality, as it was told; `content` is theirs."""

    id: str
    name: str
    kind: Literal["feedback", "expectation", "issue"]
    content: dict[str, Any]
    made_ms: int
    changed_ms: int


class TraceFile(Struct, frozen=True):
    """A file that belongs to a trace, such as its spans or an attachment."""

    trace: str
    path: str
    digest: str
    size_bytes: int
    media_type: str
    added_at: datetime


class Trace(Struct, frozen=True):
    """One request through a program, as it told. Times are milliseconds.

    is_told: whether the program said how the trace as a whole went; before, what is known comes from its spans.
    experiment: its number. runs: the runs that the trace was linked to.
    """

    id: str
    experiment: int
    project: str
    name: str
    state: TraceState
    started_ms: int
    duration_ms: int | None = None
    client_id: str | None = None
    request: str | None = None
    response: str | None = None
    spans: int = 0
    is_told: bool = False
    created_by: str = ""
    tags: dict[str, str] = {}
    facts: dict[str, str] = {}
    remarks: list[Remark] = []
    runs: list[str] = []


class TraceWithSpans(Struct, frozen=True):
    """A trace and its spans, by time."""

    trace: Trace
    spans: list[Span]


class ListTraces(Struct, frozen=True, forbid_unknown_fields=True):
    """The newest first. filter: such as ``status = "ERROR" and tags.team = "search"``."""

    project: str = ""
    experiment: int | None = None
    filter: str = ""
    limit: int = 50
    after: str = ""


list_traces = Endpoint("GET", "/api/traces", ListTraces, Page[Trace], "runs.read", "Find traces", "platform")
show_trace = Endpoint("GET", "/api/traces/{trace}", Nothing, TraceWithSpans, "runs.read", "A trace with its spans")
