"""Opening and ending runs that are told of later: ids and times that the client gives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxiway.kernel.errors import AlreadyExists, BadField
from taxiway.kernel.ids import new_id
from taxiway.runs import contract
from taxiway.runs.contract import FinishRun, StartRun
from taxiway.runs.refusals import RunEnded
from tests.support.live import Live


def test_a_run_whose_id_the_client_drew_is_opened_once(open_live: Live) -> None:
    began = datetime.now(UTC) - timedelta(hours=2)
    body = StartRun(project="default", id=new_id(), started_at=began)

    first = open_live.client.transport.call(contract.start_run, body)
    again = open_live.client.transport.call(contract.start_run, body)

    assert (first.id, first.name, first.started_at) == (body.id, "default-1", began)
    assert again == first
    assert [run.id for run in open_live.client.runs.list()] == [body.id]
    with pytest.raises(AlreadyExists):
        open_live.client.transport.call(contract.start_run, StartRun(project="other", id=body.id))


def test_a_run_that_goes_on_is_moved_and_one_that_ended_stays(open_live: Live) -> None:
    client = open_live.client
    body = StartRun(project="default", id=new_id())
    client.transport.call(contract.start_run, body)

    moved = client.runs.change(str(body.id), experiment="repro")
    again = client.transport.call(contract.start_run, body)  # such as of a process that was away

    assert (moved.experiment, again.experiment) == ("repro", "repro")
    assert {one.name: one.runs for one in client.runs.experiments("default")} == {"default": 0, "repro": 1}
    with pytest.raises(BadField, match="experiment"):
        client.runs.change(moved.id, experiment="Not a name")
    client.runs.finish(moved.id)
    with pytest.raises(RunEnded):
        client.runs.change(moved.id, experiment="late")
    assert client.runs.change(moved.id, name="n", experiment="repro").name == "n"


@pytest.mark.parametrize("days", [-3, -1, 3])
def test_no_clock_of_a_client_makes_a_run_last_less_than_nothing(open_live: Live, days: int) -> None:
    before = datetime.now(UTC)
    opened = StartRun(project="default", id=new_id(), started_at=before + timedelta(days=-2))
    run = open_live.client.transport.call(contract.start_run, opened)

    ending = FinishRun(ended_at=before + timedelta(days=days))
    ended = open_live.client.transport.call(contract.finish_run, ending, run=run.id)

    assert ended.ended_at is not None
    assert run.started_at <= ended.ended_at <= datetime.now(UTC)


def test_a_clock_ahead_of_the_server_begins_no_run_in_the_future(open_live: Live) -> None:
    opened = StartRun(project="default", started_at=datetime.now(UTC) + timedelta(days=1))

    assert open_live.client.transport.call(contract.start_run, opened).started_at <= datetime.now(UTC)
