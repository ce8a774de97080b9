"""A server that is killed amid uploads, promotions and an import: what was answered stands, once; the rest goes on."""

from __future__ import annotations

import io
import os
import random
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from taxiway.client import Client, connect
from taxiway.compat.mlflow.moving.sql import NEEDED
from taxiway.kernel.errors import TaxiwayError
from taxiway.runs.contract import AddArtifact, StartRun, add_artifact, start_run
from taxiway.storage.blobs import digest_of
from taxiway.storage.contract import put_blob
from tests.faults.killing import Server

pytestmark = pytest.mark.fault

KILLS = int(os.environ.get("KILLS", "4"))
RUNS, POINTS = 300, 200
FLAVORS = b"flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n  sklearn:\n    pickled_model: m.pkl\n"
COLUMNS = {
    "experiments": "experiment_id INTEGER, name TEXT, lifecycle_stage TEXT",
    "runs": "run_uuid TEXT, name TEXT, status TEXT, start_time INTEGER, end_time INTEGER, experiment_id INTEGER, "
    "user_id TEXT, artifact_uri TEXT, lifecycle_stage TEXT",
    "metrics": "key TEXT, value REAL, timestamp INTEGER, run_uuid TEXT, step INTEGER, is_nan INTEGER",
    "params": "key TEXT, value TEXT, run_uuid TEXT",
    "tags": "key TEXT, value TEXT, run_uuid TEXT",
}


def make_mlflow(file: Path) -> str:
    """A database such as MLflow's first versions had, with many points."""
    with sqlite3.connect(file) as connection:
        for name in NEEDED:
            connection.execute(f"CREATE TABLE {name} ({COLUMNS[name]})")
        connection.execute("INSERT INTO experiments VALUES (1, 'theirs', 'active')")
        for number in range(RUNS):
            id_ = f"{number:032x}"
            run = (id_, f"run {number}", "FINISHED", 1, 2, 1, "ann", "", "active")
            connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", run)
            rows = [("loss", step / 3, step, id_, step, 0) for step in range(POINTS)]
            connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.close()
    return f"sqlite:///{file}"


class Work:
    """What clients did until they were told to stop, and what was answered."""

    def __init__(self, url: str, source: str, run: str, open_run: str) -> None:
        """run: one that made a model. open_run: one that takes files."""
        self.url = url
        self.source = source
        self.run = run
        self.open_run = open_run
        self.refused: list[str] = []
        self.stop = threading.Event()
        self.files: dict[str, str] = {}  # of the run, with their digests
        self.promoted: list[int] = []
        self.is_imported = False

    def threads(self) -> list[threading.Thread]:
        return [threading.Thread(target=self.again, args=(act,)) for act in (self.upload, self.promote, self.bring)]

    def again(self, act: Callable[[Client, int], None]) -> None:
        number = 0
        with connect(self.url) as client:
            while not self.stop.is_set():
                number += 1
                try:
                    act(client, number)
                except TaxiwayError as refusal:
                    if refusal.status < 500:
                        self.refused.append(str(refusal))
                    time.sleep(0.05)  # the server is away

    def upload(self, client: Client, number: int) -> None:
        data, path = f"file {number} ".encode() * 20_000, f"files/{number}.bin"
        digest = digest_of(data)
        client.transport.upload(put_blob, io.BytesIO(data), len(data), digest=digest)
        client.transport.call(add_artifact, AddArtifact(path, digest, "text/plain"), run=self.open_run)
        self.files[path] = digest

    def promote(self, client: Client, number: int) -> None:
        made = client.models.register_source("loans", f"runs:/{self.run}/model", run=self.run, folder="model")
        client.models.promote(f"loans@{made.version}", "staging", reason="it is next", archive_others=True)
        self.promoted.append(made.version)

    def bring(self, client: Client, number: int) -> None:
        if self.is_imported:
            time.sleep(0.1)
            return
        self.is_imported = bring(self.url, self.source) == 0


def bring(url: str, source: str) -> int:
    """The exit code of the command."""
    command = [sys.executable, "-m", "taxiway", "import", "mlflow", source, "--json"]
    environment = {**os.environ, "TAXIWAY_URL": url}
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=120).returncode


def test_what_was_answered_amid_kills_stands_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seed = random.SystemRandom().randrange(2**32)
    draw, server = random.Random(seed), Server(tmp_path / "home")
    server.start()
    url = f"http://127.0.0.1:{server.port}"
    with connect(url) as client:
        with client.runs.start("made it") as run:
            run.log_artifact(FLAVORS, "model/MLmodel")
            run.log_artifact(b"weights" * 1_000, "model/m.pkl")
        client.models.create("loans", project="default")
        open_run = client.transport.call(start_run, StartRun(project="default")).id
    work = Work(url, make_mlflow(tmp_path / "mlflow.db"), run.id, open_run)
    threads = work.threads()
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        time.sleep(0.5 + draw.random() * 2)
        server.kill()
        server.start()
    time.sleep(1)
    work.stop.set()
    for thread in threads:
        thread.join()
    imported = bring(url, work.source)

    with connect(url) as client:
        here = client.imports.list()[0]
        counts = client.imports.show(here.source).here
        kept = {one.path: one.digest for one in client.runs.artifacts(open_run)}
        entries = [[entry.stage for entry in client.models.stages(f"loans@{number}")] for number in work.promoted]
        standing = [one.version for one in client.models.versions("loans") if one.stage == "staging"]
        for path in work.files:
            client.runs.download(open_run, path, tmp_path / "fetched")
        audit = client.audit.verify()
    server.stop()
    with capsys.disabled():
        said = f"{len(work.files)} files, {len(work.promoted)} promotions, {counts.points:,} points"
        print(f"\n{KILLS} kills (seed {seed}): {said}")

    assert imported == 0
    assert (counts.runs, counts.points) == (RUNS, RUNS * POINTS)
    assert work.files.items() <= kept.items()
    assert work.refused == []
    assert min(len(work.promoted), len(work.files)) > 1
    assert all(stages.count("staging") == 1 for stages in entries)
    assert len(standing) == 1
    assert audit.is_intact
