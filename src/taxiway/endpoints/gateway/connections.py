"""uvicorn's HTTP connections with limits: on the time and the bytes that a request may take to arrive, on the time
that an answer may take to be read, and on how many there are."""

from __future__ import annotations

import asyncio
import resource
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from taxiway.endpoints.gateway.requests import AWAITED, WHOLE

HEAD_BYTES = 64 << 10
HEAD_WAIT_S = 10.0
BODY_WAIT_S = 60.0  # longer than the application's own limit, which answers; this one also ends what nobody reads
READ_WAIT_S = 30.0  # how long a caller may leave an answer in the pipe
TRIFLES = 16  # bytes of chunk heads and the like that a byte of a body may bring along
MOST_FILES, FILES_KEPT = 65_536, 256  # open at a time; those of them that are kept for workers and logs
BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b"Content-Length: 51\r\n\r\n"
    b'{"error":"The gateway has too many connections."} \n'
)


class Corked:
    """A transport that sends what is written in one turn of the loop together: an answer's head with its body."""

    __slots__ = ("held", "loop", "transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport, self.loop = transport, loop
        self.held: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        if not self.held:
            self.loop.call_soon(self.flush)
        self.held.append(data)

    def flush(self) -> None:
        if self.held:
            data, self.held = b"".join(self.held), []
            self.transport.write(data)

    def close(self) -> None:
        self.flush()
        self.transport.close()


def make_room() -> int:
    """Raises how many files this process may have open; says how many of them may be connections of callers."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted, soft) - FILES_KEPT


class BoundedConnection(HttpToolsProtocol):
    """Drops a connection whose request dribbles in, whose head or trifles grow too large, or that reads no answer."""

    most = MOST_FILES - FILES_KEPT  # connections at a time
    timer: asyncio.TimerHandle | None = None
    unread: asyncio.TimerHandle | None = None
    head_bytes = 0
    is_in_body = False
    body_bytes = wire_bytes = 0  # of the body, and of all that came since its head

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(cast("asyncio.Transport", Corked(transport, self.loop)))
        if len(self.connections) > self.most:
            self.transport.write(BUSY)
            self.transport.close()
            return
        self.expect_by(HEAD_WAIT_S)

    def data_received(self, data: bytes) -> None:
        if self.is_in_body:
            self.wire_bytes += len(data)
        else:
            self.head_bytes += len(data)
        super().data_received(data)
        if self.is_in_body and self.wire_bytes > HEAD_BYTES + TRIFLES * self.body_bytes:
            self.transport.abort()
            return
        # A request that came in one piece, as most do, needs no timer.
        if self.timer is None and (self.is_in_body or self.head_bytes):
            self.expect_by(BODY_WAIT_S if self.is_in_body else HEAD_WAIT_S)
        if not self.is_in_body and self.head_bytes > HEAD_BYTES:
            self.transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        # After the body come trailers: as headers they would say what whoever stands before us never saw.
        if not self.is_in_body:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self.body_bytes += len(body)
        super().on_body(body)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.unread is None:
            self.unread = self.loop.call_later(READ_WAIT_S, self.transport.abort)

    def resume_writing(self) -> None:
        self.expect_reading_no_more()
        super().resume_writing()

    def expect_reading_no_more(self) -> None:
        if self.unread is not None:
            self.unread.cancel()
            self.unread = None

    def on_headers_complete(self) -> None:
        self.is_in_body = True
        self.head_bytes = self.body_bytes = self.wire_bytes = 0
        self.expect_nothing()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.is_in_body = False
        self.head_bytes = 0
        self.expect_nothing()
        cast("dict[str, Any]", self.scope)[WHOLE] = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.expect_nothing()
        self.expect_reading_no_more()
        cycle = cast("RequestResponseCycle | None", self.cycle)  # there is none before the first request
        if cycle is not None and not cycle.response_complete:
            awaited = cast("dict[str, Any]", cycle.scope).get(AWAITED)
            if awaited is not None:
                awaited.cancel()
        super().connection_lost(exc)

    def expect_by(self, wait_s: float) -> None:
        """From here on the head, or the body, must be complete in time."""
        self.expect_nothing()
        self.timer = self.loop.call_later(wait_s, self.transport.abort)

    def expect_nothing(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
