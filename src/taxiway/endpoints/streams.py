"""The caller's side of a stream: pieces out of lines, until the event that says how it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.endpoints.contract import Invocation
from taxiway.endpoints.refusals import StreamCut
from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.transport import Fault, Transport

LINES = "application/x-ndjson"


class Event(Struct):
    """One line: a piece, how the whole ended, or why it did not."""

    piece: dict[str, Any] | None = None
    end: dict[str, Any] | None = None
    error: Fault | None = None


def pieces_in(
    transport: Transport, invoke: Endpoint[Invocation, Any], body: Invocation, endpoint: str
) -> Iterator[dict[str, Any]]:
    """Each piece as it comes. Raises what the gateway refuses with, and StreamCut where no end came."""
    count = 0
    for line in transport.stream(invoke, body, accept=LINES, endpoint=endpoint):
        event = msgspec.json.decode(line, type=Event)
        if event.error is not None:
            raise transport.revived(event.error)
        if event.end is not None:
            return
        if event.piece is not None:
            count += 1
            yield event.piece
    raise StreamCut(endpoint=endpoint, pieces=count, cause="the connection ended")
