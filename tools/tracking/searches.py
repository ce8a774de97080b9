"""Searches among many runs, and the page that shows them in a browser."""

from __future__ import annotations

import json
import statistics
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.support.browser import running_chromium, watched_page
from tools.bench.figure import written
from tools.bench.many_runs import EXPERIMENTS
from tools.bench.runs_page import ADDRESSES, TIMES, first_row_ms
from tools.tracking.filling import fill_ours, fill_theirs, ours
from tools.tracking.load import load, post
from tools.tracking.rows import Line, verdict
from tools.tracking.servers import Serving, mlflow_server, taxiway_server
from tools.tracking.stores import Stores
from tools.tracking.work import API, call, checked

AT_LEAST = 50  # times as soon as MLflow
GROWS = 3  # times our own time, with five times the runs
PAGE_MS = 1000
WARMING = 16  # connections, one after the other, so that none of the workers is left out
SEARCH = {
    "experiment_ids": [str(number) for number in range(1, EXPERIMENTS + 1)],
    "filter": "metrics.accuracy > 0.9 and params.lr = '0.1'",
    "order_by": ["metrics.accuracy DESC"],
    "max_results": 50,
}


@dataclass(frozen=True)
class Sizes:
    """Numbers of runs that are searched."""

    few: int = 20_000
    many: int = 100_000


def lines(folder: Path, stores: Stores, sizes: Sizes, *, rounds: int, seconds: float) -> list[Line]:
    """Fills servers of their own, measures both in turn, and tells what came of it."""
    homes = [folder / name for name in ("mlflow-search", "few", "many")]
    for home in homes:
        home.mkdir()
    theirs = stores.mlflow() or f"sqlite:///{homes[0]}/mlflow.db"
    few, many = stores.taxiway(), stores.taxiway()
    fill_ours(homes[1], few, sizes.few)
    fill_ours(homes[2], many, sizes.many)
    source = ours(homes[1], few)
    fill_theirs(theirs, homes[0], source)
    source.close()
    with ExitStack() as stack:
        mlflow = stack.enter_context(mlflow_server(homes[0], store=theirs))
        small = stack.enter_context(taxiway_server(homes[1], database=few))
        large = stack.enter_context(taxiway_server(homes[2], database=many))
        check_alike(mlflow, small)
        for server in (mlflow, small, large):  # every one of MLflow's workers makes itself ready at its first answer
            for _ in range(WARMING):
                checked(load(server.url, asking, connections=1, seconds=0))
        told = search_lines((mlflow, small, large), sizes, rounds=rounds, seconds=seconds)
        return [*told, *page_lines(large, sizes)]


def check_alike(mlflow: Serving, taxiway: Serving) -> None:
    """Refuses to compare two servers that find different runs."""
    found = [
        [run["info"]["run_id"] for run in call(server, "/runs/search", SEARCH).get("runs", [])]
        for server in (mlflow, taxiway)
    ]
    if found[0] != found[1] or not found[0]:
        raise RuntimeError(f"the two find different runs: {found[0][:3]}… and {found[1][:3]}…")


def search_lines(servers: tuple[Serving, Serving, Serving], sizes: Sizes, *, rounds: int, seconds: float) -> list[Line]:
    measured = [[p50_ms(server, seconds) for server in servers] for _ in range(rounds)]
    theirs, small, large = (statistics.median(column) for column in zip(*measured, strict=True))
    faster = statistics.median(one[0] / one[1] for one in measured)
    grown = statistics.median(one[2] / one[1] for one in measured)
    return [
        (
            f"filter and order over {sizes.few:,} runs, first page of 50, HTTP, p50",
            f"{written(theirs)} ms",
            f"{written(small)} ms",
            f"**{written(faster)}×**",
            verdict(f"≥ {AT_LEAST}×", is_kept=faster >= AT_LEAST),
        ),
        (
            f"the same over {sizes.many:,} runs, against our own time over {sizes.few:,}",
            "",
            f"{written(large)} ms",
            f"**{written(grown)}×**",
            verdict(f"≤ {GROWS}×", is_kept=grown <= GROWS),
        ),
    ]


def p50_ms(server: Serving, seconds: float) -> float:
    return statistics.median(checked(load(server.url, asking, connections=1, seconds=seconds)).took_s) * 1000


def asking(_connection: int) -> bytes:
    return post(f"{API}/runs/search", json.dumps(SEARCH).encode())


def page_lines(server: Serving, sizes: Sizes) -> list[Line]:
    with running_chromium() as browser, watched_page(browser) as page:
        taken = {
            name: [first_row_ms(page, server.url + address) for _ in range(TIMES)]
            for name, address in ADDRESSES.items()
        }
    return [
        (
            f"page of {sizes.many:,} runs in Chromium, until its first row: {name}",
            "",
            f"{written(statistics.median(times))} ms, slowest {written(max(times))} ms",
            "",
            verdict(f"≤ {PAGE_MS / 1000:g} s", is_kept=statistics.median(times) <= PAGE_MS),
        )
        for name, times in taken.items()
    ]
