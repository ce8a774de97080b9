"""Invocations at the server's own port, passed on to the gateway and back as they come.

The gateway checks the caller's token itself. Who needs none here, on a server without login or at the home's own
socket, is vouched for with the server's token.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httptools
from starlette.types import Message, Receive, Scope, Send

from taxiway.endpoints.gateway.address import Address, read_address
from taxiway.endpoints.gateway.streaming import until_gone
from taxiway.endpoints.refusals import EndpointUnknown, GatewayAway
from taxiway.kernel.ids import is_name

SMALL_BYTES = 64 << 10  # a body that is read whole, so that it can be sent again over a fresh connection
IDLE_S = 30.0  # the gateway keeps a connection 75 s
MOST_IDLE = 64
ANSWER_S = 60.0  # longer than the gateway's own deadline

# What belongs to one connection, or to a browser's page, goes no further.
OWN = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding upgrade host origin "
    b"cookie expect content-length sec-fetch-site sec-fetch-mode sec-fetch-dest referer".split()
)

Head = list[tuple[bytes, bytes]]


class Broken(Exception):
    """The connection ended before an answer began."""


class Connection:
    """A connection to the gateway, kept for the next request where nothing went wrong."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: Address) -> None:
        self.reader = reader
        self.writer = writer
        self.address = address
        self.idle_since = time.monotonic()

    def is_fresh(self, address: Address) -> bool:
        is_open = not self.reader.at_eof() and not self.writer.is_closing()
        return self.address == address and is_open and time.monotonic() - self.idle_since < IDLE_S


class Reply:
    """An answer as it is parsed; httptools calls the methods."""

    def __init__(self) -> None:
        self.headers: Head = []
        self.chunks: list[bytes] = []
        self.is_headed = self.is_done = False
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.is_headed = True

    def on_body(self, body: bytes) -> None:
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        self.is_done = True

    @property
    def is_kept(self) -> bool:
        return self.is_done and bool(self.parser.should_keep_alive())


class Forwarder:
    """The ASGI application behind ``POST /endpoints/{endpoint}/invocations`` and other protocols' addresses."""

    def __init__(self, home: Path, *, login: bool, token: Callable[[], str]) -> None:
        self.home = home
        self.login = login
        self.token = token
        self.vouched = b""
        self.idle: list[Connection] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises EndpointUnknown, GatewayAway."""
        held = scope["path_params"]
        name = held.get("endpoint", held.get("name"))
        if name is not None and not is_name(name):
            raise EndpointUnknown(endpoint=name)
        head = self._head(scope)
        method = "POST" if scope["method"] == "POST" else "GET"  # of HEAD the server leaves the body out itself
        given = dict(scope["headers"]).get(b"content-length", b"") if method == "POST" else b"0"
        line = f"{method} {quote(scope['path'], safe='/:')}"
        if given.isdigit() and int(given) <= SMALL_BYTES:
            body = b"".join([piece async for piece in pieces(receive)])
            sized = [*head, (b"content-length", b"%d" % len(body))]
            await unless(until_gone(receive), self._forward_small(request(line, sized) + body, scope, send))
        else:
            is_sized = given.isdigit()
            head.append((b"content-length", given) if is_sized else (b"transfer-encoding", b"chunked"))
            await self._forward_large(request(line, head), receive, scope, send, is_sized=is_sized)

    def _head(self, scope: Scope) -> Head:
        """The headers that go on; the host is one that every gateway goes by."""
        headers: Head = [(n, v) for n, v in scope["headers"] if n not in OWN]
        is_trusted = not self.login or scope.get("taxiway.is_socket", False)
        # What is no bearer token, such as a signature of AWS, says nothing to us about who calls.
        if is_trusted and not any(n == b"authorization" and v[:7].lower() == b"bearer " for n, v in headers):
            self.vouched = self.vouched or b"Bearer " + self.token().encode()
            headers.append((b"authorization", self.vouched))
        return [(b"host", b"localhost"), *headers]

    async def _forward_small(self, data: bytes, scope: Scope, send: Send) -> None:
        """Over a kept connection; where that has just ended, once more over a fresh one."""
        connection = self._take()
        if connection is not None:
            connection.writer.write(data)
            try:
                await self._answer(connection, scope, send)
            except (Broken, OSError):
                connection.writer.close()
            else:
                return
        connection = await self._open()
        connection.writer.write(data)
        await self._answer_or_say(connection, scope, send)

    async def _forward_large(self, head: bytes, receive: Receive, scope: Scope, send: Send, *, is_sized: bool) -> None:
        """Piece by piece. An answer that comes before the end, such as a refusal of the size, ends the sending."""
        connection = await self._open()
        connection.writer.write(head)
        is_sent = asyncio.Event()

        async def send_and_watch() -> None:
            try:
                await pump(receive, connection.writer, is_sized=is_sized)
            except OSError:  # it answered before the end, and reads no more
                await asyncio.Event().wait()
            is_sent.set()
            await until_gone(receive)

        try:
            await unless(send_and_watch(), self._answer_or_say(connection, scope, send))
        finally:
            if not is_sent.is_set():
                connection.writer.close()

    async def _answer_or_say(self, connection: Connection, scope: Scope, send: Send) -> None:
        try:
            await self._answer(connection, scope, send)
        except (Broken, OSError) as e:
            connection.writer.close()
            raise self._away(str(e)) from e

    async def _answer(self, connection: Connection, scope: Scope, send: Send) -> None:
        """Passes the answer on as it arrives. Raises Broken where none began."""
        reply, has_begun = Reply(), False
        while not reply.is_done:
            try:
                data = await asyncio.wait_for(connection.reader.read(1 << 16), ANSWER_S)
            except TimeoutError as e:
                raise Broken(f"it gave no answer within {ANSWER_S:g} s") from e
            except asyncio.CancelledError:  # the caller hung up: so does this end, and the model stops
                connection.writer.close()
                raise
            if not data:
                connection.writer.close()
                if has_begun:
                    return  # the caller sees that it is cut short, since the length was promised
                raise Broken("it went away before it answered")
            reply.parser.feed_data(data)
            if reply.is_headed and not has_begun:
                has_begun = True
                await send(self._start(reply, scope))
            for chunk in reply.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            reply.chunks.clear()
        await send({"type": "http.response.body", "body": b""})
        self._keep(connection, reply)

    def _start(self, reply: Reply, scope: Scope) -> Message:
        """The answer's head. The request goes by the number that the gateway gave it, as its log does."""
        kept = [(n, v) for n, v in reply.headers if n not in OWN or n == b"content-length"]
        number = dict(kept).get(b"taxiway-request-id") or dict(kept).get(b"taxiway-prediction-id")
        if number is not None:
            scope["taxiway.request_id"] = number.decode("latin-1")
        return {"type": "http.response.start", "status": reply.parser.get_status_code(), "headers": kept}

    def _keep(self, connection: Connection, reply: Reply) -> None:
        if reply.is_kept and len(self.idle) < MOST_IDLE:
            connection.idle_since = time.monotonic()
            self.idle.append(connection)
        else:
            connection.writer.close()

    def _take(self) -> Connection | None:
        """A kept connection to the gateway that runs now."""
        address = read_address(self.home)
        while self.idle:
            connection = self.idle.pop()
            if address is not None and connection.is_fresh(address):
                return connection
            connection.writer.close()
        return None

    async def _open(self) -> Connection:
        """Raises GatewayAway."""
        address = read_address(self.home)
        if address is None or not address.is_alive():
            raise self._away("none runs; `taxiway server` starts it")
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address.host, address.host)  # noqa: S104  told apart, not bound
        try:
            reader, writer = await asyncio.open_connection(host, address.port)
        except OSError as e:
            raise self._away(e.strerror or str(e)) from e
        return Connection(reader, writer, address)

    def _away(self, reason: str) -> GatewayAway:
        return GatewayAway(reason=reason, log=str(self.home / "gateway" / "gateway.log"))


async def unless(gone: Coroutine[Any, Any, None], work: Coroutine[Any, Any, None]) -> None:
    """Does it, unless the caller goes away before. Raises as the work."""
    task, leaving = asyncio.create_task(work), asyncio.create_task(gone)
    try:
        await asyncio.wait((task, leaving), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
    finally:
        task.cancel()
        leaving.cancel()
        await asyncio.gather(task, leaving, return_exceptions=True)


def request(line: str, headers: Head) -> bytes:
    """The head of a request. line: its method and its path."""
    lines = b"".join(b"%b: %b\r\n" % pair for pair in headers)
    return b"%b HTTP/1.1\r\n%b\r\n" % (line.encode(), lines)


async def pieces(receive: Receive) -> AsyncIterator[bytes]:
    """The body as it comes; it ends early where the caller goes away."""
    while True:
        message = await receive()
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def pump(receive: Receive, writer: asyncio.StreamWriter, *, is_sized: bool) -> None:
    """Sends the body on, no faster than the gateway takes it."""
    async for piece in pieces(receive):
        if piece:
            writer.write(piece if is_sized else b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
    if not is_sized:
        writer.write(b"0\r\n\r\n")
        await writer.drain()
