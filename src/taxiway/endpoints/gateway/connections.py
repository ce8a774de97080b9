"""uvicorn's HTTP connections with limits on the time and the bytes that a request may take to arrive."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 64 << 10
HEAD_WAIT_S = 10.0
BODY_WAIT_S = 60.0  # longer than the application's own limit, which answers; this one also ends what nobody reads


class BoundedConnection(HttpToolsProtocol):
    """Drops a connection whose request dribbles in, or whose head grows too large."""

    timer: asyncio.TimerHandle | None = None
    head_bytes = 0
    is_in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self.expect_by(HEAD_WAIT_S)

    def data_received(self, data: bytes) -> None:
        if not self.is_in_body:
            self.head_bytes += len(data)
            if self.timer is None:  # the next request of a connection that was idle
                self.expect_by(HEAD_WAIT_S)
        super().data_received(data)
        if not self.is_in_body and self.head_bytes > HEAD_BYTES:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self.is_in_body = True
        self.head_bytes = 0
        self.expect_by(BODY_WAIT_S)
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
