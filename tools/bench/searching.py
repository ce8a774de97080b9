"""Searches over 20,000 and 100,000 runs, on both databases: ``python -m tools.bench.searching [--postgres]``.

Each figure is the median time of a first page of 50 with all that those runs logged, in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from taxiway.runs import store
from taxiway.runs.search.parsing import parse_filter, parse_order
from taxiway.runs.search.query import Search, count_statuses, find_numbers
from taxiway.storage.database import Database, metadata
from tools.bench.many_runs import fill

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SIZES = (20_000, 100_000)
ASKED = (
    ("the newest", "", "started_at desc"),
    ("filter and order", "metrics.accuracy > 0.9 and params.lr = '0.1'", "metrics.accuracy desc"),
    ("filter, few hits", "metrics.accuracy > 0.999 and params.depth = 5", "started_at desc"),
    ("nothing fits", "metrics.accuracy > 2", "metrics.auc desc"),
    ("order by a parameter", "", "params.lr"),
    ("two keys", "status = 'finished'", "params.depth desc, metrics.loss"),
    ("full text", '"heron calm"', "started_at desc"),
    ("full text, one run", '"heron 77"', "metrics.auc desc"),
    ("pattern", "name ~ '^calm.*7$'", "started_at desc"),
    ("or, not", "not status = 'finished' or metrics.loss < 0.001", "started_at desc"),
)


def measure(act: Callable[[], object], times: int = 15) -> float:
    act()
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        act()
        taken.append((time.perf_counter() - begin) * 1000)
    return statistics.median(taken)


def one(database: Database, where: str, order: str) -> int:
    with database.read() as connection:
        search = Search(where=parse_filter(where), order=parse_order(order), projects=None, limit=50, now=NOW)
        numbers, _ = find_numbers(connection, search, None)
        return len(store.whole(connection, numbers, NOW))


def count(database: Database) -> int:
    with database.read() as connection:
        return len(count_statuses(connection, Search(projects=None, limit=1, now=NOW)))


def figures(database: Database) -> dict[str, float]:
    found = {name: measure(partial(one, database, where, order)) for name, where, order in ASKED}
    return {**found, "count by status": measure(partial(count, database))}


def main() -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = [("SQLite", f"sqlite:///{folder}/{size}.db", size) for size in SIZES]
        if "--postgres" in sys.argv:
            from tests.support.postgres import running_postgres

            server = stack.enter_context(running_postgres())
            urls += [("PostgreSQL", stack.enter_context(server.fresh_database()), size) for size in SIZES]
        shown: dict[str, list[str]] = {}
        for kind, url, size in urls:
            database = Database(url)
            metadata.create_all(database.engine)
            begin = time.perf_counter()
            fill(database, size)
            print(f"{kind}: {size:,} runs in {time.perf_counter() - begin:.1f} s", flush=True)
            for name, value in figures(database).items():
                shown.setdefault(name, []).append(f"{value:10.1f}")
            database.close()
        print(f"{'ms':24}" + "".join(f"{kind[:6] + ' ' + str(size // 1000) + 'k':>11}" for kind, _, size in urls))
        for name, row in shown.items():
            print(f"{name:24} " + " ".join(row))


if __name__ == "__main__":
    main()
