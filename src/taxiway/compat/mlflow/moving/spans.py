"""Spans and remarks as MLflow's stores keep them: in files, in its database, and as its server tells them."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from taxiway.compat.mlflow.assessments import Assessment, remark_of
from taxiway.compat.mlflow.spans import BYTES, KIND, LONGEST_KIND, NUMBER, clean
from taxiway.compat.mlflow.told_traces import read_time
from taxiway.imports.contract import IncomingRemark
from taxiway.kernel.numbers import to_wire
from taxiway.traces.contract import Event, Link, Span, SpanState

ATTACHED = b"mlflow-attachment://"  # what a span holds in place of a file of its trace
STATES: dict[str, SpanState] = {
    "STATUS_CODE_OK": "ok",
    "STATUS_CODE_ERROR": "error",
    "OK": "ok",
    "ERROR": "error",
}


def span_of_file(row: Mapping[str, Any]) -> Span:
    """A span as files and the database have it: every attribute is a JSON text. Raises ValueError, KeyError.

    MLflow 2 wrote it in other words: ids within a context, and numbers beginning with 0x.
    """
    context, status = row.get("context") or {}, row.get("status") or {}
    attributes = {clean(key): plain(decoded(text)) for key, text in (row.get("attributes") or {}).items()}
    return span_of(
        row,
        ids=(context.get("span_id") or row["span_id"], row.get("parent_span_id") or row.get("parent_id")),
        times=(
            row.get("start_time_unix_nano") or row.get("start_time") or 0,
            row.get("end_time_unix_nano") or row.get("end_time"),
        ),
        status=(status.get("code") or row.get("status_code") or "", status.get("message") or row.get("status_message")),
        attributes=attributes,
        events=[
            Event(
                clean(str(one.get("name") or "")),
                int(one.get("time_unix_nano") or one.get("timestamp") or 0),
                plain(one.get("attributes") or {}),
            )
            for one in row.get("events") or []
        ],
        links=[
            Link(hexadecimal(one["trace_id"]), hexadecimal(one["span_id"]), plain(one.get("attributes") or {}))
            for one in row.get("links") or []
        ],
    )


def span_of_server(row: Mapping[str, Any]) -> Span:
    """A span as a server tells it: attributes as pairs of typed values. Raises ValueError, KeyError."""
    status = row.get("status") or {}
    return span_of(
        row,
        ids=(row["span_id"], row.get("parent_span_id")),
        times=(row.get("start_time_unix_nano") or 0, row.get("end_time_unix_nano")),
        status=(status.get("code") or "", status.get("message")),
        attributes=of_pairs(row.get("attributes")),
        events=[
            Event(clean(one.get("name", "")), int(one.get("time_unix_nano", 0)), of_pairs(one.get("attributes")))
            for one in row.get("events") or []
        ],
        links=[
            Link(hexadecimal(one["trace_id"]), hexadecimal(one["span_id"]), of_pairs(one.get("attributes")))
            for one in row.get("links") or []
        ],
    )


def span_of(
    row: Mapping[str, Any],
    *,
    ids: tuple[str, str | None],
    times: tuple[Any, Any],
    status: tuple[str, str | None],
    attributes: dict[str, Any],
    **more: Any,
) -> Span:
    kind = attributes.get(KIND)
    return Span(
        id=hexadecimal(ids[0]),
        name=clean(str(row.get("name") or "")),
        started_ns=int(times[0]),
        ended_ns=int(times[1]) if times[1] else None,
        parent=hexadecimal(ids[1]) if ids[1] else None,
        kind=kind[:LONGEST_KIND] if isinstance(kind, str) else "",
        state=STATES.get(status[0], "unset"),
        message=clean(status[1] or ""),
        attributes=attributes,
        **more,
    )


def spans_of_file(data: bytes) -> list[Span]:
    """The spans in a file `traces.json`. Raises ValueError."""
    try:
        return [span_of_file(row) for row in json.loads(data)["spans"]]
    except (KeyError, TypeError, AttributeError, RecursionError) as e:
        raise ValueError(f"it is no list of spans: {e!r}") from e


def decoded(text: Any) -> Any:
    """What a JSON text says; the text where it is none."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def plain(value: Any) -> Any:
    """A value as JSON knows it, and every database keeps it."""
    match value:
        case str():
            return clean(value)
        case float() if not math.isfinite(value):
            return {NUMBER: to_wire(value)}
        case int() if not -(2**63) <= value < 2**64:
            return str(value)
        case dict():
            return {clean(str(key)): plain(one) for key, one in value.items()}
        case list():
            return [plain(one) for one in value]
        case _:
            return value


def of_pairs(given: Iterable[Mapping[str, Any]] | None) -> dict[str, Any]:
    return {clean(str(pair["key"])): of_pair(pair.get("value") or {}) for pair in given or []}


def of_pair(value: Mapping[str, Any]) -> Any:
    """What OTLP's JSON has as ``{"int_value": "3"}``."""
    found: Any = None
    for kind, given in value.items():
        match kind:
            case "int_value":
                found = int(given)
            case "double_value":
                found = plain(float(given))
            case "bytes_value":
                found = {BYTES: given}
            case "array_value":
                found = [of_pair(one) for one in given.get("values", [])]
            case "kvlist_value":
                found = of_pairs(given.get("values"))
            case _:
                found = plain(given)
    return found


def hexadecimal(id_: str) -> str:
    """An id as we keep it: files have it as a number in text, or as bytes in base64. Raises ValueError."""
    if id_.startswith("0x"):
        return id_.removeprefix("0x").rjust(16, "0")
    text = id_.removeprefix("tr-")
    if len(text) in (16, 32) and all(c in "0123456789abcdef" for c in text):
        return text
    try:
        return base64.b64decode(text, validate=True).hex()
    except binascii.Error as e:
        raise ValueError(f"{id_!r} is no id of a span") from e


def remark_in(row: Mapping[str, Any]) -> IncomingRemark:
    """An assessment under its own id and times. Raises TaxiwayError, ValueError."""
    said = {name: value for name, value in row.items() if value is not None}
    given = msgspec.convert(plain(said), Assessment, strict=False)
    made = read_time(given.create_time, "create_time")
    remark, value = remark_of(given, made)
    changed = read_time(given.last_update_time, "last_update_time") if given.last_update_time else made
    own = {"id": given.assessment_id or remark.id, "changed_ms": changed}
    return IncomingRemark(msgspec.structs.replace(remark, **own), value)
