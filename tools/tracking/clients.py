"""What clients themselves can do with a large file, against a server that costs next to nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench.figure import written
from tools.bench.serving import free_port
from tools.moving.source import PYTHON as MLFLOW_PYTHON
from tools.tracking import work
from tools.tracking.servers import QUIET, Serving, serving

# MLflow's own part of its client for the proxy, its modules loaded before the clock starts.
CLIENT = """
import json, os, sys, tempfile, time
from mlflow.store.artifact.http_artifact_repo import HttpArtifactRepository
repo = HttpArtifactRepository(sys.argv[1] + "/api/2.0/mlflow-artifacts/artifacts/0/run/artifacts")
size = int(sys.argv[2])
with tempfile.TemporaryDirectory() as folder:
    file = os.path.join(folder, "weights.bin")
    with open(file, "wb") as f:
        f.truncate(size << 20)
    start = time.perf_counter()
    repo.log_artifact(file)
    up = size / (time.perf_counter() - start)
    os.remove(file)
    start = time.perf_counter()
    repo.download_artifacts("weights.bin", folder)
    down = size / (time.perf_counter() - start)
    assert os.path.getsize(file) == size << 20
print(json.dumps([up, down]))
"""


@contextmanager
def sink(folder: Path) -> Iterator[Serving]:
    port = free_port()
    command = [sys.executable, str(Path(__file__).with_name("sink.py")), str(port)]
    with serving("sink", command, port, folder) as server:
        yield server


def limits(folder: Path, megabytes: int) -> list[tuple[str, str]]:
    """MB a second of MLflow's client and of the bare one that the table above is measured with."""
    with sink(folder) as server:
        command = [str(MLFLOW_PYTHON), "-W", "ignore", "-c", CLIENT, server.url, str(megabytes)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **QUIET})
        up, down = json.loads(done.stdout.splitlines()[-1])
        bare = (work.artifact_up(server, megabytes), work.artifact_down(server, megabytes))
    away, zeros = "to a server that throws them away", "from a server that sends zeros"
    return [
        (f"MLflow's client, {megabytes} MB up {away}", f"{written(up)} MB/s"),
        (f"MLflow's client, {megabytes} MB down {zeros}", f"{written(down)} MB/s"),
        (f"the client of this table, {megabytes} MB up {away}", f"{written(bare[0])} MB/s"),
        (f"the client of this table, {megabytes} MB down {zeros}", f"{written(bare[1])} MB/s"),
    ]
