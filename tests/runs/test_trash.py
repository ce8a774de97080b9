"""The trash: hidden, answerable, taken back, and emptied so that the disk shows it."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import func, select

from taxiway.kernel.errors import NotAllowed, NotFound
from taxiway.models.bundles.freeing import MadeModels
from taxiway.runs.refusals import ExperimentTrashed, RunTrashed
from taxiway.runs.tables import experiments, runs, words
from taxiway.runs.trash import emptying
from taxiway.runs.trash.emptying import OF_A_RUN, Emptying
from taxiway.storage.database import metadata
from tests.runs.conftest import MakeRun
from tests.support.live import Live


def on_disk(home: Path) -> int:
    """What the blobs of a home take, whatever their names."""
    files = [file.stat() for file in (home / "blobs").rglob("*") if file.is_file()]
    return sum({status.st_ino: status.st_size for status in files}.values())


def test_a_run_in_the_trash_is_hidden_takes_nothing_and_comes_back(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run, other = make_run(live.client, "calm-heron"), make_run(live.client, "other")

    live.client.runs.delete(run.id)
    gone = live.client.runs.delete(run.id)  # twice is once

    assert gone.deleted_at is not None
    assert [one.name for one in live.client.runs.list()] == ["other"]
    assert [one.id for one in live.client.runs.list("name = 'calm-heron'", deleted=True)] == [run.id]
    assert live.client.runs.show(run.id).name == "calm-heron"
    with pytest.raises(RunTrashed):
        live.client.runs.change(run.id, name="renamed")
    live.client.runs.restore(run.id)
    assert {one.id for one in live.client.runs.list()} == {run.id, other.id}
    assert live.client.runs.list(deleted=True) == []
    viewer = live.as_person("ana", "viewer", project="fraud")
    with pytest.raises(NotAllowed):
        viewer.runs.delete(run.id)
    with pytest.raises(NotFound):
        live.client.runs.delete("1" * 32)


def test_an_experiment_takes_its_runs_with_it_and_back(open_live: Live, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    runs = [make_run(open_live.client, f"r{number}") for number in range(3)]
    open_live.client.runs.delete(runs[0].id)

    gone = open_live.client.runs.delete_experiment("fraud", "default")
    assert open_live.client.runs.experiments() == []
    with pytest.raises(ExperimentTrashed):
        make_run(open_live.client)

    assert (gone.runs, open_live.client.runs.list()) == (2, [])
    assert open_live.client.runs.restore_experiment("fraud", "default").runs == 3
    assert len(open_live.client.runs.list()) == 3


def test_emptying_frees_what_it_says_on_the_disk(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    with live.client.runs.start("first", project="fraud") as first:
        first.log_artifact(b"a" * 70_000, "only-mine.bin")
        first.log_artifact(b"s" * 50_000, "shared.bin")
    with live.client.runs.start("second", project="fraud") as second:
        second.log_artifact(b"s" * 50_000, "shared.bin")
    live.client.runs.delete(first.id)
    home = live.house.home
    before = on_disk(home)

    assert live.client.runs.empty_trash(older_than_s=3600, grace_s=0).runs == 0
    assert live.client.runs.empty_trash().size_bytes == 0  # sent a moment ago: left alone
    planned = live.client.runs.empty_trash(grace_s=0, dry_run=True)
    assert (on_disk(home), planned.is_dry) == (before, True)
    freed = live.client.runs.empty_trash(grace_s=0)

    assert freed.size_bytes == before - on_disk(home) >= 70_000
    assert live.client.runs.empty_trash(grace_s=0).files == 0
    with pytest.raises(NotFound):
        live.client.runs.show(first.id)
    assert (
        live.house.blobs.size(next(a.digest for a in live.client.runs.artifacts(second.id) if "shared" in a.path))
        == 50_000
    )
    assert live.client.audit.entries(verb="runs.drop").items != []


def test_what_was_sent_and_never_named_goes_when_the_trash_is_emptied_again_after_a_kill(
    open_live: Live, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_live.client.runs.start("first") as first:
        first.log_artifact(b"a" * 70_000, "mine.bin")
    open_live.client.runs.delete(first.id)
    before = on_disk(open_live.house.home)
    with monkeypatch.context() as patch:
        patch.setattr(Emptying, "_free", lambda *_: (0, 0, 0))  # as if it was killed here
        assert open_live.client.runs.empty_trash(grace_s=0).runs == 1
    young = open_live.client.runs.empty_trash()

    freed = open_live.client.runs.empty_trash(grace_s=0)

    assert (freed.runs, freed.size_bytes) == (0, before - on_disk(open_live.house.home))
    assert freed.size_bytes >= 70_000
    assert (young.files, young.young_files) == (0, freed.files)


def test_an_experiment_goes_with_its_many_runs(open_live: Live, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    for number in range(5):
        make_run(open_live.client, f"r{number}", params={"lr": 0.1}, tags={"team": "risk"})
    open_live.client.runs.delete_experiment("fraud", "default")

    with patch.object(emptying, "AT_ONCE", 2):
        planned = open_live.client.runs.empty_trash(dry_run=True)
        freed = open_live.client.runs.empty_trash()

    assert [(one.runs, one.experiments) for one in (planned, freed)] == [(5, 1), (5, 1)]
    with open_live.house.database.read() as connection:
        for table in (runs, experiments, words, *OF_A_RUN):
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0


def test_the_number_of_an_experiment_that_is_gone_is_never_given_again(open_live: Live, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    make_run(open_live.client)
    last = open_live.house.experiments.named("fraud", "default")
    open_live.client.runs.delete_experiment("fraud", "default")
    open_live.client.runs.empty_trash()

    make_run(open_live.client)

    again = open_live.house.experiments.named("fraud", "default")
    assert last is not None
    assert again is not None
    assert again.number > last.number


def test_a_run_that_made_a_model_stays_and_is_told_of(
    open_live: Live, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_live.client.projects.create("fraud")
    run = make_run(open_live.client, "made it")
    monkeypatch.setattr(MadeModels, "needed", lambda _self, _connection, runs: dict.fromkeys(runs, "model a version 1"))
    open_live.client.runs.delete(run.id)

    freed = open_live.client.runs.empty_trash(grace_s=0)

    assert [(kept.thing, kept.because) for kept in freed.kept] == [(run.ref, "model a version 1")]
    assert open_live.client.runs.show(run.id).deleted_at is not None


def test_every_table_with_rows_of_runs_is_emptied() -> None:
    of_runs = {t.name for t in metadata.sorted_tables if t.name.startswith("run_") and "run" in t.c}

    assert of_runs - {words.name} == {table.name for table in OF_A_RUN}
