"""The limits of a request's head: how long it may be and how long it may take, before anything of it is looked at."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 << 10
HEAD_WITHIN_S = 20.0
TOO_LARGE = (
    b'{"title":"HeadTooLarge","status":431,"detail":"The address and headers are too long. Send fewer or shorter."}'
)


class GuardedProtocol(HttpToolsProtocol):
    """HTTP whose sender must finish the head of each request soon and in few bytes.

    The parser itself has no limit: one sender could fill the memory with headers, or hold connections open by
    sending a byte at a time.
    """

    head_bytes = 0
    is_in_head = True
    deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.is_in_head:  # it is not over with this piece
            self.head_bytes += len(data)
        if self.head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        self.is_in_head, self.head_bytes = False, 0
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._stop_waiting()
        self.is_in_head, self.head_bytes = True, 0
        self.deadline = self.loop.call_later(HEAD_WITHIN_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _refuse(self) -> None:
        head = (
            b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Type: application/problem+json\r\n"
            b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(TOO_LARGE)
        )
        self.transport.write(head + TOO_LARGE)
        self.transport.close()
