"""A load over kept connections: each sends its next request as soon as the answer to the last one came.

Written on bare sockets, so that the one who asks costs little next to the servers that are measured.
"""

from __future__ import annotations

import selectors
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

NextRequest = Callable[[int], bytes]  # the number of the connection: the next request on it


@dataclass
class Taken:
    """What a load came to. answers: by status; took_s: each answer's time."""

    seconds: float = 0.0
    answers: dict[int, int] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)

    @property
    def good(self) -> int:
        return self.answers.get(200, 0)

    @property
    def per_s(self) -> float:
        return self.good / self.seconds

    def percentile_ms(self, percent: int) -> float:
        return statistics.quantiles(self.took_s, n=100)[percent - 1] * 1000


class Kept:
    """One connection with one request under way."""

    def __init__(self, address: tuple[str, int], number: int) -> None:
        self.number = number
        self.socket = socket.create_connection(address, timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.heard = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self.heard = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status of a whole answer, None while there is more to come."""
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("the server closed a kept connection")
        self.heard += piece
        head, mark, body = self.heard.partition(b"\r\n\r\n")
        if not mark:
            return None
        name, _, rest = head.lower().partition(b"content-length:")
        is_whole = len(body) >= int(rest.split(b"\r\n", 1)[0]) if rest else body.endswith(b"0\r\n\r\n")
        return int(name[9:12]) if is_whole else None


def load(url: str, next_request: NextRequest, *, connections: int, seconds: float) -> Taken:
    """Keeps every connection busy for that long, and waits for what is still under way."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 80)
    kept = [Kept(address, number) for number in range(connections)]
    taken = Taken()
    with selectors.DefaultSelector() as selector:
        for one in kept:
            selector.register(one.socket, selectors.EVENT_READ, one)
        start = time.perf_counter()
        for one in kept:
            one.send(next_request(one.number))
        under_way = len(kept)
        while under_way:
            for one, status, now in answered(selector):
                taken.answers[status] = taken.answers.get(status, 0) + 1
                taken.took_s.append(now - one.sent_at)
                if now - start < seconds:
                    one.send(next_request(one.number))
                else:
                    under_way -= 1
        taken.seconds = time.perf_counter() - start
    for one in kept:
        one.socket.close()
    return taken


def answered(selector: selectors.BaseSelector) -> Iterator[tuple[Kept, int, float]]:
    for key, _ in selector.select(60):
        one: Kept = key.data
        status = one.receive()
        if status is not None:
            yield one, status, time.perf_counter()


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A POST of JSON, as bytes on the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body
