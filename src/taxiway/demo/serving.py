"""The demo's server: a process of its own that starts with the story and ends with it, however the story ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from taxiway.endpoints.gateway.status import start_ticks
from taxiway.endpoints.steering.supervision import stop_gateway
from taxiway.kernel.errors import TaxiwayError

START_S = 40.0
STOP_S = 25.0
POLL_S = 0.02


class ServerFailed(TaxiwayError):
    """The demo's server did not start."""

    status = 503
    said: str
    log: str

    def __str__(self) -> str:
        if self.said.startswith("taxiway: "):  # a refusal, which ends in what to do next
            return self.said.removeprefix("taxiway: ")
        return f"The server did not start: {self.said or 'it ended without a word'}. Its log is {self.log}."


class DemoRunning(TaxiwayError):
    """Another demo is being told in the same home."""

    status = 409
    home: str
    pid: int

    def __str__(self) -> str:
        return (
            f"Process {self.pid} is running the demo in {self.home}. Stop it with Ctrl-C there, or give another folder "
            f"with --home and another port with --port."
        )


class Running(Struct, frozen=True):
    """Two processes, each by pid and the moment it started: pids come again, both together do not."""

    demo: int
    demo_ticks: int | None
    server: int
    server_ticks: int | None


class Server(Struct):
    """The running server."""

    process: subprocess.Popen[bytes]
    url: str

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None


@contextmanager
def serving(home: Path, port: int) -> Iterator[Server]:
    """A server with login over a home, until the block ends; then it, its gateway and its workers are gone.

    Raises ServerFailed, DemoRunning, HomeUnusable.
    """
    log = record_of(home).with_name("server.log")
    make_room(home)
    end_what_was_left(home)
    with log.open("wb") as errors:
        process = start(home, port, errors)
    try:
        remember(home, Running(os.getpid(), start_ticks(os.getpid()), process.pid, start_ticks(process.pid)))
        yield Server(process, ready(process, log))
    finally:
        with undisturbed():
            end(process)
            stop_gateway(home)
            record_of(home).unlink(missing_ok=True)


@contextmanager
def undisturbed() -> Iterator[None]:
    """A second Ctrl-C changes nothing: what is inside has its own time limits, and leaves no process behind."""
    before = {
        number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_room(home: Path) -> None:
    """The home's folder, for its owner alone, and the demo's in it. Raises HomeUnusable."""
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        record_of(home).parent.mkdir(exist_ok=True, mode=0o700)
    except OSError as e:
        from taxiway.storage.home import HomeUnusable  # the whole platform, which the demo's own process does without

        raise HomeUnusable(home=str(home), cause=e.strerror or str(e)) from e


def start(home: Path, port: int, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """The server's process, in a session of its own: a Ctrl-C reaches the demo, which ends things in order."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAXIWAY_")}
    command = [sys.executable, "-m", "taxiway", "server", "--home", str(home), "--port", str(port), "--login"]
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=kept, start_new_session=True
    )


def ready(process: subprocess.Popen[bytes], log: Path) -> str:
    """The URL, once the server says that it answers. Raises ServerFailed."""
    assert process.stdout is not None
    said, until = b"", time.monotonic() + START_S
    while b"\n" not in said and time.monotonic() < until:
        if not select.select([process.stdout], [], [], 0.5)[0]:
            continue
        part = os.read(process.stdout.fileno(), 4096)
        if not part:
            break
        said += part
    url = next((word for word in said.decode().split() if word.startswith("http")), "")
    if not url:
        lines = log.read_text(errors="replace").strip().splitlines()
        raise ServerFailed(said=lines[-1] if lines else "", log=str(log))
    return url


def end(process: subprocess.Popen[bytes]) -> None:
    """Asks the server to stop, and makes it after a while."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def end_what_was_left(home: Path) -> None:
    """Ends the server of a demo that was killed. Raises DemoRunning where the demo is alive."""
    try:
        left = msgspec.json.decode(record_of(home).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return
    if left.demo_ticks is not None and start_ticks(left.demo) == left.demo_ticks:
        raise DemoRunning(home=str(home), pid=left.demo)
    if is_same(left):
        with contextlib.suppress(ProcessLookupError):
            os.kill(left.server, signal.SIGTERM)
        until = time.monotonic() + STOP_S
        while is_same(left) and time.monotonic() < until:
            time.sleep(POLL_S)
        if is_same(left):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left.server, signal.SIGKILL)
    record_of(home).unlink(missing_ok=True)


def is_same(left: Running) -> bool:
    """Whether the server that was noted still runs."""
    return left.server_ticks is not None and start_ticks(left.server) == left.server_ticks


def remember(home: Path, running: Running) -> None:
    beside = record_of(home).with_suffix(".part")
    beside.write_bytes(msgspec.json.encode(running))
    beside.replace(record_of(home))


def record_of(home: Path) -> Path:
    return home / "demo" / "running.json"
