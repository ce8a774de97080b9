from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from taxiway.endpoints.gateway import connections
from taxiway.endpoints.gateway.requests import read_body
from taxiway.endpoints.refusals import BodyRefused
from taxiway.endpoints.worker.held import Limits
from tests.endpoints.conftest import until
from tests.support.loops import awaited

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers without reading the body; at /headers with their names, once it was read, and at /much with 32 MB."""
    if scope["path"] == "/headers":
        while (await receive()).get("more_body"):
            pass
        said = b" ".join(name for name, _ in scope["headers"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})
        return
    if scope["path"] == "/much":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % (32 << 20))]})
        for _ in range(32):
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A connection to a server that waits 0.3 s for a head and 0.6 s for a body."""
    monkeypatch.setattr(connections, "HEAD_WAIT_S", 0.3)
    monkeypatch.setattr(connections, "BODY_WAIT_S", 0.6)
    monkeypatch.setattr(connections, "READ_WAIT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            application, http=connections.BoundedConnection, lifespan="off", log_config=None, ws="none"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        until(lambda: server.started)
        with socket.create_connection(listener.getsockname(), 10) as caller:
            yield caller
        server.should_exit = True
        thread.join(10)


def seconds_until_hung_up(caller: socket.socket, dribble: bytes) -> float:
    """How long the server lets bytes come one at a time."""
    began = time.monotonic()
    try:
        while time.monotonic() - began < 5:
            caller.sendall(dribble)
            time.sleep(0.05)
    except ConnectionError:
        pass
    return time.monotonic() - began


def test_a_head_that_dribbles_in_is_cut_off(caller: socket.socket) -> None:
    caller.sendall(b"GET / HTTP/1.1\r\n")

    assert 0.2 < seconds_until_hung_up(caller, b"x: y\r\n") < 2


def test_the_second_request_of_a_connection_has_no_more_time(caller: socket.socket) -> None:
    caller.sendall(HEAD + b"0123456789")
    assert b"ok" in caller.recv(1000)
    time.sleep(0.4)  # idle between requests, which is allowed

    caller.sendall(b"GET / HTTP/1.1\r\n")
    assert 0.2 < seconds_until_hung_up(caller, b"x: y\r\n") < 2


def test_a_body_that_nobody_reads_is_cut_off(caller: socket.socket) -> None:
    caller.sendall(HEAD.replace(b"10", b"1000"))
    assert b"ok" in caller.recv(1000)

    assert 0.4 < seconds_until_hung_up(caller, b"b") < 2


def test_a_large_body_is_no_large_head(caller: socket.socket) -> None:
    size = 4 * connections.HEAD_BYTES
    caller.sendall(HEAD.replace(b"10", b"%d" % size) + b"b" * size)
    assert b"ok" in caller.recv(1000)
    caller.sendall(HEAD + b"0123456789")

    assert b"ok" in caller.recv(1000)


def taken(caller: socket.socket, trifle: bytes) -> int:
    """How many bytes the server takes of what is said again and again, fifty times at most."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        for _ in range(50):
            sent += caller.send(trifle)
            time.sleep(0.005)
    return sent


def until_hung_up(caller: socket.socket) -> int:
    """How many bytes still come."""
    found = 0
    with contextlib.suppress(ConnectionError):
        while data := caller.recv(1 << 20):
            found += len(data)
    return found


CHUNKED = b"POST /headers HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_trailers_are_no_headers(caller: socket.socket) -> None:
    caller.sendall(CHUNKED + b"1\r\nb\r\n0\r\nAuthorization: Bearer me\r\nHost: elsewhere\r\n\r\n")

    assert caller.recv(1000).endswith(b"\r\n\r\nhost transfer-encoding")


@pytest.mark.parametrize(
    "trifle", [b"0\r\n" + b"X-A: b\r\n" * 20_000, b"1;" + b"e" * 150_000], ids=["trailers", "names"]
)
def test_what_comes_beside_a_body_is_bounded(caller: socket.socket, trifle: bytes) -> None:
    caller.sendall(CHUNKED)
    time.sleep(0.05)

    assert taken(caller, trifle) < 8 << 20


def test_a_caller_that_reads_no_answer_is_cut_off(caller: socket.socket) -> None:
    caller.sendall(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n")
    time.sleep(1.0)

    assert until_hung_up(caller) < 32 << 20


def test_more_connections_than_there_may_be_are_told_so(caller: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections.BoundedConnection, "most", 1)
    with socket.create_connection(caller.getpeername(), 10) as another:
        said = b"".join(iter(lambda: another.recv(1000), b""))

    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"Retry-After: 1" in head
    assert f"Content-Length: {len(body)}".encode() in head
    caller.sendall(HEAD + b"0123456789")
    assert b"ok" in caller.recv(1000)


def test_a_part_of_a_body_is_none() -> None:
    """A line of CSV that lost its last digits can still be read, and was not asked."""
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b"1,10", "more_body": True}, {"type": "http.disconnect", "body": b""}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    with pytest.raises(BodyRefused, match="went away"):
        awaited(read_body(receive, {}, Limits()))
