"""What ends a stream from outside, over a real gateway: its end, a stop, time. And who waits behind streams."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from taxiway.endpoints.gateway.address import read_address
from taxiway.endpoints.inferences.log import find
from tests.endpoints.conftest import Site, is_running, until
from tests.endpoints.test_streaming import events, stream


@pytest.fixture
def single(tmp_path: Path) -> Iterator[Site]:
    """`adder` with one worker, whose pieces may take two seconds."""
    site = Site(tmp_path / "home")
    site.deploy("1")
    site.start("--deadline-s", "2")
    site.until_live()
    yield site
    if site.gateway is not None:
        site.stop()


def test_a_gateway_that_ends_tells_its_streams(single: Site) -> None:
    with stream(single, 600) as response:
        found = events(response)
        next(found)
        assert single.stop() == 0
        *_, (last, told) = found

    assert (last, told["error"]) == ("error", "StreamCut")
    assert "gateway" in told["facts"]["cause"]
    [record] = find(single.home, told["request_id"])
    assert record.status == "failed"


def test_a_gateway_that_hands_over_tells_its_streams(single: Site) -> None:
    """One that is soon done is given to its end meanwhile."""
    old = single.gateway
    assert old is not None
    single.deploy("2", workers=2)
    until(lambda: len(single.until_live(2).pids) == 2)
    with stream(single, 1500) as response, stream(single, 50) as short:
        found, whole = events(response), events(short)
        assert next(found)[0] == next(whole)[0] == "piece"
        old.send_signal(signal.SIGUSR2)
        *rest, (end, _) = whole
        *_, (last, told) = found
    old.wait(10)
    address = read_address(single.home)
    assert address is not None
    with contextlib.suppress(ProcessLookupError):
        os.kill(address.pid, signal.SIGTERM)
    until(lambda: not is_running(address.pid))

    assert (len(rest), end) == (49, "end")
    assert (last, told["error"]) == ("error", "StreamCut")


def test_who_waits_behind_streams_is_sent_away_soon(single: Site) -> None:
    with stream(single, 400) as response:
        next(events(response))
        began = time.monotonic()
        answer = single.ask({"x": 1})
        took_s = time.monotonic() - began

    assert (answer.status, answer.body["error"]) == (503, "WorkersStreaming")
    assert answer.headers["retry-after"] == "1"
    assert took_s < 1.9


def test_a_piece_that_takes_too_long_ends_the_stream_and_frees_the_worker(single: Site) -> None:
    with stream(single, 5, "sleep") as response:
        *_, (last, told) = events(response)

    assert (last, told["error"]) == ("error", "StreamCut")
    until(lambda: single.ask({"x": 1}).status == 200, wait_s=10.0)


def test_a_stop_ends_what_nobody_reads_and_the_model_with_it(single: Site) -> None:
    """One caller takes nothing, so that the stream stands in the middle of sending; the model sleeps in the other."""
    raw = socket.create_connection((single.address.host, single.address.port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    body = b'{"x": 4000, "mood": "large"}'
    head = "POST /endpoints/adder/invocations HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n"
    raw.sendall(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    number = raw.recv(1000).partition(b"taxiway-prediction-id: ")[2].partition(b"\r\n")[0].decode()
    time.sleep(0.5)
    began = time.monotonic()
    single.change("adder", is_stopped=True)
    until(lambda: find(single.home, number) != [], wait_s=10.0)
    took_s = time.monotonic() - began
    raw.close()

    assert "stopped" in str(find(single.home, number)[0].error)
    assert took_s < 1.5
