"""Spans as programs send them (OTLP, in protobuf) and as MLflow's client reads them (OTLP, in JSON)."""

from __future__ import annotations

import base64
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from taxiway.compat.mlflow.otlp_json import checked, decoded, unreadable, where
from taxiway.kernel.errors import TooLarge
from taxiway.kernel.numbers import to_wire
from taxiway.traces.contract import Event, Link, Span, SpanState

if TYPE_CHECKING:
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
    from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

PREFIX = "tr-"
KIND = "mlflow.spanType"
BYTES, NUMBER = "$bytes", "$number"
MOST_BYTES = 16 << 20
MOST_UNPACKED = 32 << 20
MOST_SPANS = 10_000
LATEST_NS = 2**63 - 1
LONGEST_KIND = 250
STATES: dict[int, SpanState] = {0: "unset", 1: "ok", 2: "error"}
SCALARS = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
CODES = {"unset": "STATUS_CODE_UNSET", "ok": "STATUS_CODE_OK", "error": "STATUS_CODE_ERROR"}


def unpacked(data: bytes, encoding: str) -> bytes:
    """What was sent, without its compression. Raises TooLarge for what unfolds without end, CallRefused."""
    if encoding in ("", "identity"):
        return data
    windows = {"gzip": 31, "deflate": 15}
    if encoding not in windows:
        raise unreadable(f"Content-Encoding must be gzip, deflate or none, not {encoding[:40]!r}")
    unpacking = zlib.decompressobj(windows[encoding])
    try:
        found = unpacking.decompress(data, MOST_UNPACKED)
    except zlib.error as e:
        raise unreadable(f"the body is no {encoding}") from e
    if not unpacking.eof and unpacking.unconsumed_tail:
        raise TooLarge(what="The unpacked body in bytes", limit=MOST_UNPACKED, found=MOST_UNPACKED + 1)
    if not unpacking.eof:
        raise unreadable(f"the body is no whole {encoding}")
    return found


def read_spans(data: bytes, *, is_json: bool = False) -> dict[str, list[Span]]:
    """The spans of an export request, by the id of their trace. Raises CallRefused, TooLarge."""
    # Imported when the first spans come: most servers never see one.
    from google.protobuf.json_format import ParseDict, ParseError
    from google.protobuf.message import DecodeError
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest()
    try:
        if is_json:
            ParseDict(checked(decoded(data)), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(data)
    except (DecodeError, ParseError, msgspec.MsgspecError, RecursionError, OverflowError, ValueError) as e:
        at = where(str(e)) if isinstance(e, ParseError) else ""
        kind = "JSON" if is_json else "protobuf"
        raise unreadable(f"the body is no ExportTraceServiceRequest in {kind}{at and ': see '}{at}") from e
    sent = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
    if not request.resource_spans:
        raise unreadable("it holds no spans")
    if len(sent) > MOST_SPANS:
        raise TooLarge(what="The number of spans sent at once", limit=MOST_SPANS, found=len(sent))
    found: defaultdict[str, list[Span]] = defaultdict(list)
    for span in sent:
        found[trace_of(span)].append(span_of(span))
    return dict(found)


def trace_of(sent: Sent) -> str:
    if len(sent.trace_id) != 16 or len(sent.span_id) != 8 or len(sent.parent_span_id) not in (0, 8):
        raise unreadable("a trace id has 16 bytes, a span id 8")
    return PREFIX + sent.trace_id.hex()


def span_of(sent: Sent) -> Span:
    attributes = pairs(sent.attributes)
    kind = attributes.get(KIND)
    return Span(
        id=sent.span_id.hex(),
        name=clean(sent.name),
        started_ns=nanoseconds(sent.start_time_unix_nano),
        ended_ns=nanoseconds(sent.end_time_unix_nano) or None,
        parent=sent.parent_span_id.hex() or None,
        kind=kind[:LONGEST_KIND] if isinstance(kind, str) else "",
        state=STATES.get(sent.status.code, "unset"),
        message=clean(sent.status.message),
        attributes=attributes,
        events=[Event(clean(e.name), nanoseconds(e.time_unix_nano), pairs(e.attributes)) for e in sent.events],
        links=[Link(link.trace_id.hex(), link.span_id.hex(), pairs(link.attributes)) for link in sent.links],
    )


def nanoseconds(given: int) -> int:
    if given > LATEST_NS:
        raise unreadable(f"a time is at most {LATEST_NS} nanoseconds after 1970")
    return given


def clean(text: str) -> str:
    """A text that every database keeps: they differ on NUL."""
    return text.replace("\x00", "\ufffd")


def pairs(given: Iterable[KeyValue]) -> dict[str, Any]:
    return {clean(pair.key): value_of(pair.value) for pair in given}


def value_of(given: AnyValue) -> Any:
    """An attribute's value as JSON knows it."""
    found: Any = None
    match given.WhichOneof("value"):
        case "bool_value" | "int_value" as kind:
            found = getattr(given, kind)
        case "string_value":
            found = clean(given.string_value)
        case "double_value":
            number = given.double_value
            found = number if math.isfinite(number) else {NUMBER: to_wire(number)}
        case "bytes_value":
            found = {BYTES: base64.b64encode(given.bytes_value).decode()}
        case "array_value":
            found = [value_of(one) for one in given.array_value.values]
        case "kvlist_value":
            found = pairs(given.kvlist_value.values)
    return found


# --- as the client reads them ---


def shown_span(trace: str, span: Span) -> dict[str, Any]:
    """A span as OTLP's JSON has it, with ids in base64 as protobuf reads bytes."""
    found: dict[str, Any] = {
        "trace_id": in_base64(trace.removeprefix(PREFIX)),
        "span_id": in_base64(span.id),
        "name": span.name,
        "start_time_unix_nano": span.started_ns,
        "attributes": shown_pairs(span.attributes),
        "status": {"code": CODES[span.state]} | ({"message": span.message} if span.message else {}),
    }
    if span.parent is not None:
        found["parent_span_id"] = in_base64(span.parent)
    if span.ended_ns is not None:
        found["end_time_unix_nano"] = span.ended_ns
    if span.events:
        found["events"] = [
            {"time_unix_nano": e.at_ns, "name": e.name, "attributes": shown_pairs(e.attributes)} for e in span.events
        ]
    if span.links:
        found["links"] = [
            {"trace_id": in_base64(x.trace), "span_id": in_base64(x.span), "attributes": shown_pairs(x.attributes)}
            for x in span.links
        ]
    return found


def in_base64(hexadecimal: str) -> str:
    """Bytes as protobuf's JSON writes them; nothing for an id that is no number."""
    try:
        return base64.b64encode(bytes.fromhex(hexadecimal)).decode()
    except ValueError:
        return ""


def shown_pairs(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": shown_value(value)} for key, value in given.items()]


def shown_value(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if scalar := SCALARS.get(type(value)):
        return {scalar: value}
    match value:
        case list():
            return {"array_value": {"values": [shown_value(one) for one in value]}}
        case {"$bytes": str(data), **rest} if not rest:
            return {"bytes_value": data}
        case {"$number": str(number), **rest} if not rest:
            return {"double_value": number}
        case _:
            return {"kvlist_value": {"values": shown_pairs(value)}}


def downloaded(trace: str, spans: Iterable[Span]) -> bytes:
    """The spans of a trace as the file `traces.json` has them: every attribute is a JSON text there."""
    shown = [
        {
            "trace_id": in_base64(trace.removeprefix(PREFIX)),
            "span_id": in_base64(span.id),
            "parent_span_id": in_base64(span.parent) if span.parent is not None else None,
            "name": span.name,
            "start_time_unix_nano": span.started_ns,
            "end_time_unix_nano": span.ended_ns,
            "events": [{"name": e.name, "time_unix_nano": e.at_ns, "attributes": e.attributes} for e in span.events],
            "status": {"code": CODES[span.state], "message": span.message},
            "attributes": {key: msgspec.json.encode(plain(value)).decode() for key, value in span.attributes.items()},
            "links": [
                {"trace_id": PREFIX + link.trace, "span_id": link.span, "attributes": link.attributes}
                for link in span.links
            ],
        }
        for span in spans
    ]
    return msgspec.json.encode({"spans": shown})


def plain(value: Any) -> Any:
    """A value without the marks of what JSON does not know."""
    match value:
        case {"$number": str(number), **rest} if not rest:
            return number
        case {"$bytes": str(data), **rest} if not rest:
            return data
        case dict():
            return {key: plain(one) for key, one in value.items()}
        case list():
            return [plain(one) for one in value]
        case _:
            return value
