"""Moving at length: from a live MLflow server that goes on, through kills, over PostgreSQL and a bucket."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import obstore
import pytest

from taxiway.adapters.s3 import open_bucket
from taxiway.client import connect
from taxiway.kernel.errors import NotFound
from taxiway.storage.places import Bucket
from tests.compat.mlflow.moving_scripts import fill, fill_traces, log_more, tell, tell_traces
from tests.compat.mlflow.real import RealClient, real_server
from tests.compat.mlflow.test_moving import bring, change, without_finite_ends
from tests.support.live import Live, running
from tests.support.postgres import Postgres
from tests.support.s3 import S3

pytestmark = pytest.mark.judge

RUNS, POINTS = 400, 500


@pytest.fixture
def served(tmp_path: Path, postgres: Postgres, s3_url: str) -> Iterator[Live]:
    """A server over PostgreSQL and a bucket."""
    with (
        postgres.fresh_database() as url,
        running(tmp_path / "home", database_url=url, blobs_url=s3_url, login=False) as live,
    ):
        yield live


def test_a_live_server_comes_over_to_postgresql_and_a_bucket(
    served: Live, real_client: RealClient, tmp_path: Path
) -> None:
    with real_server(tmp_path / "theirs") as url:
        real_client.run(fill, url, folder="")
        real_client.run(fill_traces, url)

        report = bring(served.client, url)

        there = without_finite_ends(real_client.run(tell, url))
        hanging = real_client.run(tell_traces, url)
    assert real_client.run(tell, served.url) == there
    assert real_client.run(tell_traces, served.url) == hanging
    assert report.is_whole
    assert report.here.files == 3
    assert len(list(served.house.blobs.listed())) == 3


def test_a_server_that_is_followed_is_kept_up_with(served: Live, real_client: RealClient, tmp_path: Path) -> None:
    with real_server(tmp_path / "theirs") as url:
        runs = real_client.run(fill, url, folder="")
        command = [sys.executable, "-m", "taxiway", "import", "mlflow", url, "--follow", "--every", "0.2", "--json"]
        environment = {**os.environ, "TAXIWAY_URL": served.url}
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as following:
            try:
                until(lambda: has_metric(served, runs["live"], "loss"))
                another = real_client.run(log_more, url, run=runs["live"])
                until(lambda: served.client.runs.show(runs["live"]).status == "finished")
                until(lambda: has_metric(served, another, "late"))
            finally:
                following.send_signal(signal.SIGINT)
                said, _ = following.communicate(timeout=60)
    assert served.client.runs.show(runs["live"]).metrics == {"loss": 0.25}
    assert msgspec.json.decode(said)["here"]["runs"] == 5


def test_an_mlflow_over_postgresql_comes_over(real_client: RealClient, postgres: Postgres, tmp_path: Path) -> None:
    with (
        postgres.fresh_database() as url,
        running(tmp_path / "home", login=False) as live,
    ):
        real_client.run(fill, url, folder=str(tmp_path / "files"))
        there = without_finite_ends(real_client.run(tell, url))

        report = bring(live.client, url.replace("postgresql+psycopg", "postgresql"))

        assert real_client.run(tell, live.url) == there
        assert report.is_whole
        assert (report.there.points, report.new_points) == (209, 209)


def test_files_stay_in_their_bucket(
    served: Live, s3: S3, real_client: RealClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, prefix = tmp_path / "theirs.db", f"theirs-{tmp_path.name}"
    runs = real_client.run(fill, f"sqlite:///{database}", folder=str(tmp_path / "files"))
    bucket = open_bucket(Bucket("tests", prefix, s3.endpoint))
    for file in (tmp_path / "files").rglob("*"):
        if file.is_file():
            obstore.put(bucket, file.relative_to(tmp_path / "files").as_posix(), file)
    moving = "UPDATE runs SET artifact_uri = replace(artifact_uri, ?, ?)"
    change(database, moving, (tmp_path / "files").as_uri(), f"s3://tests/{prefix}")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", s3.endpoint)
    served.client.stores.add("bucket", f"s3://tests/{prefix}?endpoint={s3.endpoint}")

    report = bring(served.client, f"sqlite:///{database}", "--in-place")

    read = served.client.runs.download(runs["full"], "figures/deep/roc curve.txt", tmp_path)
    assert read.read_text() == "0 0\n1 1\n"
    assert (report.copied_bytes, report.here.files) == (0, 3)
    assert list(served.house.blobs.listed()) == []


def has_metric(live: Live, run: str, key: str) -> bool:
    try:
        return key in live.client.runs.show(run).metrics
    except NotFound:
        return False


def until(holds: Callable[[], bool], within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_an_import_killed_again_and_again_brings_everything_once(real_client: RealClient, tmp_path: Path) -> None:
    database = tmp_path / "theirs.db"
    real_client.run(fill, f"sqlite:///{database}", folder=str(tmp_path / "files"))
    add_runs(database)
    home = tmp_path / "home"
    command = [sys.executable, "-m", "taxiway", "import", "mlflow", f"sqlite:///{database}", "--json"]
    environment = {**os.environ, "TAXIWAY_HOME": str(home)}

    kills = 0
    for wait_s in (1.5, 2.0, 2.5, 3.0):
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(wait_s)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
    last = subprocess.run(command, env=environment, capture_output=True, check=True)

    report = msgspec.json.decode(last.stdout)
    assert kills
    assert report["here"]["runs"] == report["there"]["runs"] == RUNS + 4
    assert report["here"]["points"] == report["there"]["points"] == RUNS * POINTS + 209
    assert report["here"]["versions"] == report["there"]["versions"]
    with connect(home=home) as client:
        assert len(client.runs.metric(f"{7:032x}", "m")) == POINTS


def add_runs(database: Path) -> None:
    """More runs than come over in a moment."""
    connection = sqlite3.connect(database)
    start = 1_700_000_000_000
    for number in range(RUNS):
        run = f"{number:032x}"
        connection.execute(
            "INSERT INTO runs (run_uuid, name, source_type, user_id, status, start_time, end_time, lifecycle_stage, "
            "artifact_uri, experiment_id) VALUES (?, ?, 'LOCAL', 'ann', 'FINISHED', ?, ?, 'active', '', 1)",
            (run, f"run {number}", start + number, start + number + 1),
        )
        rows = [("m", step / 3, start + step, run, step, 0) for step in range(POINTS)]
        connection.executemany("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
