"""More requests than can be answered, and callers that never finish asking."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections import Counter

import msgspec
import pytest

from tests.endpoints.conftest import Site
from tests.endpoints.load import under_load
from tests.faults.serving.conftest import Tell, quantile_ms

pytestmark = pytest.mark.fault
WORK_S = 0.02  # what the model takes for a row, so that capacity is known
CAPACITY = 2 / WORK_S
LASTS_S = 15.0
DRIBBLERS = 80


class Crowd:
    """Requests at a fixed rate, whether or not the earlier ones were answered."""

    def __init__(self, site: Site) -> None:
        self.host, self.port = site.address.host, site.address.port
        body = msgspec.json.encode({"x": WORK_S, "mood": "sleep"})
        head = f"POST /endpoints/adder/invocations HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
        self.request = f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        self.answers: list[tuple[int, float, float, bool]] = []  # status, when it came, what it took, Retry-After

    async def ask(self) -> None:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection(self.host, self.port)
        writer.write(self.request)
        data = await reader.read()
        writer.close()
        now = time.monotonic()
        self.answers.append((int(data[9:12]), now, now - began, b"\r\nretry-after:" in data))

    async def come(self, rate: float, lasts_s: float) -> None:
        async with asyncio.TaskGroup() as group:
            began = time.monotonic()
            for number in range(int(rate * lasts_s)):
                await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
                group.create_task(self.ask())


def test_three_times_what_can_be_answered(pair: Site, tell: Tell) -> None:
    crowd = Crowd(pair)
    began = time.monotonic()

    asyncio.run(crowd.come(3 * CAPACITY, LASTS_S))
    alone = pair.ask({"x": 1})

    within = [a for a in crowd.answers if a[1] - began <= LASTS_S]
    goodput = sum(a[0] == 200 for a in within) / (LASTS_S * CAPACITY)
    refusals = [a for a in crowd.answers if a[0] != 200]
    counts = Counter(a[0] for a in crowd.answers)
    tell(
        "three times the capacity, at a fixed rate",
        "goodput ≥ 80 %, the rest refused quickly with Retry-After",
        asked=len(crowd.answers),
        answered=counts[200],
        goodput=round(goodput, 2),
        refused=len(refusals),
        refusal_p99_ms=quantile_ms([a[2] for a in refusals], 0.99),
        slowest_answer_ms=quantile_ms([a[2] for a in crowd.answers if a[0] == 200], 1.0),
    )
    assert goodput >= 0.8
    assert set(counts) <= {200, 429, 503}
    assert all(a[3] for a in refusals)
    assert quantile_ms([a[2] for a in refusals], 0.99) < 500
    assert alone.status == 200


def test_callers_that_dribble_or_fall_silent_are_dropped_and_slow_nobody(pair: Site, tell: Tell) -> None:
    head = b"POST /endpoints/adder/invocations HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    began = time.monotonic()
    with contextlib.ExitStack() as opened, under_load(pair) as load:
        slow = [
            opened.enter_context(socket.create_connection((pair.address.host, pair.address.port)))
            for _ in range(DRIBBLERS)
        ]
        for number, each in enumerate(slow):
            each.settimeout(0)
            each.send(head if number % 2 else head + b"Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        left = set(slow)
        while left and time.monotonic() - began < 40:
            time.sleep(0.5)
            left = {each for each in left if is_open(each)}
        dropped_s = time.monotonic() - began

    tell(
        "80 callers that never finish a request",
        "dropped ≤ 30 s, the others' p99 < 2 s",
        dropped=DRIBBLERS - len(left),
        all_dropped_after_s=round(dropped_s, 1),
        others_answered=len(load.answers),
        others_failed=len(load.failed) + len(load.broken),
        others_p99_ms=quantile_ms(load.took_s, 0.99),
    )
    assert not left
    assert dropped_s <= 30
    assert (load.failed, load.broken) == ([], [])


def is_open(connection: socket.socket) -> bool:
    """Whether the gateway still waits; sends a byte more where it does."""
    try:
        if not connection.recv(1 << 16):
            return False
    except BlockingIOError:
        pass
    except OSError:
        return False
    with contextlib.suppress(OSError):
        connection.send(b"x")
    return True
