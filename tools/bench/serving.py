"""A server on a new home, for as long as something is measured on it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

TAXIWAY = Path(sys.executable).with_name("taxiway")
READY_WITHIN_S = 30.0


class Running(NamedTuple):
    """A server process, where it answers, and the seconds until `/health` did."""

    pid: int
    url: str
    ready_s: float


@contextmanager
def running_server(home: Path | None = None, *options: str) -> Iterator[Running]:
    """A server on a home, by default a new one that is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        command = [str(TAXIWAY), "server", "--home", str(home or folder), "--port", str(port), *options]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            await_health(port, process)
            yield Running(process.pid, f"http://127.0.0.1:{port}", time.perf_counter() - start)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(READY_WITHIN_S)


def await_health(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
    raise RuntimeError(f"`taxiway server` did not answer /health within {READY_WITHIN_S:g} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
