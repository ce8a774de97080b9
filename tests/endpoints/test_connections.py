from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from taxiway.endpoints.gateway import connections
from tests.endpoints.conftest import until

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answers without reading the body."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def caller(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """A connection to a server that waits 0.3 s for a head and 0.6 s for a body."""
    monkeypatch.setattr(connections, "HEAD_WAIT_S", 0.3)
    monkeypatch.setattr(connections, "BODY_WAIT_S", 0.6)
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
