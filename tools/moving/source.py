"""An MLflow database of any size: its tables made by MLflow itself, its rows by bare SQL."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from pathlib import Path

HOUSE = Path(__file__).parents[2]
PYTHON = HOUSE / ".venvs" / "mlflow" / "bin" / "python"
START_MS = 1_700_000_000_000
KEYS = ("loss", "accuracy", "val/loss", "val/accuracy", "lr")
PARAMS = ("alpha", "depth", "optimizer", "seed", "width")
FILE_BYTES = 50 << 20  # of one file of each run, without a byte on the disk

MAKE_TABLES = "import mlflow, sys; mlflow.set_tracking_uri(sys.argv[1]); mlflow.search_experiments()"


def make_source(folder: Path, *, runs: int, points: int, with_files: int) -> str:
    """The URL of a database with so many runs, each with so many points; some have a large file."""
    file = folder / "mlflow.db"
    quiet = {"PATH": "/usr/bin:/bin", "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    command = [str(PYTHON), "-W", "ignore", "-c", MAKE_TABLES, f"sqlite:///{file}"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=quiet)
    connection = sqlite3.connect(file)
    for setting in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -1000000", "temp_store = MEMORY"):
        connection.execute(f"PRAGMA {setting}")  # the index that MLflow keeps is filled in memory
    ids = [f"{number:032x}" for number in range(1, runs + 1)]
    connection.executemany(
        "INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, "
        "artifact_uri, experiment_id) VALUES (?, ?, 'LOCAL', 'ann', 'FINISHED', ?, ?, 'active', ?, 0)",
        [(run, f"run-{i}", START_MS + i, START_MS + i + 900, place(folder, run)) for i, run in enumerate(ids)],
    )
    pairs = [(name, f"{hash((name, run)) % 1000 / 1000}", run) for run in ids for name in PARAMS]
    connection.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", pairs)
    tags = [("mlflow.runName", f"run-{i}", run) for i, run in enumerate(ids)]
    connection.executemany("INSERT INTO tags (key, value, run_uuid) VALUES (?, ?, ?)", tags)
    connection.execute("CREATE TEMP TABLE keys AS SELECT value AS key FROM json_each(?)", (json.dumps(KEYS),))
    connection.execute(FILL_POINTS, {"last": points // len(KEYS) - 1, "start": START_MS})
    connection.commit()
    connection.close()
    for run in ids[:with_files]:
        (folder / "files" / run / "artifacts").mkdir(parents=True)
        with (folder / "files" / run / "artifacts" / "weights.bin").open("wb") as weights:
            weights.truncate(FILE_BYTES)
    return f"sqlite:///{file}"


# By SQLite itself: ten million rows from Python would take longer than bringing them over.
FILL_POINTS = """
WITH RECURSIVE steps(step) AS (SELECT 0 UNION ALL SELECT step + 1 FROM steps WHERE step < :last)
INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)
SELECT key, ((runs.rowid * 7919 + step * 104729) % 1000003) / 1000003.0, :start + step, run_uuid, step, 0
FROM runs, keys, steps
"""
INSERT_POINT = "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, 0)"


def place(folder: Path, run: str) -> str:
    return (folder / "files" / run / "artifacts").as_uri()


def time_reading(url: str) -> float:
    """How long it takes to read every point with the driver alone, in seconds."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"))
    start = time.perf_counter()
    query = "SELECT run_uuid, key, step, timestamp, value, is_nan FROM metrics ORDER BY run_uuid"
    for _ in connection.execute(query):
        pass
    took_s = time.perf_counter() - start
    connection.close()
    return took_s


def time_raw_insert(folder: Path, *, points: int) -> float:
    """How long SQLite takes to insert so many rows with `executemany`, in seconds."""
    connection = sqlite3.connect(folder / "raw.db")
    connection.execute("CREATE TABLE metrics (key, value, timestamp, run_uuid, step, is_nan)")
    given = [("loss", step / 7, START_MS + step, f"{step // 500:032x}", step) for step in range(points)]
    start = time.perf_counter()
    connection.executemany(INSERT_POINT, given)
    connection.commit()
    took_s = time.perf_counter() - start
    connection.close()
    return took_s
