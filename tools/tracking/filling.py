"""The same many runs for both servers, by bare SQL: logged one by one they would take MLflow hours."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, create_engine, func, select, text

from taxiway.runs import tables
from taxiway.runs.points.times import to_ms
from taxiway.storage.database import Database, sqlite_url
from tools.bench.many_runs import fill, load
from tools.moving.source import MAKE_TABLES
from tools.moving.source import PYTHON as MLFLOW_PYTHON
from tools.tracking.servers import QUIET, taxiway_server

AT_ONCE = 5_000  # runs
STATUSES = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
FILLED = ("experiments", "runs", "latest_metrics", "metrics", "params", "tags")
Rows = list[dict[str, Any]]


def fill_ours(folder: Path, store: str, count: int) -> None:
    """A home of that many runs, or the database named with them."""
    with taxiway_server(folder, database=store):
        pass  # a first start makes the tables
    database = ours(folder, store)
    fill(database, count)
    database.close()


def ours(folder: Path, store: str) -> Database:
    return Database(store or sqlite_url(folder / "home"))


def fill_theirs(url: str, folder: Path, source: Database) -> None:
    """Gives MLflow the runs that are in our database, with the same ids, experiments, values and times."""
    command = [str(MLFLOW_PYTHON), "-W", "ignore", "-c", MAKE_TABLES, url]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env={**os.environ, **QUIET})
    engine = create_engine(url)
    with engine.begin() as there, source.read() as here:
        known = MetaData()
        known.reflect(there, only=FILLED)
        load(there, known.tables["experiments"], list(experiments(here)))
        last = here.execute(select(func.max(tables.runs.c.number))).scalar() or 0
        for first in range(1, last + 1, AT_ONCE):
            copy_runs(here, there, known, range(first, first + AT_ONCE))
    if engine.dialect.name == "postgresql":  # which its own service would do a minute later
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as there:
            there.execute(text("ANALYZE"))
    engine.dispose()


def experiments(here: Connection) -> Iterator[dict[str, Any]]:
    for row in here.execute(select(tables.experiments).where(tables.experiments.c.number > 0)):
        at = ms(row.created_at)
        times = {"creation_time": at, "last_update_time": at, "lifecycle_stage": "active"}
        place = f"mlflow-artifacts:/{row.number}"
        yield {"experiment_id": row.number, "name": row.name, "artifact_location": place, **times}


def copy_runs(here: Connection, there: Connection, known: MetaData, numbers: range) -> None:
    rows = here.execute(select(tables.runs).where(within(tables.runs, "number", numbers))).all()
    ids = {row.number: row.id for row in rows}
    load(there, known.tables["runs"], [run_row(row) for row in rows])
    points: Rows = [
        {"timestamp": to_ms(row.at), "step": row.step, "is_nan": False, **pair(row, ids, row.value)}
        for row in logged(here, tables.latest, numbers)
    ]
    load(there, known.tables["latest_metrics"], points)
    load(there, known.tables["metrics"], points)
    load(there, known.tables["params"], [pair(row, ids, row.text) for row in logged(here, tables.params, numbers)])
    tags = [pair(row, ids, row.text) for row in logged(here, tables.tags, numbers)]
    names = [{"key": "mlflow.runName", "value": row.name, "run_uuid": row.id} for row in rows]
    load(there, known.tables["tags"], tags + names)


def run_row(row: Any) -> dict[str, Any]:
    return {
        "run_uuid": row.id,
        "name": row.name,
        "source_type": "LOCAL",
        "user_id": row.created_by,
        "status": STATUSES[row.status],
        "start_time": ms(row.started_at),
        "end_time": ms(row.ended_at),
        "lifecycle_stage": "active",
        "artifact_uri": f"mlflow-artifacts:/{row.experiment}/{row.id}/artifacts",
        "experiment_id": row.experiment,
    }


def pair(row: Any, ids: dict[int, str], value: str | float) -> dict[str, Any]:
    return {"key": row.name, "value": value, "run_uuid": ids[row.run]}


def logged(here: Connection, table: Table, numbers: range) -> list[Any]:
    keys = tables.keys
    joined = select(table, keys.c.name).join(keys, keys.c.number == table.c.key)
    return list(here.execute(joined.where(within(table, "run", numbers))))


def within(table: Table, column: str, numbers: range) -> Any:
    return table.c[column].between(numbers.start, numbers.stop - 1)


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
