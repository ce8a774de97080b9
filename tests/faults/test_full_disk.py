"""A disk that is full: every way to write says so, reads go on, and once there is room again nothing has to be done."""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from taxiway.kernel.ids import new_id
from taxiway.runs.contract import Course, LogBatch, StartRun
from tests.faults.traced import READY_WITHIN_S, answers

pytestmark = pytest.mark.fault

SIZE = "48m"
JSON = "application/json"
FULL = (503, 507)


@dataclass
class Small:
    """A server whose home is a disk of its own. inside: that disk, seen from here."""

    port: int
    inside: Path

    def ask(self, method: str, path: str, body: object = None, *, kind: str = JSON) -> tuple[int, Any]:
        """The status of an answer, and what it says."""
        asking = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        data = body if isinstance(body, bytes) else None if body is None else msgspec.json.encode(body)
        asking.request(method, path, data, {"Content-Type": kind})
        answer = asking.getresponse()
        text = answer.read()
        asking.close()
        return answer.status, msgspec.json.decode(text) if text[:1] in (b"{", b"[") else text

    def fill(self) -> None:
        """Leaves no room at all."""
        with (self.inside / "ballast").open("ab", buffering=0) as ballast:
            for size in (1 << 20, 1 << 12, 1):
                try:
                    while ballast.write(bytes(size)) == size:
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.inside / "ballast").unlink()


@contextmanager
def small_disk(home: Path) -> Iterator[Small]:
    """A server on a disk of a few megabytes, which is gone with it."""
    if shutil.which("unshare") is None or os.geteuid() != 0:
        pytest.fail("not run: only root may mount a small disk")
    home.mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = f"exec {sys.executable} -m taxiway server --home {home} --port {port}"
    command = ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size={SIZE} tmpfs {home} && {server}"]
    with (home.parent / "said").open("wb") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
    try:
        until = time.monotonic() + READY_WITHIN_S
        while not answers(port):
            if process.poll() is not None:
                pytest.fail(f"not run: no small disk can be mounted here: {(home.parent / 'said').read_text()[-300:]}")
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        yield Small(port, Path(f"/proc/{process.pid}/root{home}"))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def blob(text: str, size: int) -> tuple[str, bytes]:
    data = (text * (size // len(text) + 1)).encode()[:size]
    return f"sha256:{hashlib.sha256(data).hexdigest()}", data


def batch(writer: str, start: int, points: int) -> LogBatch:
    steps = list(range(start, start + points))
    return LogBatch(writer, start, courses=[Course("loss", steps, [1] * points, [step / 3 for step in steps])])


def test_a_full_disk_is_said_on_every_way_to_write_and_gone_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small") as server:
        run = server.ask("POST", "/api/runs", StartRun(project="default"))[1]["id"]
        writer, acknowledged = new_id(), 0
        for start in range(0, 2_000, 500):
            assert server.ask("POST", f"/api/runs/{run}/batches", batch(writer, start, 500))[0] == 200
            acknowledged = start + 500
        digest, data = blob("a file ", 3 << 20)
        metrics = [{"key": f"k{n}", "value": n, "timestamp": 1, "step": n} for n in range(500)]
        ways: dict[str, tuple[str, str, object, str]] = {
            "a file": ("PUT", f"/api/blobs/{digest}", data, "application/octet-stream"),
            "a file of MLflow's": (
                "PUT",
                f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/big.bin",
                data,
                "application/octet-stream",
            ),
            "a run": ("POST", "/api/runs", StartRun(project="default"), JSON),
            "a batch": ("POST", f"/api/runs/{run}/batches", batch(writer, acknowledged, 500), JSON),
            "a batch of MLflow's": (
                "POST",
                "/api/2.0/mlflow/runs/log-batch",
                {"run_id": run, "metrics": metrics},
                JSON,
            ),
            "a project": ("POST", "/api/projects", {"name": "full"}, JSON),
            "an import": ("PUT", "/api/imports/theirs", {"origin": "there"}, JSON),
        }
        server.fill()
        fill_wal(server, run)

        refused = {name: server.ask(way[0], way[1], way[2], kind=way[3])[0] for name, way in ways.items()}
        read = server.ask("GET", f"/api/runs/{run}")[0]
        left = list((server.inside / "blobs" / "incoming").iterdir())
        server.make_room()
        taken = {name: server.ask(way[0], way[1], way[2], kind=way[3])[0] for name, way in ways.items()}
        points = server.ask("GET", f"/api/runs/{run}/metrics?key=loss&limit=100000")[1]

    assert {name: status for name, status in refused.items() if status not in FULL} == {}
    assert read == 200
    assert left == []
    assert {name: status for name, status in taken.items() if status != 200} == {}
    assert [point["step"] for point in points["items"]] == list(range(2_500))


def fill_wal(server: Small, run: str) -> None:
    """Uses up what room the database's own files still have within them: the log of its writes is used again and again
    from its beginning, so that small changes still fit in."""
    for number in range(200):
        tags = {f"t{number}-{one}": "x" * 4_000 for one in range(40)}
        if server.ask("POST", f"/api/runs/{run}/batches", LogBatch(new_id(), 0, tags=tags))[0] in FULL:
            return
    pytest.fail("the disk never became full")
