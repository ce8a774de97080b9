"""Measure how fast an MLflow comes over, print it and keep it in docs/benchmarks.md: `python -m tools.moving`.

python -m tools.moving [RUNS] [POINTS]     20,000 runs with 500 points each unless told otherwise
"""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from tools.bench.__main__ import machine
from tools.bench.page import put_section
from tools.moving.source import FILE_BYTES, make_source, time_raw_insert, time_reading

WITH_FILES = 200
RAW_POINTS = 1_000_000


class Said(Struct):
    """What of a report is measured here."""

    new_runs: int
    new_points: int
    copied_bytes: int
    took_s: float
    rows_per_s: int
    here: dict[str, int]
    there: dict[str, int]


def main(arguments: list[str]) -> int:
    runs, points = (int(text) for text in (*arguments, "20000", "500")[:2]) if len(arguments) == 2 else (20_000, 500)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="tw-import-") as name:
        folder = Path(name)
        url = make_source(folder, runs=runs, points=points, with_files=WITH_FILES)
        home = folder / "home"
        taxiway(home, "stores", "add", "files", (folder / "files").as_uri())
        first = brought(home, url)
        again = brought(home, url)
        reading_s = time_reading(url)
        raw_s = time_raw_insert(folder, points=RAW_POINTS) * runs * points / RAW_POINTS
        text = told(first, again, reading_s=reading_s, raw_s=raw_s, load=load)
    print(text)
    put_section("Moving from MLflow", text)
    return 0 if first.here["points"] == first.there["points"] else 1


def brought(home: Path, url: str) -> Said:
    return msgspec.json.decode(taxiway(home, "import", "mlflow", url, "--in-place", "--json"), type=Said)


def taxiway(home: Path, *arguments: str) -> bytes:
    command = [sys.executable, "-m", "taxiway", *arguments]
    return subprocess.run(
        command, env={**os.environ, "TAXIWAY_HOME": str(home)}, check=True, capture_output=True
    ).stdout


def told(first: Said, again: Said, *, reading_s: float, raw_s: float, load: float) -> str:
    points = first.new_points
    left = WITH_FILES * FILE_BYTES
    rows = [
        ("figure", "measured"),
        ("---", "---"),
        ("runs, points", f"{first.new_runs:,}, {points:,}"),
        ("all of it brought over", f"{first.took_s:,.1f} s, **{first.rows_per_s:,} rows a second**"),
        ("the same once more, nothing being new", f"{again.took_s:,.1f} s, {again.new_points:,} points"),
        (
            "files left in place",
            f"{WITH_FILES} of {left / 1e9:,.1f} GB together, **{first.copied_bytes:,} bytes copied**",
        ),
        ("limit: reading every point with the driver alone", f"{reading_s:,.1f} s"),
        ("limit: inserting the same rows with SQLite's `executemany`, no index", f"{raw_s:,.1f} s"),
    ]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    when = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d} on {machine()}"
    busy = f"load {load:.1f} at the start and {os.getloadavg()[0]:.1f} at the end"
    return (
        f"`make bench-import`, {when}, {busy}. A row is a run, a point, a parameter or a tag. "
        f"The database is MLflow's own, the home a new one with SQLite, reader and server one process.\n\n{table}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
