"""How long a small model takes from `deploy` to its first answer: the first one of a gateway, and those after it."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from taxiway.client import Client
from tools.bench.figure import written
from tools.serving.load import await_answer
from tools.serving.ours import gateway_of, opened, promoted
from tools.serving.peers.models import table
from tools.serving.targets import question
from tools.tracking.rows import verdict

Cells = tuple[str, ...]
LIVE_WITHIN_S = 3.0


def deploy_lines(folder: Path, rounds: int) -> list[Cells]:
    """New homes, so that each has a first one."""
    first, later = [], []
    for number in range(rounds):
        home = folder / str(number) / "home"
        home.parent.mkdir()
        with opened(home) as client:
            for name in ("one", "two", "three"):
                promoted(client, name, "logistic")
            first.append(seconds_until_live(client, home, "one"))
            later += [seconds_until_live(client, home, name) for name in ("two", "three")]
    return [
        line("`deploy` of a logistic regression to its first answer, first of a new gateway", first),
        line("the same, of a gateway that answers for another", later),
    ]


def seconds_until_live(client: Client, home: Path, name: str) -> float:
    """From the call to an answer over HTTP."""
    began = time.perf_counter()
    client.endpoints.deploy(name, f"{name}@1")
    await_answer(gateway_of(home), question("Taxiway", table()[0][:1], name))
    return time.perf_counter() - began


def line(words: str, took: list[float]) -> Cells:
    slowest, median = max(took), statistics.median(took)
    must = verdict(f"≤ {LIVE_WITHIN_S:g} s", is_kept=slowest <= LIVE_WITHIN_S)
    return (words, "", f"{written(median)} s, slowest of {len(took)}: {written(slowest)} s", "", must)
