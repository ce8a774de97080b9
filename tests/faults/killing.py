"""A server that is killed again and again amid batches, and what is held against it: the history of every client.

A batch is acknowledged (2xx), refused, or unknown: sent, but never answered. Whatever was acknowledged must be there
afterwards, nothing twice, and of an unknown batch all or nothing.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from taxiway.client import Client, connect
from taxiway.kernel.ids import new_id
from taxiway.runs import contract
from taxiway.runs.contract import Course, LogBatch, StartRun

POINTS = 100  # in a batch
KEYS = ("loss", "accuracy")
READY_WITHIN_S = 60.0


@dataclass
class History:
    """What one client sent: the first step of every batch, by what it came to."""

    acknowledged: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass
class Figures:
    """What some kills came to."""

    seed: int
    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    halves: int = 0
    unknown: int = 0
    restarts_s: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        restarts = sorted(self.restarts_s)
        return (
            f"{self.kills} kills (seed {self.seed}): {self.acknowledged:,} points acknowledged, {self.lost} lost, "
            f"{self.doubled} doubled, {self.halves} half batches, {self.unknown} batches unknown; "
            f"restart {restarts[len(restarts) // 2]:.1f} s, at most {restarts[-1]:.1f} s"
        )


class Server:
    """A server process of a home, which can be killed and started again at its port."""

    def __init__(self, home: Path) -> None:
        self.home = home
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """The seconds until it answers."""
        begun = time.monotonic()
        command = [sys.executable, "-m", "taxiway", "server", "--home", str(self.home), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() - begun > READY_WITHIN_S:
                raise RuntimeError("the server did not start")
            time.sleep(0.02)
        return time.monotonic() - begun

    def answers(self) -> bool:
        try:
            asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
            with contextlib.closing(asking):
                asking.request("GET", "/health")
                return asking.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def kill(self) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(READY_WITHIN_S)

    @contextlib.contextmanager
    def client(self) -> Iterator[Client]:
        with connect(f"http://127.0.0.1:{self.port}") as client:
            yield client


class Writer(threading.Thread):
    """A client that sends batch after batch, each once, until it is told to stop or the connection breaks."""

    def __init__(self, port: int, run: str, first_step: int) -> None:
        super().__init__()
        self.port = port
        self.run_id = run
        self.step = first_step
        self.writer = new_id()
        self.history = History()
        self.is_stopped = False

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = 0
        while not self.is_stopped:
            steps = list(range(self.step, self.step + POINTS))
            courses = [Course(key, steps, [1] * POINTS, [step / 3 for step in steps]) for key in KEYS]
            body = msgspec.json.encode(LogBatch(self.writer, sent, courses=courses))
            try:
                headers = {"Content-Type": "application/json"}
                connection.request("POST", f"/api/runs/{self.run_id}/batches", body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                self.history.unknown.append(self.step)
                break
            if answer.status == 200:
                self.history.acknowledged.append(self.step)
            else:
                self.history.refused.append(f"{answer.status} {text[:200]!r}")
            self.step += POINTS
            sent += POINTS * len(KEYS)
        connection.close()


def kill_amid_batches(home: Path, *, kills: int, seed: int, clients: int = 4, longest_s: float = 2.0) -> Figures:
    """Kills a server at random moments while clients log to a run of their own each, and reads back what is there."""
    draw = random.Random(seed)
    figures, server = Figures(seed), Server(home)
    server.start()
    with server.client() as client:
        runs = [client.transport.call(contract.start_run, StartRun(project="default")).id for _ in range(clients)]
    histories: dict[str, list[History]] = {run: [] for run in runs}
    for number in range(kills):
        writers = [Writer(server.port, run, number * 10**6) for run in runs]
        for writer in writers:
            writer.start()
        time.sleep(0.2 + draw.random() * longest_s)
        server.kill()
        figures.kills += 1
        for writer in writers:
            writer.is_stopped = True
            writer.join()
            histories[writer.run_id].append(writer.history)
        figures.restarts_s.append(server.start())
    with server.client() as client:
        for run in runs:
            judge(client, run, histories[run], figures)
    server.stop()
    return figures


def judge(client: Client, run: str, histories: list[History], figures: Figures) -> None:
    """Adds what a run has lost, doubled or torn."""
    found = {key: Counter(point.step for point in client.runs.metric(run, key)) for key in KEYS}
    expected = {step + n for one in histories for step in one.acknowledged for n in range(POINTS)}
    unknown = [step for one in histories for step in one.unknown]
    figures.unknown += len(unknown)
    for counts in found.values():
        figures.acknowledged += len(expected)
        figures.lost += len(expected - counts.keys())
        figures.doubled += sum(count - 1 for count in counts.values())
    for step in unknown:
        there = sum(step + n in found[key] for key in KEYS for n in range(POINTS))
        figures.halves += there not in (0, POINTS * len(KEYS))
    refused = [text for one in histories for text in one.refused]
    assert refused == []
    possible = expected | {step + n for step in unknown for n in range(POINTS)}
    assert all(counts.keys() <= possible for counts in found.values())
