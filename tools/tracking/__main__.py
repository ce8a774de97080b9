"""Tracking held against MLflow's own server: ``python -m tools.tracking [--seconds S] [--rounds N]``.

Both servers run all the time, each as it starts by default, and every measurement takes its turn on one and then on
the other, so that whatever else the machine does falls on both. Medians over the rounds; what is told is the ratio.
"""

from __future__ import annotations

import argparse
import datetime
import os
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.support.browser import installed_chromium
from tools.bench.__main__ import machine
from tools.bench.figure import written
from tools.bench.page import put_section
from tools.tracking import clients, limits, searches, work
from tools.tracking.rows import Line, Measure, Row, verdict
from tools.tracking.searches import Sizes
from tools.tracking.servers import mlflow_server, taxiway_server
from tools.tracking.stores import Stores, postgres_stores


@dataclass(frozen=True)
class Asked:
    """How much is measured. is_kept: whether it is written to the page."""

    seconds: float
    rounds: int
    megabytes: int
    sizes: Sizes
    is_postgres: bool
    is_kept: bool


def rows(seconds: float, megabytes: int) -> list[Row]:
    def alike(name: str, unit: str, at_least: float, measure: Measure) -> Row:
        return Row(name, unit, at_least, measure, measure)

    by_client = partial(work.through_client, seconds=seconds)
    batches = partial(by_client, what="log_batch")
    return [
        alike("`log_metric`, MLflow's client, one writer", "calls/s", 4, partial(by_client, what="log_metric")),
        alike("`log_metric`, HTTP, 32 connections", "calls/s", 20, partial(work.metrics_by_http, seconds=seconds)),
        alike("`log_batch` of 1,000, MLflow's client", "points/s", 5, batches),
        Row(
            "the same, against our client's `run.log` to a durable answer",
            "points/s",
            30,
            batches,
            partial(work.through_ours, points=int(100_000 * seconds)),
        ),
        alike("batches, HTTP, 8 processes", "points/s", 40, partial(work.batches_by_http, seconds=seconds)),
        alike(
            "runs with 5 parameters and 5 metrics, MLflow's client", "runs/s", 4, partial(by_client, what="create_run")
        ),
        alike("history of 100,000 points, HTTP", "histories/s", 20, partial(work.history_by_http, seconds=seconds)),
        alike(f"{megabytes} MB up through the proxy", "MB/s", 3, partial(work.artifact_up, megabytes=megabytes)),
        alike(f"{megabytes} MB down", "MB/s", 3, partial(work.artifact_down, megabytes=megabytes)),
    ]


def main() -> None:
    asked = parse()
    installed_chromium()  # rather than find that it is missing when all else was measured
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        stores = stack.enter_context(postgres_stores()) if asked.is_postgres else Stores()
        measured, memory = measure(folder, stores, asked)
        found = searches.lines(folder, stores, asked.sizes, rounds=asked.rounds, seconds=asked.seconds)
        for line in found:
            print(" | ".join(line), flush=True)
        edge = [
            ("SQLite's `executemany`, 1,000 rows to a commit", f"{written(limits.rows_per_s(folder, 3))} rows/s"),
            ("the same, one row to a commit", f"{written(limits.rows_per_s(folder, 3, in_a_commit=1))} commits/s"),
            ("writing to the disk", f"{written(work.disk_mb_per_s(folder))} MB/s"),
            ("SHA-256", f"{written(work.digest_mb_per_s())} MB/s"),
            *clients.limits(folder, asked.megabytes),
        ]
    text = told([*measured, memory, *found], edge, asked)
    print(text)
    if asked.is_kept:
        put_section(f"Against MLflow, both on {'PostgreSQL' if asked.is_postgres else 'SQLite'}", text)


def measure(folder: Path, stores: Stores, asked: Asked) -> tuple[list[Line], Line]:
    """What both did with each kind of work, and what memory they took before any."""
    homes = [folder / name for name in ("mlflow", "taxiway")]
    for home in homes:
        home.mkdir()
    with (
        mlflow_server(homes[0], store=stores.mlflow()) as mlflow,
        taxiway_server(homes[1], database=stores.taxiway()) as taxiway,
    ):
        memory = memory_line(mlflow.resident_mb(), taxiway.resident_mb())
        measured = rows(asked.seconds, asked.megabytes)
        for _ in range(asked.rounds):
            for row in measured:
                row.measure(mlflow, taxiway)
                print(" | ".join(row.cells()), flush=True)
    return [row.cells() for row in measured], memory


def memory_line(theirs: float, ours: float) -> Line:
    share = f"**1/{written(theirs / ours)}**"
    must = verdict("≤ 1/10", is_kept=ours <= theirs / 10)
    return "memory at rest, all processes (PSS)", f"{written(theirs)} MB", f"{written(ours)} MB", share, must


def told(measured: list[Line], edge: list[tuple[str, str]], asked: Asked) -> str:
    lines = [("work", "MLflow 3.17.2", "Taxiway", "ratio", "must"), ("---",) * 5, *measured]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    limit = "\n".join(
        f"| {name} | {value} |" for name, value in (("limit of this machine", "measured"), ("---", "---"), *edge)
    )
    day = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    load = f"{os.getloadavg()[0]:.1f}"
    return f"""`make bench-tracking`, {day} on {machine()}, load {load} at the end. Every answer of ours is on the disk
(fsync) when it comes. Both servers run as they start by default and take turns on one machine, which
they share with their clients; {asked.rounds} rounds of {asked.seconds:g} s, medians of the rounds, ratios within each.
Runs that are searched have 20 metrics, 10 parameters and 6 tags each and are the same on both, put there by SQL.

{table}

{limit}"""


def parse() -> Asked:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=500, help="of the artifact")
    parser.add_argument("--postgres", action="store_true", help="both servers on one PostgreSQL")
    parser.add_argument("--quick", action="store_true", help="a look: little of everything, the page left as it is")
    given = parser.parse_args()
    if given.quick:
        return Asked(0.5, 1, 20, Sizes(1_000, 5_000), given.postgres, is_kept=False)
    return Asked(given.seconds, given.rounds, given.megabytes, Sizes(), given.postgres, is_kept=True)


if __name__ == "__main__":
    main()
