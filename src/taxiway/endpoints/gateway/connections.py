"""uvicorn's HTTP connections with limits on the time and the bytes that a request may take to arrive."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 << 10
HEAD_WAIT_S = 10.0
BODY_WAIT_S = 60.0  # longer than the application's own limit, which answers; this one also ends what nobody reads


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


class BoundedConnection(HttpToolsProtocol):
    """Drops a connection whose request dribbles in, or whose head grows too large."""

    timer: asyncio.TimerHandle | None = None
    head_bytes = 0
    is_in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(cast("asyncio.Transport", Corked(transport, self.loop)))
        self.expect_by(HEAD_WAIT_S)

    def data_received(self, data: bytes) -> None:
        if not self.is_in_body:
            self.head_bytes += len(data)
        super().data_received(data)
        # A request that came in one piece, as most do, needs no timer.
        if self.timer is None and (self.is_in_body or self.head_bytes):
            self.expect_by(BODY_WAIT_S if self.is_in_body else HEAD_WAIT_S)
        if not self.is_in_body and self.head_bytes > HEAD_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self.is_in_body = True
        self.head_bytes = 0
        self.expect_nothing()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.is_in_body = False
        self.head_bytes = 0
        self.expect_nothing()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self.expect_nothing()
        super().connection_lost(exc)

    def expect_by(self, wait_s: float) -> None:
        """From here on the head, or the body, must be complete in time."""
        self.expect_nothing()
        self.timer = self.loop.call_later(wait_s, self.transport.abort)

    def expect_nothing(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
