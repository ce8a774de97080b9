"""A receiver of deliveries on loopback, which keeps what it is told and answers as it is asked to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from taxiway.hooks.delivering import Couriers
from tests.support.live import Live

PATIENCE_S = 15.0


class Got(NamedTuple):
    """A request that came. headers: by their names in small letters."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)

    @property
    def event(self) -> str:
        return f"{self.told['entity']}.{self.told['action']}"

    def is_signed_with(self, secret: str) -> bool:
        """As the documents of MLflow's webhooks tell receivers to check it."""
        version, _, signature = self.headers["x-mlflow-signature"].partition(",")
        number, seconds = self.headers["x-mlflow-delivery-id"], self.headers["x-mlflow-timestamp"]
        content = number.encode() + b"." + seconds.encode() + b"." + self.body
        expected = base64.b64encode(hmac.digest(secret.encode(), content, hashlib.sha256)).decode()
        is_fresh = abs(time.time() - int(seconds)) < 300
        return version == "v1" and hmac.compare_digest(expected, signature) and is_fresh


class Receiver:
    """answers: the statuses of the next answers; then 200. held: while it is set, nothing is answered."""

    def __init__(self, port: int = 0) -> None:
        self.got: list[Got] = []
        self.answers: list[int] = []
        self.held = threading.Event()
        self.came = threading.Condition()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                status = receiver.take(Got(self.path, headers, body))
                self.send_response(status)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/told"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def take(self, got: Got) -> int:
        with self.came:
            self.got.append(got)
            self.came.notify_all()
            status = self.answers.pop(0) if self.answers else 200
        until = time.monotonic() + PATIENCE_S
        while self.held.is_set() and time.monotonic() < until:
            time.sleep(0.01)
        return status

    def wait(self, count: int = 1) -> list[Got]:
        """What came, once that many did."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.got) >= count, PATIENCE_S), f"only {len(self.got)} came"
            return list(self.got)

    def close(self) -> None:
        self.held.clear()
        self.server.shutdown()
        self.server.server_close()


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver(port)
    try:
        yield receiver
    finally:
        receiver.close()


@contextmanager
def delivering(live: Live) -> Iterator[None]:
    """Has a server deliver, as `taxiway server` does by itself."""
    couriers = Couriers(live.house.hooks, every_s=0.02)
    couriers.start()
    try:
        yield
    finally:
        couriers.stop()


def eventually(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)
