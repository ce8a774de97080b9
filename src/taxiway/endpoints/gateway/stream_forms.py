"""How an answer in pieces is written: server-sent events, or a JSON object per line; a dialect may bring another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from taxiway.endpoints.gateway.negotiation import ANY, CSV, JSON

if TYPE_CHECKING:
    from taxiway.endpoints.gateway.configuration import ServedRevision
    from taxiway.endpoints.gateway.dialects import Call

EVENTS, LINES = b"text/event-stream", b"application/x-ndjson"
WHOLE = frozenset([JSON, CSV, *ANY])


class StreamForm(Protocol):
    """The wire form of a stream."""

    def head(self, call: Call, served: ServedRevision) -> list[tuple[bytes, bytes]]:
        """The headers that are this form's own, its media type among them."""
        ...

    def piece(self, data: bytes) -> bytes:
        """One piece, which is a JSON object."""
        ...

    def last(self, name: str, data: dict[str, object]) -> bytes:
        """How it ended: `end`, or `error` with the facts of a refusal."""
        ...


class ServerSentEvents:
    """`event: piece`, then `end` or `error`, each with JSON in `data`."""

    def head(self, call: Call, served: ServedRevision) -> list[tuple[bytes, bytes]]:
        return [(b"content-type", EVENTS)]

    def piece(self, data: bytes) -> bytes:
        return b"event: piece\ndata: %b\n\n" % data

    def last(self, name: str, data: dict[str, object]) -> bytes:
        return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode(data))


class JsonLines:
    """A line for each of `{"piece": ...}`, `{"end": ...}`, `{"error": ...}`."""

    def head(self, call: Call, served: ServedRevision) -> list[tuple[bytes, bytes]]:
        return [(b"content-type", LINES)]

    def piece(self, data: bytes) -> bytes:
        return b'{"piece":%b}\n' % data

    def last(self, name: str, data: dict[str, object]) -> bytes:
        return msgspec.json.encode({name: data}) + b"\n"


FORMS: dict[bytes, StreamForm] = {EVENTS: ServerSentEvents(), LINES: JsonLines()}


def streamed_as(accept: bytes) -> StreamForm | None:
    """The form of a stream, where that is the first that a caller names of what is written here; None where not.

    >>> type(streamed_as(b"text/html, text/event-stream")).__name__, streamed_as(b"application/json, text/event-stream")
    ('ServerSentEvents', None)
    """
    if accept in (b"*/*", JSON):
        return None
    for part in accept.lower().split(b","):
        kind = part.partition(b";")[0].strip()
        if kind in FORMS or kind in WHOLE:
            return FORMS.get(kind)
    return None
