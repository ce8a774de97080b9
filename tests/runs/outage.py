"""Servers that are away, hang, fail or lose their answers, for tests of a client that must not mind."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.errors import ServerAway
from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Address, Transport
from taxiway.runs.client import Runs

NOWHERE = "http://127.0.0.1:9"


class Where:
    """An address that tests move about: at first nobody is there."""

    def __init__(self) -> None:
        self.url = NOWHERE

    def __call__(self) -> Address:
        return Address(self.url)


def runs_at(where: Where, spool: Path, **settings: Any) -> Runs:
    """A client of the server at `where`, with a spool of its own."""
    return Runs(Transport(where), settings_of(spool, **settings))


def settings_of(spool: Path, **settings: Any) -> Settings:
    return Settings(home=spool.parent, url="http://a.test", spool=spool, system_s=0.0, **settings)


class Cut(Transport):
    """Reaches the server until it is cut off, kept connections or not."""

    is_cut = False

    def hasty(self, *, timeout_s: float) -> Cut:
        return self

    def call(self, endpoint: Endpoint[Any, Any], body: Any = None, /, **path: Any) -> Any:
        if self.is_cut:
            raise ServerAway(url="http://a.test", cause="cut off")
        return super().call(endpoint, body, **path)


class Losing(Transport):
    """Loses every third answer to a batch after the server has stored it."""

    calls = 0
    lost = 0

    def hasty(self, *, timeout_s: float) -> Losing:
        return self

    def call(self, endpoint: Endpoint[Any, Any], body: Any = None, /, **path: Any) -> Any:
        answer = super().call(endpoint, body, **path)
        if endpoint.path.endswith("/batches"):
            self.calls += 1
            if self.calls % 3 == 1:
                self.lost += 1
                raise ServerAway(url="http://a.test", cause="the answer was lost")
        return answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def answering(answer: bytes | None) -> Iterator[str]:
    """A server that answers every request with the same bytes, or with nothing at all; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            if answer is not None:
                threads.append(threading.Thread(target=say, args=(connection, answer), daemon=True))
                threads[-1].start()

    threads.append(threading.Thread(target=serve, daemon=True))
    threads[0].start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        threads[0].join(5)
        listener.close()
        for connection in held:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)
        for connection in held:
            connection.close()


def say(connection: socket.socket, answer: bytes) -> None:
    try:
        while connection.recv(1 << 16):
            connection.sendall(answer)
    except OSError:
        return


def slowest_of(act: Callable[[int], object], times: int) -> float:
    """How long the slow ones of many calls took, in seconds: the third slowest, for a busy machine stops anyone now
    and then."""
    took = []
    for n in range(times):
        before = time.perf_counter()
        act(n)
        took.append(time.perf_counter() - before)
    return sorted(took)[-3]
