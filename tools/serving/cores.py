"""What a second core, and a worker on it, add: a model that computes, and one that hardly does."""

from __future__ import annotations

import os
import resource
import statistics
import time
from pathlib import Path
from typing import NamedTuple

from tools.bench.figure import written
from tools.bench.idle import family
from tools.serving.load import await_answer, requests_per_s
from tools.serving.ours import taxiway
from tools.serving.peers.models import table
from tools.serving.targets import Question, Target, question

Cells = tuple[str, ...]
# Kind, rows of a request, connections, in words. Rows of 64 fill a batch, so that workers share requests, not batches.
WORKS = (
    ("forest", 64, 8, "RandomForest(100), 64 rows a request, 8 connections"),
    ("logistic", 1, 32, "logistic regression, one row, 32 connections"),
)


class Rate(NamedTuple):
    """client_cores: how many cores wrk took meanwhile."""

    per_s: float
    client_cores: float


def cores_lines(folder: Path, seconds: float, rounds: int) -> list[Cells]:
    """One worker with everything on one core, against two workers with everything on two; wrk is among everything."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return []
    found = []
    for kind, height, connections, words in WORKS:
        measured: dict[int, list[Rate]] = {1: [], 2: []}
        asked = question("Taxiway", table()[0][:height], kind)
        own = {number: folder / f"{kind}-{number}" for number in measured}
        for path in own.values():
            path.mkdir()
        with taxiway(own[1], [kind]) as one, taxiway(own[2], [kind], workers=2) as two:
            for target in (one, two):
                await_answer(target, asked)
            for _ in range(rounds):
                for number, target in ((1, one), (2, two)):
                    measured[number].append(rate_on(target, asked, connections, seconds, cores[:number]))
        found.append(line(words, measured))
    return found


def rate_on(target: Target, asked: Question, connections: int, seconds: float, cores: list[int]) -> Rate:
    """What is answered where the gateway, its workers and wrk have these cores alone."""
    for pid in {each for first in target.pids for each in family(first)}:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), cores)
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)  # wrk inherits it
    try:
        spent, began = children_s(), time.perf_counter()
        per_s = requests_per_s(target, asked, connections=connections, seconds=seconds)
        return Rate(per_s, (children_s() - spent) / (time.perf_counter() - began))
    finally:
        os.sched_setaffinity(0, before)


def children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def line(words: str, measured: dict[int, list[Rate]]) -> Cells:
    ratio = statistics.median(two.per_s / one.per_s for one, two in zip(measured[1], measured[2], strict=True))
    medians = {number: statistics.median(each.per_s for each in rates) for number, rates in measured.items()}
    client = statistics.median(each.client_cores for each in measured[2])
    one, two = (f"{written(medians[number])} req/s" for number in (1, 2))
    said = f"{two} (two workers on two cores; wrk took {client:.2f} of a core)"
    return (words, f"Taxiway, one worker on one core: {one}", said, f"**{written(ratio)}×**", "")
