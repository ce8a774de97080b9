"""What comes without a writer's number: stored once by its content, whole or not at all, into ended runs when asked."""

from __future__ import annotations

import math

import pytest

from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import new_id
from taxiway.runs.points.batch import Row
from taxiway.runs.points.loose import Items
from taxiway.runs.refusals import ParamFixed, RunEnded
from tests.runs.conftest import MakeRun
from tests.support.live import Live

NOON = 1_772_600_000_000_000  # a moment in microseconds


def rows(count: int, key: str = "loss") -> list[Row]:
    return [Row(key, step, NOON + step, step / 2) for step in range(count)]


def test_the_same_points_again_are_known_and_identical_ones_count_once(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client).id
    log = live.house.run_log
    given = [*rows(20), *rows(20), Row("loss", 3, NOON, math.nan), Row("loss", 3, NOON, math.nan)]

    for _ in range(3):
        log.keep(SYSTEM, Items(points=given), run=run)

    found = log.history(run, "loss")
    assert found.steps.tolist() == sorted([*range(20), 3])
    assert live.client.runs.show(run).metrics == {"loss": 9.5}


def test_another_batch_with_some_of_the_same_points_shows_them_once_when_asked(
    open_live: Live, make_run: MakeRun
) -> None:
    run = make_run(open_live.client, project="default").id
    log = open_live.house.run_log
    log.keep(SYSTEM, Items(points=rows(5)), run=run)
    log.keep(SYSTEM, Items(points=rows(8)), run=run)

    assert log.history(run, "loss").steps.size == 13
    assert log.history(run, "loss").distinct().steps.tolist() == list(range(8))


def test_a_tag_that_comes_back_is_no_repeat(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default").id

    for text in ("a", "b", "a"):
        open_live.house.run_log.keep(SYSTEM, Items(tags={"state": text}), run=run)

    assert open_live.client.runs.show(run).tags == {"state": "a"}


def test_a_refused_parameter_takes_its_points_along(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client, params={"C": "1"}).id

    with pytest.raises(ParamFixed):
        live.house.run_log.keep(SYSTEM, Items(points=rows(3), params={"new": "x", "C": "2"}), run=run)

    assert live.client.runs.show(run).params == {"C": "1"}
    assert live.house.run_log.history(run, "loss").steps.size == 0


def test_an_ended_run_takes_more_only_when_asked_and_is_sealed_again(live: Live, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client).id
    ended = live.client.runs.finish(run)

    with pytest.raises(RunEnded):
        live.house.run_log.keep(SYSTEM, Items(points=rows(3)), run=run)
    live.house.run_log.keep(SYSTEM, Items(points=rows(3)), run=run, may_amend=True)

    shown = live.client.runs.show(run)
    assert shown.metrics == {"loss": 1.0}
    assert shown.sealed != ended.sealed
    entry = live.client.audit.entries(limit=1).items[0]
    assert (entry.verb, entry.facts["sealed"], entry.facts["points"]) == ("runs.amend", shown.sealed, 3)


def test_what_no_column_holds_and_what_no_line_shows_is_refused(open_live: Live, make_run: MakeRun) -> None:
    run = make_run(open_live.client, project="default").id
    log = open_live.house.run_log

    for row in (Row("x", 0, -1, 1.0), Row("x", 0, 2**63, 1.0), Row("a\nb", 0, 0, 1.0)):
        with pytest.raises(BadField):
            log.keep(SYSTEM, Items(points=[row]), run=run)
    with pytest.raises(NotFound):
        log.keep(SYSTEM, Items(points=rows(1)), run=new_id())
