"""Moving from MLflow and back: everything comes over, once, and what cannot is said. Held against its real client."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from taxiway.cli import build_parser
from taxiway.client import Client
from taxiway.compat.mlflow.moving.commands import export, import_
from taxiway.compat.mlflow.moving.report import Report, show_report
from taxiway.compat.mlflow.moving.source import SourceUnusable
from taxiway.kernel.errors import BadField, NotAllowed
from taxiway.runs.contract import ListRuns
from taxiway.storage.blobs import BytesGone, DigestMismatch
from taxiway.stores.refusals import PlaceUnsafe
from tests.compat.mlflow.moving_scripts import fill, tell
from tests.compat.mlflow.real import RealClient
from tests.support.live import Live, running

FILE_STORE = {"MLFLOW_ALLOW_FILE_STORE": "true"}


class Filled(NamedTuple):
    """An MLflow with one of everything. source: as the command takes it; told: what its client says of it."""

    source: str
    folder: Path
    runs: dict[str, str]
    told: dict[str, Any]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory, real_client: RealClient) -> Filled:
    """An MLflow over SQLite; nobody changes it."""
    folder = tmp_path_factory.mktemp("database")
    url = f"sqlite:///{folder}/mlflow.db"
    runs = real_client.run(fill, url, folder=str(folder / "files"))
    return Filled(url, folder, runs, real_client.run(tell, url))


@pytest.fixture(scope="module")
def mlruns(tmp_path_factory: pytest.TempPathFactory, real_client: RealClient) -> Filled:
    """An MLflow in a folder; nobody changes it."""
    folder = tmp_path_factory.mktemp("folder")
    url = str(folder / "mlruns")
    runs = real_client.run(fill, url, folder=str(folder / "files"), environment=FILE_STORE)
    return Filled(url, folder, runs, real_client.run(tell, url, environment=FILE_STORE))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Live]:
    """A home that a test may fill."""
    with running(tmp_path / "home", login=False) as live:
        yield live


class Moved(NamedTuple):
    live: Live
    report: Report

    @property
    def client(self) -> Client:
        return self.live.client


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory, database: Filled) -> Iterator[Moved]:
    """A home that the database was brought to; tests only look at it, or bring the same again."""
    with running(tmp_path_factory.mktemp("moved") / "home", login=False) as live:
        yield Moved(live, bring(live.client, database.source))


def bring(client: Client, source: str, *more: str) -> Report:
    """Imports as the command line does."""
    return import_(client, build_parser(["import"]).parse_args(["import", "mlflow", source, *more]))


def without_finite_ends(told: dict[str, Any]) -> dict[str, Any]:
    """MLflow's SQL stores have the largest numbers for infinities; here they are infinities again."""
    for run in told["runs"].values():
        for points in run["history"].values():
            points[:] = [[s, at, v.replace("1.7976931348623157e+308", "inf")] for s, at, v in points]
    return told


def test_mlflows_client_finds_the_same_here_as_there(database: Filled, live: Live, real_client: RealClient) -> None:
    live.client.access.add_user("ann", is_admin=True)
    token = live.client.access.make_token("ann").token

    report = bring(live.client, database.source)

    here = real_client.run(tell, live.url, environment={"MLFLOW_TRACKING_TOKEN": token})
    assert here == without_finite_ends(database.told)
    assert report.is_whole
    assert report.skipped == []
    assert (report.there.points, report.there.runs) == (report.here.points, report.here.runs) == (209, 4)


def test_a_folder_comes_over_as_a_database_does(home: Live, mlruns: Filled, real_client: RealClient) -> None:
    report = bring(home.client, mlruns.source)

    assert real_client.run(tell, home.url) == mlruns.told
    assert report.is_whole
    assert report.skipped == []


def test_twice_is_once(moved: Moved, database: Filled) -> None:
    first = moved.report

    again = bring(moved.client, database.source)

    assert (first.new_runs, first.new_points, first.new_files) == (4, 209, 3)
    assert (again.new_runs, again.new_points, again.new_files, again.copied_bytes) == (0, 0, 0, 0)
    assert again.here == first.here
    assert moved.client.models.show("fraud").newest == 3


def test_what_came_since_comes_with_the_next_import(home: Live, database: Filled, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    shutil.copy(database.folder / "mlflow.db", file)
    bring(home.client, f"sqlite:///{file}")
    run = database.runs["live"]
    change(file, "INSERT INTO metrics VALUES ('loss', 0.25, 1700000000009, ?, 2, 0)", run)
    change(file, "UPDATE runs SET status = 'FINISHED', end_time = 1700000000010 WHERE run_uuid = ?", run)

    report = bring(home.client, f"sqlite:///{file}")

    assert (report.new_runs, report.new_points) == (0, 1)
    found = home.client.runs.show(run)
    assert (found.status, found.metrics) == ("finished", {"loss": 0.25})
    assert found.sealed


def change(file: Path, statement: str, *values: object) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def test_no_stage_of_theirs_goes_past_the_gates(moved: Moved) -> None:
    report = moved.report

    version = moved.client.models.find("fraud@1")
    assert version.stage == "none"
    assert version.tags["mlflow.stage"] == "Production"
    assert "It stood in Production" in version.note
    assert any("fraud v1 stood in Production" in line for line in report.left)
    assert "taxiway models promote fraud@1 production" in show_report(report)


def test_rows_that_hold_no_value_are_listed_and_the_rest_comes(home: Live, database: Filled, tmp_path: Path) -> None:
    file = tmp_path / "odd.db"
    shutil.copy(database.folder / "mlflow.db", file)
    run = database.runs["failed"]
    for value, at, step in (("'x'", 1, 1), ("1.0", "'soon'", 1), ("1.0", -5, 1), ("1.0", 1, "'first'")):
        change(file, f"INSERT INTO metrics VALUES ('odd', {value}, {at}, ?, {step}, 0)", run)
    change(file, "INSERT INTO metrics VALUES ('good', 7.0, 1700000000001, ?, 1, 0)", run)
    change(file, "UPDATE runs SET status = 'DREAMING' WHERE run_uuid = ?", database.runs["trash"])

    report = bring(home.client, f"sqlite:///{file}")

    assert home.client.runs.show(run).metrics == {"good": 7.0}
    problems = [one for one in report.skipped if one.kind == "point"]
    assert [one.name for one in problems] == [run] * 4
    assert all("this is no point" in one.problem for one in problems)
    assert [one.name for one in report.skipped if one.kind == "run"] == [database.runs["trash"]]
    assert not report.is_whole


def test_everything_may_go_to_one_project(home: Live, database: Filled) -> None:
    home.client.projects.create("fraud", purpose="Find it", risk="low")

    bring(home.client, database.source, "--project", "fraud")

    runs = home.client.runs.page(ListRuns(project="fraud")).items
    assert len(runs) == 3  # the fourth is in the trash
    assert home.client.models.show("fraud").project == "fraud"


def test_an_import_that_was_cut_off_goes_on_where_it_was(
    home: Live, database: Filled, monkeypatch: pytest.MonkeyPatch
) -> None:
    from taxiway.compat.mlflow.moving import portions
    from taxiway.imports.client import Imports

    monkeypatch.setattr(portions, "POINTS_AT_ONCE", 50)
    send = Imports.take_runs
    calls: list[int] = []

    def cut_off(imports: Imports, source: str, runs: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return send(imports, source, runs)

    monkeypatch.setattr(Imports, "take_runs", cut_off)
    with pytest.raises(KeyboardInterrupt):
        bring(home.client, database.source)

    report = bring(home.client, database.source)

    assert 0 < report.new_points < 209
    assert report.here.points == 209


@pytest.mark.parametrize("source", ["sqlite:////nowhere/mlflow.db", "./nowhere", "http://127.0.0.1:1", "ftp://h/x"])
def test_what_cannot_be_read_is_said_and_nothing_is_made(moved: Moved, source: str) -> None:
    with pytest.raises(SourceUnusable):
        bring(moved.client, source)

    assert len(moved.client.imports.list()) == 1
    assert not Path("/nowhere").exists()


def test_only_an_admin_imports_and_names_stores(live: Live, database: Filled) -> None:
    live.client.projects.create("fraud", purpose="Find it", risk="low")
    bob = live.as_person("bob", "owner", project="fraud")

    with pytest.raises(NotAllowed):
        bring(bob, database.source)
    with pytest.raises(NotAllowed):
        bob.stores.add("files", database.folder.as_uri())


def test_an_export_is_what_mlflows_client_opens(
    moved: Moved, database: Filled, real_client: RealClient, tmp_path: Path
) -> None:
    done = export(moved.client, build_parser(["export"]).parse_args(["export", "mlflow", str(tmp_path / "mlruns")]))

    told = real_client.run(tell, str(tmp_path / "mlruns"), environment=FILE_STORE)
    there = without_finite_ends(database.told)
    assert told["runs"] == there["runs"]
    assert told["models"] == there["models"]
    assert told["experiments"] == there["experiments"]
    assert done.skipped == []
    with pytest.raises(BadField):
        export(moved.client, build_parser(["export"]).parse_args(["export", "mlflow", str(tmp_path / "mlruns")]))


# --- in place ---


class InPlace(NamedTuple):
    live: Live
    run: str
    files: Path


@pytest.fixture(scope="module")
def in_place(tmp_path_factory: pytest.TempPathFactory, database: Filled) -> Iterator[InPlace]:
    """A database whose files stayed where they are: in a copy, of which each test takes another file."""
    folder = tmp_path_factory.mktemp("place")
    files, file = folder / "files", folder / "copy.db"
    shutil.copytree(database.folder / "files", files)
    shutil.copy(database.folder / "mlflow.db", file)
    change(
        file, "UPDATE runs SET artifact_uri = replace(artifact_uri, ?, ?)", str(database.folder / "files"), str(files)
    )
    run = database.runs["full"]
    with running(folder / "home", login=False) as live:
        live.client.stores.add("old", files.as_uri())
        report = bring(live.client, f"sqlite:///{file}", "--in-place")
        assert report.copied_bytes == 0
        assert report.here.files == 3
        yield InPlace(live, run, files / "first" / run / "artifacts")


def read(kept: InPlace, path: str, to: Path) -> str:
    return kept.live.client.runs.download(kept.run, path, to).read_text()


def test_files_in_place_are_read_where_they_are_and_then_known_by_digest(in_place: InPlace, tmp_path: Path) -> None:
    client = in_place.live.client
    before = {one.path: one.digest for one in client.runs.artifacts(in_place.run)}

    text = read(in_place, "figures/deep/roc curve.txt", tmp_path)

    after = {one.path: one.digest for one in client.runs.artifacts(in_place.run)}
    assert text == "0 0\n1 1\n"
    assert all(digest.startswith("placed:") for digest in before.values())
    assert [path for path in after if after[path].startswith("sha256:")] == ["figures/deep/roc curve.txt"]
    assert list(in_place.live.house.blobs.listed()) == []


def test_a_file_that_changed_since_it_was_read_is_not_passed_off_as_it(in_place: InPlace, tmp_path: Path) -> None:
    read(in_place, "model/MLmodel", tmp_path)
    (in_place.files / "model" / "MLmodel").write_text("something else")

    with pytest.raises(DigestMismatch):
        read(in_place, "model/MLmodel", tmp_path)


def test_a_file_that_is_gone_from_its_store_is_said_to_be(in_place: InPlace, tmp_path: Path) -> None:
    (in_place.files / "model" / "m.pkl").unlink()

    with pytest.raises(BytesGone):
        read(in_place, "model/m.pkl", tmp_path)


def test_files_that_no_store_holds_are_listed_and_their_runs_come(home: Live, database: Filled) -> None:
    report = bring(home.client, database.source, "--in-place")

    assert report.here.runs == 4
    assert report.here.files == 0
    assert len([one for one in report.skipped if "There is no store" in one.problem]) == 3


def test_a_place_outside_of_its_store_is_refused(in_place: InPlace) -> None:
    with pytest.raises(PlaceUnsafe):
        in_place.live.house.stores.refer([("old", "../home/taxiway.db", 1)])


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(lambda live: live.house.home, id="the home"),
        pytest.param(lambda live: live.house.home / "blobs", id="within it"),
        pytest.param(lambda live: live.house.home.parent, id="around it"),
    ],
)
def test_no_store_holds_the_home(moved: Moved, where: Callable[[Live], Path]) -> None:
    with pytest.raises(BadField):
        moved.client.stores.add("own", where(moved.live).as_uri())
