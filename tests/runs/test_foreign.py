"""Runs and experiments as clients of other systems make them: the services, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.runs.experiments import FIRST, OpenExperiment, check_name
from taxiway.runs.foreign.foreign import ForeignRuns, OpenRun, UpdateRun
from taxiway.runs.foreign.sheets import Reading
from taxiway.runs.refusals import ExperimentTrashed, RunTrashed
from tests.support.live import Live

ANA = Caller(name="ana", kind="person", is_admin=True)
AT = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def foreign(live: Live) -> ForeignRuns:
    return ForeignRuns(live.house.database, live.house.ledger)


def opened(foreign: ForeignRuns, experiment: int = FIRST, name: str = "n") -> str:
    return foreign.open(ANA, OpenRun(experiment, name, "bea", AT, {"team": "risk", "odd": "ü\n"})).id


def test_a_run_is_what_its_client_said(live: Live, foreign: ForeignRuns) -> None:
    run = opened(foreign)

    sheet = foreign.sheet(run)

    assert (sheet.experiment, sheet.project, sheet.name, sheet.user) == (FIRST, "default", "n", "bea")
    assert dict(sheet.tags) == {"team": "risk", "odd": "ü\n"}
    assert sheet == foreign.sheets([sheet.number])[0]
    shown = live.client.runs.show(run)
    assert (shown.experiment, shown.started_at, shown.created_by) == ("default", AT, "ana")


def test_an_ended_run_is_taken_up_again_and_sealed_anew(live: Live, foreign: ForeignRuns) -> None:
    run = opened(foreign)
    foreign.update(ANA, UpdateRun(status="failed", ended_at=AT + timedelta(hours=1)), run=run)
    ended = live.client.runs.show(run)
    foreign.update(ANA, UpdateRun(status="running"), run=run)
    again = live.client.runs.show(run)
    foreign.update(ANA, UpdateRun(status="finished"), run=run)
    finished = live.client.runs.show(run)

    assert (ended.status, ended.ended_at) == ("failed", AT + timedelta(hours=1))
    assert (again.ended_at, again.sealed) == (None, "")
    assert (finished.status, bool(finished.sealed), bool(ended.sealed)) == ("finished", True, True)
    entries = live.client.audit.entries(limit=3).items
    assert [(entry.verb, entry.project) for entry in entries] == [
        ("runs.finish", "default"),
        ("runs.reopen", "default"),
        ("runs.finish", "default"),
    ]


def test_data_is_described_once_for_an_experiment(foreign: ForeignRuns) -> None:
    runs = [opened(foreign), opened(foreign)]
    loans = Reading("loans", "d1", "local", "{}", "", "", {"mlflow.data.context": "training"})

    for run in runs:
        foreign.read(ANA, [loans, loans], run=run)
    foreign.read(ANA, [loans], run=runs[0])

    assert [foreign.sheet(run).readings for run in runs] == [[loans], [loans]]
    assert [tuple(one) for one in foreign.described([FIRST], most=10)] == [(FIRST, "loans", "d1", "training")]


def test_what_is_in_the_trash_or_not_there_is_refused(live: Live, foreign: ForeignRuns) -> None:
    experiments = live.house.experiments
    number = experiments.create(ANA, OpenExperiment("default", 'a/b "c"', "label", {"k": "v"}))
    run = opened(foreign, number)
    live.house.trash.delete_experiment(ANA, number)

    with pytest.raises(RunTrashed):
        foreign.update(ANA, UpdateRun(name="x"), run=run)
    with pytest.raises(RunTrashed):
        foreign.untag(ANA, "team", run=run)
    with pytest.raises(RunTrashed):
        foreign.read(ANA, [], run=run)
    with pytest.raises(ExperimentTrashed):
        opened(foreign, number)
    with pytest.raises(ExperimentTrashed):
        experiments.rename(ANA, number, "x")
    with pytest.raises(BadField):
        experiments.rename(ANA, FIRST, "x")
    with pytest.raises(NotFound):
        opened(foreign, 999)
    with pytest.raises(NotFound):
        foreign.sheet("0" * 32)
    with pytest.raises(AlreadyExists):
        experiments.create(ANA, OpenExperiment("default", 'a/b "c"'))


def test_tags_of_runs_and_experiments_are_set_and_gone(live: Live, foreign: ForeignRuns) -> None:
    experiments = live.house.experiments
    run = opened(foreign)
    foreign.untag(ANA, "team", run=run)
    experiments.tag(ANA, FIRST, "k", "1")
    experiments.tag(ANA, FIRST, "k", "2")

    assert dict(foreign.sheet(run).tags) == {"odd": "ü\n"}
    assert experiments.find(FIRST).tags == {"k": "2"}
    assert live.client.runs.list(filter='"risk"') == []
    experiments.untag(ANA, FIRST, "k")
    with pytest.raises(NotFound):
        experiments.untag(ANA, FIRST, "k")
    with pytest.raises(NotFound):
        foreign.untag(ANA, "team", run=run)


def test_the_first_experiment_is_there_before_it_is_stored(live: Live) -> None:
    experiments = live.house.experiments

    assert [one.number for one in experiments.visible(None)] == [FIRST]
    assert experiments.visible(["fraud"]) == []
    assert experiments.named("default", "default") == experiments.find(FIRST)
    live.client.projects.create("fraud")
    with live.client.runs.start(project="fraud", experiment="base"):
        pass
    assert [(one.project, one.name) for one in experiments.visible(["fraud"])] == [("fraud", "base")]
    with live.client.runs.start():
        pass
    assert experiments.find(FIRST).created_at > AT


@pytest.mark.parametrize("name", ["", " ", "a\nb", "n" * 501, "\u202e"])
def test_a_name_is_one_line_of_text(name: str) -> None:
    with pytest.raises(BadField):
        check_name(name)
