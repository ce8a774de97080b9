"""AWS's event streams (application/vnd.amazon.eventstream), in which SageMaker's runtime gives answers in pieces.

A frame is a prelude (its length, the length of its headers, a checksum of both), headers, a payload, and a checksum of
all that. Numbers are big-endian, checksums CRC-32.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from taxiway.compat.invocations import aws
from taxiway.endpoints.gateway.configuration import ServedRevision
from taxiway.endpoints.gateway.dialects import Call
from taxiway.endpoints.gateway.negotiation import AcceptRefused
from taxiway.endpoints.gateway.stream_forms import EVENTS, LINES
from taxiway.endpoints.refusals import TOO_LONG

MEDIA_TYPE = b"application/vnd.amazon.eventstream"
CONTENT_TYPE, ACCEPT = b"x-amzn-sagemaker-content-type", b"x-amzn-sagemaker-accept"
JSON_LINES = b"application/jsonlines"
TEXT = 7  # the type of a header whose value is a string
MOST_PAYLOAD_BYTES = 16 << 20  # AWS's SDKs read frames of 24 MB at most
WRITTEN = {
    **dict.fromkeys((b"*/*", b"application/*", b"application/json", JSON_LINES), JSON_LINES),
    b"text/*": EVENTS,
    EVENTS: EVENTS,
    LINES: LINES,
}
OURS = frozenset(["AnswerNotRecorded", "Unexpected"])  # what went wrong here, and not in the model


class EventStream(Struct):
    """A part for each piece; an end without a word, or an exception that the runtime's API declares.

    content: how a piece stands in its part: as a line of JSON, or as a server-sent event without a name.
    """

    content: bytes = JSON_LINES

    def head(self, call: Call, served: ServedRevision) -> list[tuple[bytes, bytes]]:
        said = [(b"content-type", MEDIA_TYPE), (CONTENT_TYPE, self.content)]
        return [*said, *aws.headers_for(call, served)]

    def piece(self, data: bytes) -> bytes:
        text = b"data: %b\n\n" % data if self.content == EVENTS else data + b"\n"
        return b"".join(
            frame({":event-type": "PayloadPart", ":content-type": "application/octet-stream"}, part)
            for part in parts(text)
        )

    def last(self, name: str, data: dict[str, object]) -> bytes:
        return exception(data) if name == "error" else b""


def chosen(accept: bytes) -> EventStream:
    """The form of the parts that a caller accepts. Raises AcceptRefused."""
    for part in accept.lower().split(b","):
        kind = part.partition(b";")[0].strip()
        if not kind or kind in WRITTEN:
            return EventStream(WRITTEN.get(kind, JSON_LINES))
    written = "application/jsonlines, application/x-ndjson or text/event-stream"
    raise AcceptRefused(accept=accept.decode("latin-1"), written=written)


def exception(data: dict[str, object]) -> bytes:
    """An error after the first piece, by the names of the runtime's API: the model's, or ours."""
    said = {"Message": f"{data['detail']} [request {data['request_id']}]"}
    if data["error"] in OURS:
        return frame(excepted("InternalStreamFailure"), msgspec.json.encode(said), "exception")
    said["ErrorCode"] = "ModelInvocationTimeExceeded" if TOO_LONG in str(data["detail"]) else "StreamBroken"
    return frame(excepted("ModelStreamError"), msgspec.json.encode(said), "exception")


def excepted(name: str) -> dict[str, str]:
    return {":exception-type": name, ":content-type": "application/json"}


def frame(headers: dict[str, str], payload: bytes, kind: str = "event") -> bytes:
    """One message of an event stream.

    >>> len(frame({}, b"")), frame({}, b"")[:8].hex()
    (37, '0000002500000015')
    """
    head = b"".join(header(name, value) for name, value in {":message-type": kind, **headers}.items())
    prelude = struct.pack(">II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + bytes([TEXT]) + struct.pack(">H", len(text)) + text


def parts(text: bytes) -> Iterator[bytes]:
    """A piece in as many parts as it takes, which is one unless it is very large."""
    for start in range(0, len(text), MOST_PAYLOAD_BYTES):
        yield text[start : start + MOST_PAYLOAD_BYTES]
