"""Emptying the trash while others upload, with the server killed in the middle: nothing named is ever gone."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from taxiway.client import Client, connect
from taxiway.kernel.errors import TaxiwayError
from tests.runs.outage import free_port

pytestmark = [pytest.mark.fault, pytest.mark.slow]

ROUNDS = 4
GRACE_S = 3.0


class Platform:
    """A server in a process of its own, which can be killed and started again."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "taxiway", "server", "--home", str(self.home), "--port", str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            with contextlib.suppress(TaxiwayError), connect(self.url) as client:
                client.runs.experiments()
                return
            time.sleep(0.1)
        raise AssertionError("the server did not start")

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()


def upload(url: str, number: int, stop: threading.Event) -> None:
    """Logs runs with a file of their own and one that others have as well; sets every second one aside."""
    done = 0
    with connect(url) as client:
        while not stop.is_set():
            done += 1
            try:
                with client.runs.start(f"w{number}-{done}") as run:
                    run.log_artifact(f"{number} {done} ".encode() * 2_000, "own.txt")
                    run.log_artifact(f"shared {done % 3} ".encode() * 2_000, "shared.txt")
                if done % 2:
                    client.runs.delete(run.id)
            except TaxiwayError:
                time.sleep(0.2)  # the server is away: the next run


def empty(url: str, stop: threading.Event) -> None:
    with connect(url) as client:
        while not stop.is_set():
            try:
                client.runs.empty_trash(grace_s=GRACE_S)
            except TaxiwayError:
                time.sleep(0.05)


def named(client: Client) -> set[str]:
    """Every digest that a run of the platform names, each fetched and checked."""
    found: set[str] = set()
    for run in client.runs.list(limit=5_000):
        for artifact in client.runs.artifacts(run.id):
            if artifact.digest not in found:
                place = client.runs.download(run.id, artifact.path, "fetched")
                assert artifact.digest == f"sha256:{hashlib.sha256(place.read_bytes()).hexdigest()}"
            found.add(artifact.digest)
    return found


def test_nothing_that_is_named_goes_and_nothing_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAXIWAY_HOME", str(tmp_path / "own"))
    platform, stop = Platform(tmp_path / "home"), threading.Event()
    work = [threading.Thread(target=upload, args=(platform.url, number, stop)) for number in range(2)]
    work.append(threading.Thread(target=empty, args=(platform.url, stop)))
    try:
        for thread in work:
            thread.start()
        for _ in range(ROUNDS):
            time.sleep(GRACE_S + 1)
            platform.kill()
            platform.start()
        stop.set()
        for thread in work:
            thread.join()
        with connect(platform.url) as client:
            before = named(client)
            client.runs.empty_trash(grace_s=0)
            kept = named(client)
    finally:
        stop.set()
        platform.kill()

    on_disk = {f"sha256:{file.name}" for file in (tmp_path / "home" / "blobs" / "sha256").glob("*/*")}
    assert before == kept
    assert on_disk == kept
    assert len(kept) > 4
