"""Traces as MLflow's client writes and reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.assessments import shown_remark
from taxiway.compat.mlflow.call import Given
from taxiway.compat.mlflow.refusals import invalid
from taxiway.compat.mlflow.spans import shown_span
from taxiway.traces.contract import Trace, TraceState, TraceWithSpans

State = Literal["STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"]

STATES: dict[str, TraceState] = {"OK": "ok", "ERROR": "error", "IN_PROGRESS": "running", "STATE_UNSPECIFIED": "unknown"}
SHOWN: dict[TraceState, State] = {
    "ok": "OK",
    "error": "ERROR",
    "running": "IN_PROGRESS",
    "unknown": "STATE_UNSPECIFIED",
}
DURATION = re.compile(r"(-?[0-9]{1,12})(?:\.([0-9]{1,9}))?s")
LOCATION_TAG = "mlflow.artifactLocation"
SPANS_TAG = "mlflow.trace.spansLocation"
OURS = (LOCATION_TAG, SPANS_TAG)  # where things are, is never the client's to say


class ExperimentPlace(Struct, frozen=True):
    experiment_id: Given


class TracePlace(Struct, frozen=True):
    type: str = "MLFLOW_EXPERIMENT"
    mlflow_experiment: ExperimentPlace | None = None


class TraceInfoSent(Struct, frozen=True):
    """What the client says of a trace as a whole."""

    trace_id: Given
    trace_location: TracePlace
    request_time: str
    client_request_id: str | None = None
    request_preview: str | None = None
    response_preview: str | None = None
    execution_duration: str | None = None
    state: State = "STATE_UNSPECIFIED"
    trace_metadata: dict[str, str] = {}
    tags: dict[str, str] = {}
    assessments: list[Any] = []


class Shown(Struct, frozen=True, omit_defaults=True):
    """A trace, with spans where they were asked for."""

    trace_info: dict[str, Any]
    spans: list[dict[str, Any]] = []


def info(trace: Trace) -> dict[str, Any]:
    """What the client reads of a trace as a whole."""
    found: dict[str, Any] = {
        "trace_id": trace.id,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": str(trace.experiment)},
        },
        "request_time": written_time(trace.started_ms),
        "state": SHOWN[trace.state],
        "trace_metadata": trace.facts,
        "tags": tags_of(trace),
    }
    optional = {
        "client_request_id": trace.client_id,
        "request_preview": trace.request,
        "response_preview": trace.response,
        "execution_duration": None if trace.duration_ms is None else written_duration(trace.duration_ms),
        "assessments": [shown_remark(trace.id, remark) for remark in trace.remarks] or None,
    }
    return found | {name: value for name, value in optional.items() if value is not None}


def whole(found: TraceWithSpans) -> Shown:
    return Shown(info(found.trace), [shown_span(found.trace.id, span) for span in found.spans])


def tags_of(trace: Trace) -> dict[str, str]:
    """A trace's tags, with those that say where its files and spans are."""
    location = f"{names.SCHEME}{trace.experiment}/traces/{trace.id}/artifacts"
    kept = {SPANS_TAG: "TRACKING_STORE"} if trace.spans else {}
    return trace.tags | {LOCATION_TAG: location} | kept


def written_time(ms: int) -> str:
    at = datetime.fromtimestamp(ms / 1000, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def read_time(text: str, field: str) -> int:
    """Milliseconds since 1970. Raises ParameterInvalid."""
    try:
        at = datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]{1,3}", r"\1", text[:40]))
        ms = names.in_ms(at) if at.tzinfo is not None else -1
    except (ValueError, OverflowError):
        ms = -1
    if not 0 <= ms <= names.LAST_MS:
        raise invalid(field, text, "a time since 1970 such as 2026-07-01T12:00:00.123Z")
    return ms


def written_duration(ms: int) -> str:
    return f"{ms / 1000:.3f}s"


def read_duration(text: str, field: str) -> int:
    """Milliseconds. Raises ParameterInvalid."""
    found = DURATION.fullmatch(text)
    if found is None or text.startswith("-"):
        raise invalid(field, text, 'a duration such as "1.5s"')
    return int(found[1]) * 1000 + int((found[2] or "0").ljust(9, "0")[:9]) // 1_000_000


def own_tags(tags: dict[str, str]) -> dict[str, str]:
    """The tags that are the client's to set."""
    return {key: text for key, text in tags.items() if key not in OURS}
