"""What Taxiway costs at work: logging, acknowledged writes, predictions."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pandas as pd
from sklearn.linear_model import LogisticRegression

from taxiway.client import Client, connect
from taxiway.kernel.ids import new_id
from taxiway.runs import contract
from taxiway.runs.contract import LogBatch, Point
from tools.bench.figure import Figure, figure
from tools.bench.serving import running_server

RUNS = 5
CALLS = 50_000
CLIENTS = 8
WRITING_S = 3.0
REQUESTS = 1000
PATH = "path: open\nstages: {}\n"


def figures() -> Iterator[Figure]:
    """All of them on one server."""
    with running_server() as running, connect(running.url) as client:
        client.gates.publish(PATH)
        client.projects.create("bench", path="open")
        logged = [log_points(client) for _ in range(RUNS)]
        yield figure("`run.log` with one metric", "µs", None, [call_us for call_us, _ in logged])
        yield figure("points of one run, until all are stored", "a second", None, [rate for _, rate in logged])
        writes = [writes_per_s(client) for _ in range(RUNS)]
        yield figure(f"acknowledged writes, {CLIENTS} clients", "a second", None, writes)
        gateway = deploy(client)
        took = [answer_ms(gateway) for _ in range(RUNS)]
        yield figure("one row predicted through the gateway, p50", "ms", None, [p50 for p50, _ in took])
        yield figure("one row predicted through the gateway, p99", "ms", None, [p99 for _, p99 in took])


def log_points(client: Client) -> tuple[float, float]:
    """What one call costs the loop that makes it, and how many points a second are on the server's disk in the end."""
    with client.runs.start(project="bench") as run:
        start = time.perf_counter()
        for step in range(CALLS):
            run.log(step=step, loss=0.5)
        logged = time.perf_counter()
        run.flush()
        stored = time.perf_counter()
    return (logged - start) / CALLS * 1e6, CALLS / (stored - start)


def writes_per_s(client: Client) -> float:
    """How many batches of one point are acknowledged a second, sent by several clients at once."""
    counts = [0] * CLIENTS
    with client.runs.start(project="bench") as run:
        until = time.perf_counter() + WRITING_S

        def write(number: int) -> None:
            writer, sent = new_id(), 0
            while time.perf_counter() < until:
                point = Point(key=f"client {number}", value=0.5, step=sent, at=datetime.now(UTC))
                client.transport.call(contract.log_batch, LogBatch(writer, sent, [point]), run=run.id)
                sent += 1
            counts[number] = sent
            client.transport.close()

        threads = [threading.Thread(target=write, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sum(counts) / WRITING_S


def deploy(client: Client) -> str:
    """A small model in production; the gateway's address."""
    rows = pd.DataFrame({name: [0.0, 1.0, 2.0, 3.0] * 25 for name in ("age", "income", "debt")})
    with client.runs.start(project="bench") as run:
        run.log_model(LogisticRegression().fit(rows, [0, 0, 1, 1] * 25), "bench", example=rows)
    client.models.promote("bench@1", "production", reason="to be measured")
    client.endpoints.deploy("bench", "bench@1")
    return client.endpoints.show("bench").gateway


def answer_ms(gateway: str) -> tuple[float, float]:
    """The median and the 99th percentile over single rows, one after the other."""
    parts = urlsplit(gateway)
    connection = http.client.HTTPConnection(parts.netloc)
    body = json.dumps({"age": 1.0, "income": 2.0, "debt": 0.5})
    took: list[float] = []
    for _ in range(REQUESTS):
        start = time.perf_counter()
        connection.request("POST", "/endpoints/bench/invocations", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        took.append((time.perf_counter() - start) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"the gateway answered {answer.status}: {text[:200]!r}")
    connection.close()
    return statistics.median(took), statistics.quantiles(took, n=100)[98]
