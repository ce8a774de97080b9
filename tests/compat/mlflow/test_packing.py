"""Large batches packed by a process beside the server: the same batches, the same refusals, with or without it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as some

from taxiway.compat.mlflow import packing
from taxiway.compat.mlflow.logged import LogBatch, series_of
from taxiway.compat.mlflow.packing import pack
from taxiway.runs.points.loose import Items, checked_batch
from taxiway.web import beside
from taxiway.web.beside import Beside
from tests.support.live import Live, running
from tests.support.loops import awaited
from tests.web.browse import Visitor

API = "/api/2.0/mlflow/runs"
RUN = "a" * 32

values = some.floats(allow_nan=False, allow_infinity=False) | some.sampled_from(["NaN", "Infinity", "-Infinity"])
metrics = some.fixed_dictionaries(
    {
        "key": some.sampled_from(["loss", "accuracy/train", "größe"]),
        "value": values,
        "timestamp": some.integers(0, 253_402_214_400_000),
        "step": some.integers(-(2**63), 2**63 - 1),
    }
)


@settings(max_examples=60, deadline=None)
@given(some.lists(metrics, max_size=300))
def test_a_packed_batch_is_the_one_the_server_would_make(given_metrics: list[dict[str, Any]]) -> None:
    data = json.dumps({"run_id": RUN, "metrics": given_metrics}).encode()
    made = checked_batch(RUN, Items(series=series_of(msgspec.json.decode(data, type=LogBatch).metrics)))

    packed = packing.decoder.decode(pack(data))

    assert (packed.run_id, packed.batch) == (RUN, made)
    assert msgspec.msgpack.encode(packed.batch) == msgspec.msgpack.encode(made)


@pytest.mark.parametrize(
    "body",
    [
        {"metrics": [{"key": "a", "value": 1, "timestamp": -1}]},
        {"metrics": [{"key": "../a", "value": 1, "timestamp": 1}]},
        {"metrics": [{"key": "a", "value": "much", "timestamp": 1}]},
        {"metrics": [{"key": "a", "value": 1, "timestamp": 1}] * 1001},
        {"metrics": [{"key": "a", "value": 1, "timestamp": 1, "model_id": "m-1"}]},
        {"run_id": "no/run"},
        {"params": [{"key": "p", "value": "1"}]},
        {"tags": [{"key": "t", "value": "1"}]},
    ],
    ids=["time", "key", "value", "size", "model", "run", "params", "tags"],
)
def test_what_is_refused_or_concerns_others_is_left_to_the_server(body: dict[str, Any]) -> None:
    assert pack(json.dumps({"run_id": RUN, **body}).encode()) == b""
    assert pack(b'{"run_id": ') == b""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server that starts the process with the first large batch."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beside, "BUSY", 1)
        patch.setattr(beside, "AGAIN_S", 0.0)
        patch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
        with running(tmp_path_factory.mktemp("live") / "home", login=False) as live:
            yield live


def post(live: Live, call: str, body: dict[str, Any]) -> tuple[int, Any]:
    data = json.dumps(body).encode()
    answer = Visitor(live.url).ask("POST", f"{API}/{call}", body=data, headers={"Content-Type": "application/json"})
    return answer.status, json.loads(answer.text)


def new_run(live: Live) -> str:
    return str(post(live, "create", {"experiment_id": "0"})[1]["run"]["info"]["run_id"])


def points(first: int, count: int = 400) -> list[dict[str, Any]]:
    return [
        {"key": "loss", "value": n / 7, "timestamp": 1_700_000_000_000 + n, "step": n}
        for n in range(first, first + count)
    ]


def ready(live: Live) -> Beside:
    """The process, at work."""
    beside_ = live.house.packing.beside
    run, until = new_run(live), time.monotonic() + 20
    while not (beside_.line and beside_.line.is_ready):
        assert time.monotonic() < until, "the process did not come up"
        assert post(live, "log-batch", {"run_id": run, "metrics": points(0)})[0] == 200
        time.sleep(0.05)
    return beside_


def test_batches_are_stored_once_through_the_process(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    ready(live)
    run = new_run(live)

    def refuse(_metrics: object) -> None:
        raise AssertionError("the server read it itself")

    with monkeypatch.context() as patch:
        patch.setattr("taxiway.compat.mlflow.logged.series_of", refuse)
        told = [post(live, "log-batch", {"run_id": run, "metrics": points(first)}) for first in (0, 400, 0)]
    post(live, "update", {"run_id": run, "status": "FINISHED"})
    late = post(live, "log-batch", {"run_id": run, "metrics": points(800)})

    assert [*told, late] == [(200, {})] * 4
    found = live.house.run_log.history(run, "loss")
    assert found.steps.tolist() == list(range(1200))
    assert found.values.tolist() == [n / 7 for n in range(1200)]


def test_refusals_are_those_of_the_server(live: Live) -> None:
    ready(live)
    run = new_run(live)
    bad = [*points(0), {"key": "loss", "value": 1, "timestamp": -5, "step": 1}]

    status, told = post(live, "log-batch", {"run_id": run, "metrics": bad})
    unknown, _ = post(live, "log-batch", {"run_id": RUN, "metrics": points(0)})

    assert (status, unknown) == (400, 404)
    assert "metrics[400].timestamp" in told["message"]
    assert len(live.house.run_log.history(run, "loss")) == 0


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSTOP])
def test_a_process_that_is_gone_or_hangs_costs_no_batch(
    live: Live, monkeypatch: pytest.MonkeyPatch, sign: signal.Signals
) -> None:
    monkeypatch.setattr(beside, "WITHIN_S", 0.5)
    at_work = ready(live)
    assert at_work.process is not None
    os.kill(at_work.process.pid, sign)
    run = new_run(live)

    told = [post(live, "log-batch", {"run_id": run, "metrics": points(first)}) for first in (0, 400)]

    assert told == [(200, {})] * 2
    assert len(live.house.run_log.history(run, "loss")) == 800
    ready(live)  # and another one takes its place


def test_the_process_answers_on_the_event_loop_that_the_server_runs_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "BUSY", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1})
    data = json.dumps({"run_id": RUN, "metrics": points(0)}).encode()

    async def turned() -> bytes:
        at_work = Beside(packing.MODULE)
        try:
            async with asyncio.timeout(20):
                while not (found := await at_work.turn(data)):  # noqa: ASYNC110 - nothing else tells
                    await asyncio.sleep(0.05)
            return found
        finally:
            at_work.close()

    assert awaited(turned(), uvloop.new_event_loop) == pack(data)
