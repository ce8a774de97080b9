"""Answers in pieces over a real gateway: as they are made, no faster than they are taken, never cut in silence."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from taxiway.endpoints.gateway.status import rss_bytes
from taxiway.endpoints.inferences.log import find
from tests.endpoints.conftest import Site, until

Event = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`adder` with two workers."""
    site = Site(tmp_path_factory.mktemp("streaming") / "home")
    try:
        site.deploy_folder(site.bundle(1, "1"), workers=2)
        site.start()
        site.until_live()
        until(lambda: len(site.revision().pids) == 2)
        yield site
    finally:
        site.stop()


@contextlib.contextmanager
def stream(site: Site, x: int, mood: str | None = None, accept: str = "text/event-stream") -> Iterator[Any]:
    """The response to a request, as it comes."""
    with contextlib.closing(site.connection()) as connection:
        headers = {"content-type": "application/json", "accept": accept}
        connection.request("POST", "/endpoints/adder/invocations", msgspec.json.encode({"x": x, "mood": mood}), headers)
        yield connection.getresponse()


def events(response: Any) -> Iterator[Event]:
    name = ""
    for line in response:
        if line.startswith(b"event: "):
            name = line[7:-1].decode()
        elif line.startswith(b"data: "):
            yield name, msgspec.json.decode(line[6:])


def test_pieces_come_as_they_are_made_and_are_recorded_before_the_end(streaming: Site) -> None:
    with stream(streaming, 20) as response:
        began = time.monotonic()
        found = events(response)
        first = next(found)
        first_s = time.monotonic() - began
        rest = list(found)
        whole_s = time.monotonic() - began

    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream")
    assert first == ("piece", {"prediction": "0,"})
    assert first_s < whole_s / 2
    assert [name for name, _ in rest] == ["piece"] * 19 + ["end"]
    end = rest[-1][1]
    assert (end["pieces"], end["outcome"]) == (20, "complete")
    [record] = find(streaming.home, end["prediction_id"])
    assert record.outputs is not None
    assert record.outputs["prediction"] == "".join(f"{n}," for n in range(20))
    assert record.outputs["pieces"] == 20
    assert record.outputs["first_ms"] < record.latency_ms


def test_lines_are_given_to_who_asks_for_them(streaming: Site) -> None:
    with stream(streaming, 2, accept="application/x-ndjson") as response:
        lines = [msgspec.json.decode(line) for line in response]

    assert [next(iter(each)) for each in lines] == ["piece", "piece", "end"]


def test_the_other_worker_answers_meanwhile(streaming: Site) -> None:
    with stream(streaming, 60) as response:
        next(events(response))
        began = time.monotonic()
        answers = [streaming.ask({"x": 1}).status for _ in range(10)]
        assert time.monotonic() - began < 1.0

    assert answers == [200] * 10


@pytest.mark.parametrize(("mood", "error"), [("raise", "ModelRaised"), ("die", "StreamCut")])
def test_what_breaks_in_the_middle_is_told_and_recorded(streaming: Site, mood: str, error: str) -> None:
    with stream(streaming, 5, mood) as response:
        *pieces, (last, told) = events(response)

    assert [name for name, _ in pieces] == ["piece", "piece"]
    assert (last, told["error"]) == ("error", error)
    [record] = find(streaming.home, told["request_id"])
    assert (record.status, record.outputs) == ("failed", None)
    assert "2 pieces" in str(record.error)
    until(lambda: len(streaming.revision().pids) == 2)


def test_a_worker_that_is_killed_in_the_middle_ends_the_stream_with_an_error(streaming: Site) -> None:
    with stream(streaming, 200) as response:
        found = events(response)
        next(found)
        for pid in streaming.revision().pids:
            os.kill(pid, signal.SIGKILL)
        *_, (last, told) = found

    assert (last, told["error"]) == ("error", "StreamCut")
    until(lambda: len(streaming.revision().pids) == 2 and streaming.revision().state == "ready")


def test_who_hangs_up_has_the_worker_stop(streaming: Site) -> None:
    with stream(streaming, 1000) as response:
        next(events(response))
        number = response.headers["taxiway-prediction-id"]
        response.close()

    until(lambda: streaming.revision().in_flight == 0, wait_s=5.0)  # the whole would have taken twenty seconds
    until(lambda: find(streaming.home, number) != [])
    [record] = find(streaming.home, number)
    assert (record.status, "the caller hung up" in str(record.error)) == ("abandoned", True)


def test_a_slow_reader_holds_the_worker_and_fills_no_memory(streaming: Site) -> None:
    before = rss_bytes(streaming.address.pid)
    raw = socket.create_connection((streaming.address.host, streaming.address.port))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    body = b'{"x": 4000, "mood": "large"}'  # some 200 MB
    head = "POST /endpoints/adder/invocations HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n"
    raw.sendall(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
    raw.recv(1000)
    time.sleep(1.0)

    grown = rss_bytes(streaming.address.pid) - before
    answers = [streaming.ask({"x": 1}).status for _ in range(5)]
    raw.close()

    assert grown < 30 << 20
    assert answers == [200] * 5
    until(lambda: streaming.revision().in_flight == 0)


def test_a_rollout_waits_for_streams_and_a_stop_does_not(streaming: Site) -> None:
    with stream(streaming, 100) as response:
        found = events(response)
        next(found)
        streaming.deploy("2")
        streaming.until_live(2)
        *_, (last, _) = found
    assert last == "end"

    with stream(streaming, 300) as response:
        found = events(response)
        next(found)
        streaming.change("adder", is_stopped=True)
        *_, (last, told) = found
    assert (last, told["error"]) == ("error", "EndpointStopped")
    streaming.change("adder", is_stopped=False)
    streaming.until_live(2)
