"""A client that asks at an even rate and times each answer from the moment its request was due.

wrk sends a request when the one before it was answered, so a server that stalls is asked less while it does.
``python -m tools.serving.paced JSON < BODY`` prints the median and the 99th percentile in milliseconds.
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

import msgspec
import uvloop

WARM_UP = 0.2  # of all requests, whose times are not counted


class Connection(asyncio.Protocol):
    """One connection, on which one request is under way at most."""

    def __init__(self, pacer: Pacer) -> None:
        self.pacer = pacer
        self.due = 0.0
        self.held = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.pacer.free.append(self)

    def ask(self, due: float) -> None:
        self.due = due
        self.transport.write(self.pacer.request)

    def data_received(self, data: bytes) -> None:
        self.held += data
        head, found, body = self.held.partition(b"\r\n\r\n")
        if not found:
            return
        lowered = head.lower()
        start = lowered.index(b"content-length:") + 15
        if len(body) < int(lowered[start:].split(b"\r\n", 1)[0]):
            return
        if b" 200 " not in head[:16]:
            raise SystemExit(f"an answer that is none: {self.held[:200]!r}")
        self.held = b""
        self.pacer.answered(self, time.perf_counter())


class Pacer:
    """Hands requests to free connections as they fall due."""

    def __init__(self, asked: dict[str, Any], body: bytes) -> None:
        heads = "".join(f"{name}: {value}\r\n" for name, value in asked["headers"].items())
        first = f"POST {asked['path']} HTTP/1.1\r\nHost: {asked['host']}:{asked['port']}\r\n"
        self.request = f"{first}{heads}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.every_s = 1 / asked["rate"]
        self.wanted = int(asked["rate"] * asked["seconds"])
        self.asked = asked
        self.free: list[Connection] = []
        self.took: list[float] = []
        self.late: list[float] = []
        self.is_over = asyncio.Event()

    def answered(self, connection: Connection, at: float) -> None:
        self.took.append(at - connection.due)
        if self.late:
            connection.ask(self.late.pop(0))
        else:
            self.free.append(connection)
        if len(self.took) == self.wanted:
            self.is_over.set()

    async def run(self) -> list[float]:
        loop = asyncio.get_running_loop()
        for _ in range(self.asked["connections"]):
            await loop.create_connection(lambda: Connection(self), self.asked["host"], self.asked["port"])
        began = time.perf_counter() + 0.05
        for number in range(self.wanted):
            due = began + number * self.every_s
            while (wait := due - time.perf_counter()) > 0:  # noqa: ASYNC110  no event tells that time passed
                # A timer may be late by a millisecond, which would be counted as the server's.
                await asyncio.sleep(wait - 0.001 if wait > 0.002 else 0)
            if self.free:
                self.free.pop(0).ask(due)
            else:
                self.late.append(due)
        await self.is_over.wait()
        return sorted(self.took[int(len(self.took) * WARM_UP) :])


def main() -> None:
    asked = msgspec.json.decode(sys.argv[1], type=dict[str, Any])
    took = uvloop.run(Pacer(asked, sys.stdin.buffer.read()).run())
    quantiles = [took[int(len(took) * share)] * 1000 for share in (0.5, 0.99)]
    sys.stdout.buffer.write(msgspec.json.encode(quantiles))


if __name__ == "__main__":
    main()
