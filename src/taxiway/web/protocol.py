"""The limits of a connection: how many there may be, how long a head may be, and how long its sender may stall."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from taxiway.web.descriptors import most_connections

MOST_HEAD_BYTES = 64 << 10
HEAD_WITHIN_S = 20.0
BODY_IDLE_S = 40.0  # longer than a handler waits itself, whose refusal says more
TOO_LARGE = (
    "431 Request Header Fields Too Large",
    '{"title":"HeadTooLarge","status":431,"detail":"The address and headers are too long. Send fewer or shorter."}',
)
TOO_MANY = (
    "503 Service Unavailable",
    '{"title":"TooManyConnections","status":503,"detail":"Too many connections are open. Try again shortly."}',
)


class GuardedProtocol(HttpToolsProtocol):
    """HTTP whose sender must finish the head of each request soon and in few bytes, and go on with its body.

    The parser itself has no limit: one sender could fill the memory with headers, or hold connections open by
    sending a byte at a time.
    """

    head_bytes = 0
    is_in_head = True
    heard_at = 0.0
    deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > most_connections():
            self._refuse(*TOO_MANY, more="Retry-After: 5\r\n")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self.heard_at = self.loop.time()
        super().data_received(data)
        if self.is_in_head:  # it is not over with this piece
            self.head_bytes += len(data)
        if self.head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(*TOO_LARGE)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self.is_in_head, self.head_bytes = False, 0
        super().on_headers_complete()
        self._wait(BODY_IDLE_S, self._look_at_body)

    def on_message_complete(self) -> None:
        self._stop_waiting()
        super().on_message_complete()

    def _await_head(self) -> None:
        self.is_in_head, self.head_bytes = True, 0
        self._wait(HEAD_WITHIN_S, self.transport.close)

    def _look_at_body(self) -> None:
        """Ends the connection where no byte came for long, or the rest of a body that was answered still does not."""
        is_over = self.cycle.response_complete
        if self.flow.read_paused and not is_over:  # it is the handler that takes its time
            self.heard_at = self.loop.time()
        left_s = self.heard_at + BODY_IDLE_S - self.loop.time()
        if is_over or left_s <= 0:
            self.transport.close()
        else:
            self._wait(left_s, self._look_at_body)

    def _wait(self, seconds: float, act: Callable[[], None]) -> None:
        self._stop_waiting()
        self.deadline = self.loop.call_later(seconds, act)

    def _stop_waiting(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _refuse(self, status: str, body: str, more: str = "") -> None:
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: application/problem+json\r\n{more}"
            f"Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.transport.write((head + body).encode())
        self.transport.close()
