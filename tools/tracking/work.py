"""What is asked of both servers. Each function gives how much came about in a second."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.moving.source import PYTHON as MLFLOW_PYTHON
from tools.tracking.load import Taken, load, post
from tools.tracking.servers import QUIET, Serving

API = "/api/2.0/mlflow"
CONNECTIONS = 32
WRITERS = 8
IN_A_BATCH = 1000
LONG = 100_000  # points of a history
PIECE = bytes(1 << 20)


def call(server: Serving, path: str, body: dict[str, Any]) -> Any:
    data = json.dumps(body).encode()
    asking = urllib.request.Request(server.url + API + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asking, timeout=120) as answer:
        return json.loads(answer.read())


def open_run(server: Serving) -> str:
    run: str = call(server, "/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
    return run


def checked(taken: Taken) -> Taken:
    """Refuses a measurement in which something was refused."""
    if taken.good != sum(taken.answers.values()):
        raise RuntimeError(f"not everything was answered well: {taken.answers}")
    return taken


# --- through MLflow's own client ---

# One process, its modules loaded and one call made before the clock starts.
CLIENT = """
import json, os, sys, time
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
client, seconds = MlflowClient(sys.argv[1]), float(sys.argv[3])
run = client.create_run("0").info.run_id
now = int(time.time() * 1000)

def log_metric(n):
    client.log_metric(run, "loss", 1 / (n + 1), step=n)
    return 1

def log_batch(n):
    client.log_batch(run, metrics=[Metric("loss", i / 7, now, n * 1000 + i) for i in range(1000)])
    return 1000

def create_run(n):
    new = client.create_run("0").info.run_id
    for i in range(5):
        client.log_param(new, f"p{i}", n)
        client.log_metric(new, f"m{i}", n / (i + 1))
    client.set_terminated(new)
    return 1

act = {"log_metric": log_metric, "log_batch": log_batch, "create_run": create_run}[sys.argv[2]]
act(0)
start, done, n = time.perf_counter(), 0, 1
while time.perf_counter() - start < seconds:
    done += act(n)
    n += 1
print(json.dumps(done / (time.perf_counter() - start)))
"""


def through_client(server: Serving, what: str, seconds: float) -> float:
    command = [str(MLFLOW_PYTHON), "-W", "ignore", "-c", CLIENT, server.url, what, str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **QUIET})
    rate: float = json.loads(done.stdout.splitlines()[-1])
    return rate


# --- over kept connections ---


def metrics_by_http(server: Serving, seconds: float) -> float:
    """log-metric calls over 32 connections, each to a run of its own."""
    runs = [open_run(server) for _ in range(CONNECTIONS)]
    return checked(load(server.url, metric_requests(runs), connections=CONNECTIONS, seconds=seconds)).per_s


def metric_requests(runs: list[str]) -> Callable[[int], bytes]:
    steps = [0] * len(runs)

    def request(number: int) -> bytes:
        steps[number] += 1
        body = {"run_id": runs[number], "key": "loss", "value": 0.5, "step": steps[number]}
        return post(f"{API}/runs/log-metric", json.dumps({**body, "timestamp": now_ms()}).encode())

    return request


def now_ms() -> int:
    return int(time.time() * 1000)


def batches_by_http(server: Serving, seconds: float) -> float:
    """Points a second by log-batch, from eight processes with a connection and a run each."""
    runs = [open_run(server) for _ in range(WRITERS)]
    with ProcessPoolExecutor(WRITERS) as processes:
        done = processes.map(write_batches, [server.url] * WRITERS, runs, [seconds] * WRITERS)
        return sum(done)


def write_batches(url: str, run: str, seconds: float) -> float:
    bodies = batch_bodies(run)
    sent = 0

    def request(_number: int) -> bytes:
        nonlocal sent
        sent += 1
        return post(f"{API}/runs/log-batch", bodies(sent))

    return checked(load(url, request, connections=1, seconds=seconds)).per_s * IN_A_BATCH


def batch_bodies(run: str) -> Callable[[int], bytes]:
    """Batches of a thousand points; the writing of their text is kept out of the time as far as it goes."""
    now = now_ms()
    metrics = [{"key": "loss", "value": i / 7, "timestamp": now, "step": 10**9 + i} for i in range(IN_A_BATCH)]
    text = json.dumps({"run_id": run, "metrics": metrics})
    parts = text.split("1000000")  # each step is 10^9 + i: its first digits change from batch to batch
    return lambda number: f"{1000000 + number}".join(parts).encode()


def history_by_http(server: Serving, seconds: float) -> float:
    """Whole histories of 100,000 points a second."""
    run = open_run(server)
    now = now_ms()
    for start in range(0, LONG, IN_A_BATCH):
        steps = range(start, start + IN_A_BATCH)
        metrics = [{"key": "loss", "value": step / 7, "timestamp": now + step, "step": step} for step in steps]
        call(server, "/runs/log-batch", {"run_id": run, "metrics": metrics})
    address = f"{server.url}{API}/metrics/get-history?run_id={run}&metric_key=loss"
    start_s, count, found = time.perf_counter(), 0, b""
    while not count or time.perf_counter() - start_s < seconds:
        with urllib.request.urlopen(address, timeout=300) as answer:
            found = answer.read()
        count += 1
    if len(json.loads(found)["metrics"]) != LONG:
        raise RuntimeError("the history is not whole")
    return count / (time.perf_counter() - start_s)


def artifact_up(server: Serving, megabytes: int) -> float:
    """MB a second into the proxy."""
    run = open_run(server)
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/weights.bin"
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=300)
    piece = os.urandom(1 << 20)  # a file that is not there yet
    start = time.perf_counter()
    connection.request("PUT", path, (piece for _ in range(megabytes)), {"Content-Length": str(megabytes << 20)})
    if connection.getresponse().read() is None:
        raise RuntimeError("no answer")
    took_s = time.perf_counter() - start
    connection.close()
    (server.folder / "artifact.txt").write_text(path)
    return megabytes / took_s


def artifact_down(server: Serving, megabytes: int) -> float:
    """MB a second out of it again: the file that `artifact_up` left."""
    path = (server.folder / "artifact.txt").read_text()
    start, size = time.perf_counter(), 0
    with urllib.request.urlopen(server.url + path, timeout=300) as answer:
        while piece := answer.read(1 << 20):
            size += len(piece)
    if size != megabytes << 20:
        raise RuntimeError(f"{size} bytes came back")
    return megabytes / (time.perf_counter() - start)


# --- our own client ---

OURS = """
import sys, time, json
import taxiway as tw
client, count = tw.connect(sys.argv[1]), int(sys.argv[2])
with client.runs.start(project="default") as run:
    run.log(step=0, loss=0.5)
    run.flush()
    start = time.perf_counter()
    for step in range(1, count + 1):
        run.log(step=step, loss=0.5)
    run.flush()
    print(json.dumps(count / (time.perf_counter() - start)), flush=True)
"""


def through_ours(server: Serving, points: int) -> float:
    """Points a second by `run.log` in a loop, until `run.flush` says that all of them are on the disk."""
    done = subprocess.run(
        [sys.executable, "-c", OURS, server.url, str(points)],
        check=True,
        capture_output=True,
        text=True,
        cwd=server.folder,
    )
    rate: float = json.loads(done.stdout.splitlines()[-1])
    return rate


def digest_mb_per_s() -> float:
    start = time.perf_counter()
    over = hashlib.sha256()
    for _ in range(256):
        over.update(PIECE)
    return 256 / (time.perf_counter() - start)


def disk_mb_per_s(folder: Path) -> float:
    start = time.perf_counter()
    with (folder / "written").open("wb") as file:
        for _ in range(256):
            file.write(PIECE)
        file.flush()
        os.fsync(file.fileno())
    return 256 / (time.perf_counter() - start)
