"""A client that asks at an even rate and times each answer from the moment its request was due.

wrk sends a request when the one before it was answered, so a server that stalls is asked less while it does.
``python -m tools.serving.paced JSON < BODY`` prints the median and the 99th percentile in milliseconds, and the share
of a core that it took itself.

It shares the machine with what it measures, so it takes as little of it as it can: it sleeps between requests to
within microseconds, goes first where it may, and has the kernel say when an answer arrived.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import socket
import sys
import time
from collections import deque
from typing import Any

import msgspec

WARM_UP = 0.2  # of all requests, whose times are not counted
SO_TIMESTAMPNS = 35
PR_SET_TIMERSLACK = 29
STAMP_BYTES = 16  # seconds and nanoseconds
GIVE_UP_S = 30.0
HEAD_END = b"\r\n\r\n"


class Connection:
    """One connection, on which one request is under way at most."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.due = 0.0
        self.held = b""

    def fileno(self) -> int:
        return self.socket.fileno()

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self.socket.sendall(request)

    def answered_at(self) -> float | None:
        """When the last byte of an answer arrived; None as long as it is not whole."""
        data, (stamp, *_), _, _ = self.socket.recvmsg(1 << 18, socket.CMSG_SPACE(STAMP_BYTES))
        self.held += data
        head, found, body = self.held.partition(HEAD_END)
        if not data or (found and b" 200 " not in head[:16]):
            raise SystemExit(f"an answer that is none: {self.held[:200]!r}")
        if not found or len(body) < length_of(head):
            return None
        self.held = b""
        return int.from_bytes(stamp[2][:8], "little") + int.from_bytes(stamp[2][8:STAMP_BYTES], "little") / 1e9


def length_of(head: bytes) -> int:
    lowered = head.lower()
    return int(lowered[lowered.index(b"content-length:") + 15 :].split(b"\r\n", 1)[0])


def request_of(asked: dict[str, Any], body: bytes) -> bytes:
    heads = "".join(f"{name}: {value}\r\n" for name, value in asked["headers"].items())
    first = f"POST {asked['path']} HTTP/1.1\r\nHost: {asked['host']}:{asked['port']}\r\n"
    return f"{first}{heads}Content-Length: {len(body)}\r\n\r\n".encode() + body


def latencies(asked: dict[str, Any], body: bytes) -> list[float]:
    """Seconds from when each request was due until its answer was there, in the order of the answers."""
    request, every_s, wanted = request_of(asked, body), 1 / asked["rate"], int(asked["rate"] * asked["seconds"])
    connections = [Connection((asked["host"], asked["port"])) for _ in range(asked["connections"])]
    free, late = deque(connections), deque[float]()
    busy: set[Connection] = set()
    took: list[float] = []
    sent, began = 0, time.time() + 0.05
    while len(took) < wanted:
        now = time.time()
        while sent < wanted and began + sent * every_s <= now:
            late.append(began + sent * every_s)
            sent += 1
        while late and free:
            connection = free.popleft()
            connection.ask(request, late.popleft())
            busy.add(connection)
        wait_s = max(0.0, began + sent * every_s - time.time()) if sent < wanted else GIVE_UP_S
        for connection in select.select(busy, (), (), wait_s)[0]:
            at = connection.answered_at()
            if at is not None:
                took.append(at - connection.due)
                busy.remove(connection)
                free.append(connection)
        if sent == wanted and time.time() > began + asked["seconds"] + GIVE_UP_S:
            raise SystemExit(f"{wanted - len(took)} of {wanted} requests were not answered")
    return took


def go_first() -> None:
    """Wakes in time: no slack of timers, and before other processes, where that is allowed."""
    ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def main() -> None:
    asked = msgspec.json.decode(sys.argv[1], type=dict[str, Any])
    body = sys.stdin.buffer.read()
    gc.disable()
    go_first()
    began, spent = time.perf_counter(), time.process_time()
    took = latencies(asked, body)
    share = (time.process_time() - spent) / (time.perf_counter() - began)
    counted = sorted(took[int(len(took) * WARM_UP) :])
    found = [*(counted[int(len(counted) * quantile)] * 1000 for quantile in (0.5, 0.99)), share]
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
