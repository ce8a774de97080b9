"""What the server's port does with invocations: passed on as they are, or refused when the gateway is away."""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

import pytest

from taxiway.endpoints.gateway.address import Address, write_address
from taxiway.endpoints.gateway.status import start_ticks
from taxiway.endpoints.refusals import EndpointUnknown, GatewayAway
from tests.endpoints.conftest import until
from tests.support.live import Live

ANSWER = b'{"prediction_id":"%s","model":"m@1","revision":1,"predictions":[]}' % (b"a" * 32)


class Gateway:
    """A gateway of one test: it keeps what it is sent, and answers each request or goes away."""

    def __init__(self, home: Path) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.heard: list[tuple[bytes, bytes]] = []
        self.rests_after = 1000  # requests until a connection is dropped without an answer
        self.is_silent = False  # it answers nothing, and waits for its callers to go
        self.left = threading.Event()  # by one of them
        (home / "gateway").mkdir(exist_ok=True)
        pid = os.getpid()
        port = self.listener.getsockname()[1]
        write_address(home, Address(pid, start_ticks(pid) or 0, "127.0.0.1", port, datetime.now(UTC)))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with closing(connection), connection.makefile("rb") as read:
            for number in range(1000):
                head = b"".join(takewhile(lambda line: line not in (b"\r\n", b""), iter(read.readline, None)))
                if not head:  # the other side went away
                    return
                if number == self.rests_after:
                    return
                self.heard.append((head, read_body(read, head)))
                if self.is_silent:
                    read.read()
                    self.left.set()
                    return
                size = b"content-length: %d\r\n" % len(ANSWER)
                connection.sendall(b"HTTP/1.1 200 OK\r\ntaxiway-prediction-id: " + b"a" * 32 + b"\r\n" + size)
                connection.sendall(b"\r\n" + ANSWER)


def read_body(read: object, head: bytes) -> bytes:
    """A body with its length, or in chunks."""
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
    if b"content-length" in headers:
        return read.read(int(headers[b"content-length"]))  # type: ignore[attr-defined,no-any-return]
    body = b""
    while size := int(read.readline(), 16):  # type: ignore[attr-defined]
        body += read.read(size)  # type: ignore[attr-defined]
        read.readline()  # type: ignore[attr-defined]
    read.readline()  # type: ignore[attr-defined]
    return body


@pytest.fixture
def gateway(open_live: Live) -> Iterator[Gateway]:
    gateway = Gateway(open_live.house.home)
    yield gateway
    gateway.listener.close()


@contextmanager
def connected(live: Live) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection(live.url.removeprefix("http://"), timeout=20)) as connection:
        yield connection


def test_without_a_gateway_the_answer_is_503_and_when_to_try_again(open_live: Live) -> None:
    with connected(open_live) as connection:
        connection.request("POST", "/endpoints/mortgage/invocations", b"{}", {"Content-Type": "application/json"})
        reply = connection.getresponse()
        fault = json.loads(reply.read())

    assert (reply.status, reply.headers["Retry-After"], fault["error"]) == (503, "1", "GatewayAway")
    with pytest.raises(GatewayAway, match="taxiway server"):
        open_live.client.endpoints.invoke("mortgage", {})


def test_a_name_that_is_none_goes_nowhere(open_live: Live, gateway: Gateway) -> None:
    with pytest.raises(EndpointUnknown):
        open_live.client.endpoints.invoke("No Name", {})

    assert gateway.heard == []


@pytest.mark.parametrize("size", [10, 200_000], ids=["small", "large"])
def test_body_and_headers_arrive_and_what_belongs_to_a_browser_does_not(
    open_live: Live, gateway: Gateway, size: int
) -> None:
    given = {
        "Content-Type": "application/json",
        "Taxiway-Event-Time": "2013-05-01T06:00:00Z",
        "Authorization": "Bearer mine",
        "Cookie": "taxiway_session=secret",
        "Origin": open_live.url,
    }
    with connected(open_live) as connection:
        connection.request("POST", "/endpoints/mortgage/invocations", b"x" * size, given)
        reply = connection.getresponse()
        answer = reply.read()

    head, body = gateway.heard[0]
    assert (reply.status, answer, body) == (200, ANSWER, b"x" * size)
    assert reply.headers["Taxiway-Prediction-Id"] == reply.headers["Taxiway-Request-Id"] == "a" * 32
    assert b"taxiway-event-time: 2013-05-01T06:00:00Z" in head
    assert b"authorization: Bearer mine" in head
    assert b"secret" not in head
    assert b"origin" not in head.lower()


def test_a_body_without_a_length_is_passed_on(open_live: Live, gateway: Gateway) -> None:
    with connected(open_live) as connection:
        headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
        connection.request("POST", "/endpoints/m/invocations", iter([b"ab", b"cd"]), headers, encode_chunked=True)
        assert connection.getresponse().read() == ANSWER

    assert gateway.heard[0][1] == b"abcd"


def test_where_nobody_signs_in_the_server_vouches_for_the_caller(open_live: Live, gateway: Gateway) -> None:
    open_live.client.endpoints.invoke("mortgage", {"x": 1})

    token = open_live.house.publisher.token.encode()
    assert b"authorization: Bearer " + token in gateway.heard[0][0]


def test_a_connection_that_has_just_ended_is_replaced_without_the_caller_noticing(
    open_live: Live, gateway: Gateway
) -> None:
    gateway.rests_after = 1

    for _ in range(4):
        assert open_live.client.endpoints.invoke("mortgage", {"x": 1}).revision == 1

    assert len(gateway.heard) == 4


def test_a_page_of_another_site_asks_in_vain(open_live: Live, gateway: Gateway) -> None:
    with connected(open_live) as connection:
        headers = {"Content-Type": "application/json", "Origin": "https://elsewhere.example"}
        connection.request("POST", "/endpoints/mortgage/invocations", b"{}", headers)
        assert connection.getresponse().status == 403

    assert gateway.heard == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/models/mortgage/infer"),
        ("POST", "/v1/models/mortgage:predict"),
        ("GET", "/v2/models/mortgage/versions/3"),
        ("GET", "/endpoints/mortgage/ping"),
        ("HEAD", "/v1/models"),
    ],
)
def test_addresses_of_other_protocols_are_passed_on_too(
    open_live: Live, gateway: Gateway, method: str, path: str
) -> None:
    with connected(open_live) as connection:
        connection.request(method, path, b"" if method == "POST" else None, {"Authorization": "AWS4-HMAC-SHA256 x"})
        reply = connection.getresponse()
        answer = reply.read()

    head = gateway.heard[0][0].lower()
    assert (reply.status, answer) == (200, b"" if method == "HEAD" else ANSWER)
    assert head.startswith(f"{'post' if method == 'POST' else 'get'} {path} http".lower().encode())
    assert b"authorization: bearer " in head


def test_a_page_of_another_site_reaches_no_protocol_without_a_content_type(open_live: Live, gateway: Gateway) -> None:
    with connected(open_live) as connection:
        connection.request("POST", "/v2/models/mortgage/infer", b"{}", {"Origin": "https://elsewhere.example"})
        reply = connection.getresponse()
        reply.read()

    assert (reply.status, gateway.heard) == (403, [])


@pytest.mark.parametrize("size", [10, 200_000], ids=["small", "large"])
def test_who_hangs_up_here_hangs_up_there(open_live: Live, gateway: Gateway, size: int) -> None:
    gateway.is_silent = True
    with connected(open_live) as connection:
        connection.request("POST", "/endpoints/m/invocations", b"x" * size, {"Content-Type": "application/json"})
        until(lambda: len(gateway.heard) == 1)

    assert gateway.left.wait(5.0)
