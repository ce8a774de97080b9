"""Serving held against other servers: ``python -m tools.serving [--seconds S] [--rounds N] [--only KIND…]``.

All servers of a line run at once with one worker each, and take turns: while one is asked the others rest, so that
whatever else the machine does falls on all of them. Medians over the rounds; what is told is the ratio within each.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from taxiway.kernel.errors import TaxiwayError
from tools.bench.__main__ import machine
from tools.bench.page import put_section
from tools.serving import lines
from tools.serving.cores import cores_lines
from tools.serving.deploys import deploy_lines
from tools.serving.lines import Asked
from tools.serving.load import has_wrk
from tools.serving.memory import memory_lines
from tools.serving.scoring import scoring_line

ROWS, QUICK_ROWS = 10_000_000, 1_000_000  # of the file that is scored
TITLE = "Serving, against other servers"
NOTES = """\
The client that asks at half of the capacity shares the cores with what it measures: it sleeps between
requests, goes before other processes where it may, and has the kernel say when an answer arrived. What it
finds of a server that only echoes is told beside, and other work on the machine shows in both. Ten models
of ours stand behind one gateway, ten of MLflow's in a server each. What batch scoring is held against is a
loop in one process as a user would write it: the same Parquet file in chunks of 65,536 rows, pandas, the
library's own call, a Parquet file out; ours reads and writes in one process and computes in another.
Workers share one gateway process, which reads, checks and records for all of them: where it is the limit, a
second worker adds nothing. MLServer answers in its own process (`parallel_workers` 0), since its process
for inference ends at once with the uvloop that it is installed with; it gives labels alone, without scores."""


def main() -> None:
    asked, is_kept = parse()
    if not has_wrk():
        raise SystemExit("wrk is not installed, so nothing was measured: `tools/apt 'Measuring needs wrk' wrk`.")
    found, reasons = measured(asked, ROWS if is_kept else QUICK_ROWS)
    text = told(found, reasons, asked)
    print(text)
    if is_kept:
        put_section(TITLE, text)


def measured(asked: Asked, scored: int) -> tuple[list[lines.Cells], dict[str, str]]:
    """The table's lines, told as they come, and why others are missing. A part that fails costs itself alone."""
    found: list[lines.Cells] = []
    reasons: dict[str, str] = {}

    def add(name: str, measure: Callable[[], list[lines.Cells]]) -> None:
        began = time.monotonic()
        try:
            new = measure()
        except (RuntimeError, OSError, subprocess.SubprocessError, TaxiwayError) as e:
            reasons[name] = f"{type(e).__name__}: {' '.join(str(e).split())[-300:]}"
            new = []
        found.extend(new)
        print(f"{name}: {time.monotonic() - began:.0f} s", *map(" | ".join, new), sep="\n", flush=True)

    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        if asked.kinds:
            site = lines.Site(Path(name), stack, asked)
            reasons = site.reasons
            for kind in asked.kinds:
                add(kind, partial(site.measured, kind))
            if "wide" in asked.parts and "logistic" in asked.kinds:
                add("wide", site.wide_lines)
    parts: dict[str, Callable[[Path], list[lines.Cells]]] = {
        "cores": lambda folder: cores_lines(folder, asked.seconds, asked.rounds),
        "deploy": lambda folder: deploy_lines(folder, asked.rounds),
        "memory": lambda folder: memory_lines(folder, asked.models),
        "scoring": lambda folder: [scoring_line(folder, scored, asked.rounds)],
    }
    for part, measure in parts.items():
        if part in asked.parts:
            with tempfile.TemporaryDirectory() as name:
                add(part, partial(measure, Path(name)))
    return found, reasons


def told(found: list[lines.Cells], reasons: dict[str, str], asked: Asked) -> str:
    rows = [("work", "other", "Taxiway", "ratio", "must"), ("---",) * 5, *found]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    not_run = "".join(f"\n- not run: {name}: {reason}" for name, reason in sorted(reasons.items()))
    day = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    load = f"{os.getloadavg()[0]:.1f}"
    return f"""`make bench-serving`, {day} on {machine()}, load {load} at the end. One row of 20
numbers, over loopback, one worker each; requests a second by wrk with one thread on the same cores. Ours is the server
as it is started and deployed to, its check of rows against the signature, its metrics and its inference log (buffered)
on. The others are as their documentation shows them, without a log. Servers take turns and rest between;
{asked.rounds} rounds of {asked.seconds:g} s, medians of the rounds, ratios within each. Latencies are counted from when
a request was due.

{table}
{not_run}

{NOTES}""".rstrip()


def parse() -> tuple[Asked, bool]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=int, default=10, help="to weigh")
    parser.add_argument("--only", nargs="*", choices=lines.KINDS, default=list(lines.KINDS), help="kinds of model")
    parser.add_argument("--parts", nargs="*", choices=lines.PARTS, default=list(lines.PARTS), help="what else")
    parser.add_argument("--quick", action="store_true", help="a look: one short round, the page left as it is")
    given = parser.parse_args()
    if given.quick:
        return Asked(1.0, 1, 2, given.only, given.parts), False
    return Asked(given.seconds, given.rounds, given.models, given.only, given.parts), True


if __name__ == "__main__":
    main()
