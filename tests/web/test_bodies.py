"""Bodies that stall, trickle or never end: they are cut off, and everybody else is answered meanwhile."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from taxiway.web import bodies, serve
from tests.support.live import Live
from tests.web.browse import Visitor

BLOB = "/api/blobs/sha256:" + "0" * 64
CHUNKED = "Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n"


@pytest.fixture
def lines() -> Iterator[ExitStack]:
    """Where the connections of a test are kept open until it ends."""
    with ExitStack() as stack:
        yield stack


def begin(live: Live, lines: ExitStack, *, method: str, path: str, headers: str, body: bytes = b"") -> socket.socket:
    """A connection on which a request's head was sent, and the given start of its body."""
    parts = urlsplit(live.url)
    line = lines.enter_context(socket.create_connection((parts.hostname, parts.port), timeout=20))
    line.sendall(f"{method} {path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{headers}\r\n".encode() + body)
    return line


def stalled_upload(live: Live, lines: ExitStack) -> socket.socket:
    return begin(live, lines, method="PUT", path=BLOB, headers=CHUNKED, body=b"1\r\na\r\n")


def told(line: socket.socket) -> tuple[int, str, str]:
    """The status of the answer on a connection, its head, and the error that it names."""
    answer = b""
    while not answer.endswith(b"}") and (more := line.recv(65536)):
        answer += more
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), head.lower(), json.loads(body)["error"]


def test_stalled_uploads_leave_everybody_else_served(open_live: Live, lines: ExitStack) -> None:
    for _ in range(80):  # more than there are threads of any kind
        stalled_upload(open_live, lines)
    time.sleep(0.3)
    started = time.monotonic()

    assert Visitor(open_live.url).get("/health").status == 200
    assert Visitor(open_live.url).get("/api/projects").status == 200
    assert time.monotonic() - started < 5


def test_an_upload_that_stalls_is_told_so(open_live: Live, lines: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "PIECE_WITHIN_S", 0.2)

    status, _, error = told(stalled_upload(open_live, lines))

    assert (status, error) == (408, "BodyTooSlow")


def test_an_upload_too_many_is_told_when_to_come_again(
    open_live: Live, lines: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "TURN_WITHIN_S", 0.2)
    for _ in range(bodies.MOST_UPLOADS):
        stalled_upload(open_live, lines)
    time.sleep(0.3)

    status, head, error = told(stalled_upload(open_live, lines))

    assert (status, error) == (503, "UploadsBusy")
    assert "retry-after: 5" in head


def test_an_upload_of_unsaid_length_is_bounded_too(
    open_live: Live, lines: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "MOST_UPLOAD_BYTES", 10)
    line = begin(open_live, lines, method="PUT", path=BLOB, headers=CHUNKED, body=b"b\r\n" + b"a" * 11 + b"\r\n")

    assert told(line)[::2] == (413, "TooLarge")


@pytest.mark.parametrize("size", ["Content-Length: 100", "Transfer-Encoding: chunked"])
def test_a_json_body_that_never_ends_is_told_so(
    open_live: Live, lines: ExitStack, size: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_WITHIN_S", 0.2)
    headers = f"Content-Type: application/json\r\n{size}\r\n"

    status, _, error = told(begin(open_live, lines, method="POST", path="/api/projects", headers=headers))

    assert (status, error) == (408, "BodyTooSlow")
