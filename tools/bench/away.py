"""What a training pays while its server is away, and how fast everything arrives afterwards."""

from __future__ import annotations

import gc
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from taxiway.client import connect
from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Address, Transport
from taxiway.runs.active import ActiveRun
from taxiway.runs.client import Runs
from tools.bench.figure import Figure, figure
from tools.bench.serving import running_server

RUNS = 5
POINTS = 100_000
STEPS = 100
NOWHERE = "http://127.0.0.1:9"


def figures() -> Iterator[Figure]:
    """All of them, each on a spool of its own."""
    logging.getLogger("taxiway").setLevel(logging.ERROR)  # the one warning is not what is measured
    opened, called, slowest = zip(*(outage() for _ in range(RUNS)), strict=True)
    yield figure("`tw.run()` without a server", "ms", 100.0, list(opened))
    yield figure("`run.log` without a server, median call", "µs", 20.0, list(called))
    yield figure("`run.log` without a server, slowest of 100,000 calls", "ms", 100.0, list(slowest))
    yield figure("a training step of some ten milliseconds grows by", "%", 5.0, [slowdown() for _ in range(RUNS)])
    yield figure("delivered after an outage, to a durable answer", "points a second", None, list(caught_up()))


def client_of(folder: str, url: str = NOWHERE) -> Runs:
    settings = Settings(home=Path(folder), url="http://bench", spool=Path(folder) / "spool", system_s=0)
    return Runs(Transport(lambda: Address(url)), settings)


def begun(runs: Runs) -> ActiveRun:
    """A run whose capture of the sources is over."""
    run = runs.start(source=Path(__file__).parent)
    run._capture.thread.join()
    return run


def outage() -> tuple[float, float, float]:
    """Milliseconds to open a run, microseconds of a call of `run.log`, milliseconds of the slowest."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        run = client_of(folder).start(source=Path(__file__).parent)
        opened = time.perf_counter() - start
        run._capture.thread.join()
        took = []
        for step in range(POINTS):
            before = time.perf_counter()
            run.log(step=step, loss=0.5)
            took.append(time.perf_counter() - before)
        run.finish(wait_s=0)
    return opened * 1e3, statistics.median(took) * 1e6, max(took) * 1e3


def slowdown() -> float:
    """By how many percent a step grows that logs two metrics, against one that logs none.

    The two take turns, and their lower quartiles are compared: what else the machine does is not our doing.
    """
    took: tuple[list[float], list[float]] = ([], [])
    with tempfile.TemporaryDirectory() as folder:
        run = begun(client_of(folder))
        gc.collect()
        for step in range(2 * STEPS):
            before = time.perf_counter()
            sum(range(600_000))
            if step % 2:
                run.log(step=step, loss=0.5, accuracy=0.5)
            took[step % 2].append(time.perf_counter() - before)
        run.finish(wait_s=0)
    plain, logged = (statistics.quantiles(times, n=4)[0] for times in took)
    return (logged / plain - 1) * 100


def caught_up() -> Iterator[float]:
    """Points a second from the spool to the disk of a server that came back."""
    with running_server() as running, connect(running.url) as client:
        for _ in range(RUNS):
            with tempfile.TemporaryDirectory() as folder:
                run = begun(client_of(folder))
                for step in range(POINTS):
                    run.log(step=step, loss=0.5)
                run.finish(wait_s=0)
                start = time.perf_counter()
                (one,) = client_of(folder, running.url).sync()
                took = time.perf_counter() - start
                if one.delivered != POINTS or len(client.runs.metric(run.id, "loss")) != POINTS:
                    raise RuntimeError(f"{one.delivered} of {POINTS} points arrived: {one.problem}")
                yield POINTS / took
