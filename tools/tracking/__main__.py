"""Tracking held against MLflow's own server: ``python -m tools.tracking [--seconds S] [--rounds N] [--postgres]``.

Both servers run all the time, each as it starts by default, and every measurement takes its turn on one and then on
the other, so that whatever else the machine does falls on both. Medians over the rounds; what is told is the ratio.
"""

from __future__ import annotations

import argparse
import datetime
import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tools.bench.__main__ import machine
from tools.bench.figure import written
from tools.bench.page import put_section
from tools.tracking import limits, work
from tools.tracking.servers import Serving, mlflow_server, taxiway_server
from tools.tracking.stores import Stores, postgres_stores

Measure = Callable[[Serving], float]


@dataclass
class Row:
    """A kind of work. at_least: how many times as much as MLflow ours must do."""

    name: str
    unit: str
    at_least: float
    theirs: Measure
    ours: Measure
    measured: list[tuple[float, float]] = field(default_factory=list)

    def measure(self, mlflow: Serving, taxiway: Serving) -> None:
        self.measured.append((self.theirs(mlflow), self.ours(taxiway)))

    @property
    def ratio(self) -> float:
        return statistics.median(ours / theirs for theirs, ours in self.measured)

    def cells(self) -> tuple[str, ...]:
        theirs, ours = (statistics.median(column) for column in zip(*self.measured, strict=True))
        must = f"≥ {self.at_least:g}×"
        is_kept = self.ratio >= self.at_least
        units = f" {self.unit}"
        found = (f"{written(theirs)}{units}", f"{written(ours)}{units}", f"**{written(self.ratio)}×**")
        return self.name, *found, must if is_kept else f"{must}: missed"


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
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        stores = stack.enter_context(postgres_stores()) if asked.postgres else Stores("", "")
        homes = [Path(folder) / name for name in ("mlflow", "taxiway")]
        for home in homes:
            home.mkdir()
        mlflow = stack.enter_context(mlflow_server(homes[0], store=stores.mlflow))
        taxiway = stack.enter_context(taxiway_server(homes[1], database=stores.taxiway))
        memory = (mlflow.resident_mb(), taxiway.resident_mb())
        measured = rows(asked.seconds, asked.megabytes)
        for _ in range(asked.rounds):
            for row in measured:
                row.measure(mlflow, taxiway)
                print(" | ".join(row.cells()), flush=True)
        edge = [
            ("SQLite's `executemany`, 1,000 rows to a commit", f"{written(limits.rows_per_s(homes[1], 3))} rows/s"),
            ("the same, one row to a commit", f"{written(limits.rows_per_s(homes[1], 3, in_a_commit=1))} commits/s"),
            ("writing to the disk", f"{written(work.disk_mb_per_s(homes[1]))} MB/s"),
            ("SHA-256", f"{written(work.digest_mb_per_s())} MB/s"),
        ]
    database = "PostgreSQL" if asked.postgres else "SQLite"
    text = told(measured, memory, edge, asked)
    print(text)
    put_section(f"Against MLflow, both on {database}", text)


def told(
    measured: list[Row], memory: tuple[float, float], edge: list[tuple[str, str]], asked: argparse.Namespace
) -> str:
    theirs, ours = memory
    share = f"**1/{written(theirs / ours)}**"
    verdict = "≤ 1/10" if ours <= theirs / 10 else "≤ 1/10: missed"
    lines = [
        ("work", "MLflow 3.17.2", "Taxiway", "ratio", "must"),
        tuple("---" for _ in range(5)),
        *(row.cells() for row in measured),
        ("memory at rest, all processes (PSS)", f"{written(theirs)} MB", f"{written(ours)} MB", share, verdict),
    ]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    limit = "\n".join(
        f"| {name} | {value} |" for name, value in (("limit of this machine", "measured"), ("---", "---"), *edge)
    )
    day = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    load = f"{os.getloadavg()[0]:.1f}"
    return f"""`make bench-tracking`, {day} on {machine()}, load {load} at the end. Every answer of ours is on the disk
(fsync) when it comes. Both servers run as they start by default and take turns on one machine, which
they share with their clients; {asked.rounds} rounds of {asked.seconds:g} s, medians of the rounds, ratios within each.

{table}

{limit}"""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--megabytes", type=int, default=500, help="of the artifact")
    parser.add_argument("--postgres", action="store_true", help="both servers on one PostgreSQL")
    return parser.parse_args()


if __name__ == "__main__":
    main()
