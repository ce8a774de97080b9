"""Measure what Taxiway costs, print it and keep it in docs/benchmarks.md: `python -m tools.bench`.

Medians of several runs on whatever machine this is. They are told, never tested: a busy machine is no defect.
"""

from __future__ import annotations

import datetime
import os
import platform
import sys

from tools.bench import away, idle, work
from tools.bench.figure import Figure
from tools.bench.page import PAGE, sections


def main() -> int:
    promised, worked, alone = [*idle.figures()], [*work.figures()], [*away.figures()]
    tables = {"At rest": table(promised), "At work": table(worked), "While the server is away": table(alone)}
    print("\n\n".join(tables.values()))
    today = datetime.datetime.now(datetime.UTC)
    measured = f"Measured {today:%Y-%m-%d} on {machine()}, load {os.getloadavg()[0]:.1f} at the end."
    parts = [INTRODUCTION, measured, *(f"\n## {title}\n\n{rows}" for title, rows in tables.items()), "", METHOD]
    PAGE.write_text("\n".join([*parts, *sections()]))
    return 0


def table(figures: list[Figure]) -> str:
    header = ("figure", "median", "range", "runs", "promise")
    rows = [header, tuple("---" for _ in header), *(f.cells() for f in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


INTRODUCTION = """<!-- Written by `make bench`. -->
# Benchmarks

What Taxiway costs, at rest and at work. `make bench` measures it on your machine and writes this page.
"""

METHOD = """The ranges go over the runs. Clients, server, gateway and worker share the machine's cores, and all clients
are threads of one Python process, so the figures at work are lower bounds of what the server can do.
`run.log` is what the training loop waits for; sending goes on beside it. An acknowledged write is a batch of one point
in a transaction of its own that is on the disk (fsync) when its answer comes; requests that wait share a commit.
An answer is timed at the client, over a kept connection to the gateway, with the inference log written.
An outage is measured in one process with nobody at the server's address; calls of `run.log` follow each other at once.
Between steps of other work a call costs more, for the processor's caches have forgotten it meanwhile.
"""


def machine() -> str:
    system = f"{platform.system()} {platform.release()} ({platform.machine()})"
    return f"{system}, {os.cpu_count()} cores, Python {platform.python_version()}"


if __name__ == "__main__":
    sys.exit(main())
