"""Connections that are held open, and more of them than the process has files for."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from taxiway.web import descriptors, protocol
from taxiway.web.descriptors import LoopFailures, most_connections
from tests.support.live import Live
from tests.web.browse import Visitor

HALF_A_BODY = b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{"


def dial(live: Live) -> socket.socket:
    parts = urlsplit(live.url)
    return socket.create_connection((parts.hostname, parts.port), timeout=10)


def head(live: Live, method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(live.url).netloc}\r\n".encode()


def test_a_connection_whose_body_stalls_is_ended(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_IDLE_S", 0.2)
    with dial(open_live) as line:
        line.sendall(head(open_live, "POST", "/api/projects") + HALF_A_BODY)
        assert line.recv(100) == b""


def test_the_rest_of_a_body_that_was_answered_is_not_awaited(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_IDLE_S", 0.2)
    with dial(open_live) as line:
        line.sendall(head(open_live, "POST", "/api/nothing") + HALF_A_BODY)
        answer = b""
        while more := line.recv(65536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 404")


def test_a_body_that_comes_piece_by_piece_is_awaited(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "BODY_IDLE_S", 0.5)
    with dial(open_live) as line:
        line.sendall(head(open_live, "POST", "/api/projects") + HALF_A_BODY)
        for _ in range(9):
            time.sleep(0.1)
            line.sendall(b" ")
        assert line.recv(100).startswith(b"HTTP/1.1 400")


def test_one_connection_too_many_is_told_so(open_live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "MOST_CONNECTIONS", 3)
    with ExitStack() as lines:
        for _ in range(3):
            lines.enter_context(dial(open_live))
        with dial(open_live) as line:
            answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: 5" in answer
    assert Visitor(open_live.url).get("/health").status == 200


def test_connections_leave_files_for_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, most in ((1024, 298), (128, 1), (1 << 20, 4096), (resource.RLIM_INFINITY, 4096)):
        monkeypatch.setattr(resource, "getrlimit", lambda kind, limit=limit: (limit, limit))
        assert most_connections() == most


def test_running_out_of_files_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    failures = LoopFailures()
    loop = asyncio.new_event_loop()
    error = OSError(errno.EMFILE, "Too many open files")
    with caplog.at_level(logging.ERROR):
        for _ in range(1000):
            failures(loop, {"message": "socket.accept() out of system resource", "exception": error})
        for _ in range(2):
            failures(loop, {"message": "a task failed", "exception": ValueError("x")})
    loop.close()

    assert [record.name for record in caplog.records] == ["taxiway.web", "asyncio", "asyncio"]
