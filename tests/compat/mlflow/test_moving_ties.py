"""Moving what hangs on runs: the data they read, what was measured of logged models, and traces with remarks."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from taxiway.cli import build_parser
from taxiway.client import Client
from taxiway.compat.mlflow.moving.commands import COMMANDS, export, import_
from taxiway.compat.mlflow.moving.report import Report
from tests.compat.mlflow.moving_scripts import fill_traces, tell_traces
from tests.compat.mlflow.real import RealClient
from tests.support.live import Live, running

FILE_STORE = {"MLFLOW_ALLOW_FILE_STORE": "true"}


class Filled(NamedTuple):
    """An MLflow with a run that others hang on. file: of its database; told: what its client says of it."""

    file: Path
    ids: dict[str, str]
    told: dict[str, Any]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, real_client: RealClient) -> Filled:
    """An MLflow over SQLite; nobody changes it."""
    file = tmp_path_factory.mktemp("hanging") / "mlflow.db"
    url = f"sqlite:///{file}"
    ids = real_client.run(fill_traces, url)
    return Filled(file, ids, real_client.run(tell_traces, url))


class Moved(NamedTuple):
    live: Live
    report: Report


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, filled: Filled) -> Iterator[Moved]:
    """A home that the database was brought to; tests only look at it, or bring the same again."""
    with running(tmp_path_factory.mktemp("moved") / "home", login=False) as live:
        yield Moved(live, bring(live.client, f"sqlite:///{filled.file}"))


def bring(client: Client, source: str, *more: str) -> Report:
    """Imports as the command line does."""
    return import_(client, build_parser(["import"]).parse_args(["import", "mlflow", source, *more]))


def test_mlflows_client_finds_the_same_ties_here_as_there(
    moved: Moved, filled: Filled, real_client: RealClient
) -> None:
    there, here = moved.report.there, moved.report.here

    assert real_client.run(tell_traces, moved.live.url) == filled.told
    assert moved.report.is_whole
    assert moved.report.skipped == []
    names = ("inputs", "logged", "measures", "uses", "traces", "spans", "remarks")
    assert [getattr(there, name) for name in names] == [getattr(here, name) for name in names] == [1, 1, 2, 2, 2, 3, 2]


def test_ties_that_came_are_not_brought_twice(moved: Moved, filled: Filled) -> None:
    again = bring(moved.live.client, f"sqlite:///{filled.file}")

    assert again.here == moved.report.here
    assert again.is_whole
    assert (again.new_runs, again.new_points, again.copied_bytes) == (0, 0, 0)


def test_an_export_of_ties_is_what_mlflows_client_opens(
    moved: Moved, filled: Filled, real_client: RealClient, tmp_path: Path
) -> None:
    folder = tmp_path / "mlruns"

    done = export(moved.live.client, build_parser(["export"]).parse_args(["export", "mlflow", str(folder)]))

    assert done.skipped == []
    assert real_client.run(tell_traces, str(folder), environment=FILE_STORE) == filled.told
    with running(tmp_path / "home", login=False) as back:
        report = bring(back.client, str(folder))
        assert real_client.run(tell_traces, back.url) == filled.told
        assert report.is_whole


def test_what_is_said_of_a_trace_later_comes_with_the_next_import(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    shutil.copy(filled.file, file)
    with running(tmp_path / "home", login=False) as live:
        bring(live.client, f"sqlite:///{file}")
        connection = sqlite3.connect(file)
        connection.execute("INSERT INTO trace_tags VALUES ('late', 'yes', ?)", (filled.ids["trace"],))
        connection.execute(
            "UPDATE logged_model_metrics SET metric_value = 0.875, metric_step = 10 WHERE metric_step = 9"
        )
        connection.commit()
        connection.close()

        bring(live.client, f"sqlite:///{file}")

        assert live.house.traces.find(filled.ids["trace"]).tags["late"] == "yes"
        measured = live.house.models.logged.find(filled.ids["model"]).metrics
        assert sorted((one.step, one.value) for one in measured) == [(1, 0.75), (10, 0.875)]


ODD = {
    "trace": "UPDATE trace_info SET status = 'DREAMING' WHERE status = 'OK'",
    "span": "UPDATE spans SET content = 'no JSON' WHERE name = 'fails'",
    "remark": "UPDATE assessments SET value = 'no JSON' WHERE name = 'good'",
    "point": "UPDATE metrics SET value = 'x' WHERE step = 9",
    "webhooks": "INSERT INTO webhooks (webhook_id, name, url) VALUES ('w', 'hook', 'http://x')",
    "value": "UPDATE tags SET key = 'a' || char(10) WHERE key = 'mlflow.user'",
}


def test_what_cannot_be_taken_is_told_and_the_command_fails(filled: Filled, tmp_path: Path) -> None:
    file = tmp_path / "odd.db"
    shutil.copy(filled.file, file)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    changed = [connection.execute(statement).rowcount for statement in ODD.values()]
    connection.commit()
    connection.close()

    with running(tmp_path / "home", login=False) as live:
        first = bring(live.client, f"sqlite:///{file}")
        again = bring(live.client, f"sqlite:///{file}")

    exit_code = COMMANDS["import"].exit_code
    assert changed == [1] * len(ODD)
    assert {one.kind for one in first.skipped} == set(ODD)
    assert exit_code is not None
    assert [exit_code(first), exit_code(again)] == [1, 1]


def test_points_that_are_missing_here_alone_make_an_import_less_than_whole(moved: Moved) -> None:
    report = moved.report
    fewer = replace(report.here, points=report.there.points - 1)

    assert report.is_whole
    assert not replace(report, here=fewer).is_whole
