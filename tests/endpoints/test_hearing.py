"""What a model's code could say in its worker's name: it brings nobody a forged answer, record or confinement."""

from __future__ import annotations

import asyncio
import struct
import subprocess
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from taxiway.endpoints.blocks import Field, Told
from taxiway.endpoints.refusals import ModelRaised
from taxiway.endpoints.worker import wire
from taxiway.endpoints.worker.confinement import Confinement
from taxiway.endpoints.worker.held import Worker
from taxiway.endpoints.worker.job import Job
from taxiway.models.predicting.signature import InputMismatch
from tests.support.loops import awaited

LOOSE, HELD = Confinement(user="root"), Confinement(True, True, True, True, "nobody")
READY = wire.Ready("trial", False, 0.1)


class Nobody:
    """Who a worker belongs to where that does not matter."""

    def on_ready(self) -> None: ...
    def on_answer(self) -> None: ...
    def on_death(self, worker: Worker, cpu_s: float) -> None: ...


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker that is there and has been asked nothing yet."""
    held = Worker(Nobody())
    with subprocess.Popen(["sleep", "60"]) as process:
        held.pid, held.endpoint = process.pid, "adder"
        yield held
        process.kill()


def hear(worker: Worker, said: Any, rows: int = 1) -> asyncio.Future[Sequence[bytes]]:
    """What becomes of a request with the number 7 once this was said."""

    async def ask() -> asyncio.Future[Sequence[bytes]]:
        future: asyncio.Future[Sequence[bytes]] = asyncio.get_running_loop().create_future()
        worker.in_flight[7] = Job([b'{"x":1}'] * rows, future)
        worker.data_received(said if isinstance(said, bytes) else wire.frame(said))
        return future

    return awaited(ask())


def test_an_answer_per_row_is_taken(worker: Worker) -> None:
    assert hear(worker, wire.Done(7, [b'{"prediction":1}', b'{"prediction":2}']), rows=2).result()[1][-3:] == b":2}"
    assert not worker.is_killed


def test_answers_in_one_text_or_field_by_field_are_taken_as_rows(worker: Worker) -> None:
    text = hear(worker, wire.Done(7, [], b'[{"prediction":1},{"prediction":-2}]'), rows=2).result()
    field = Field("prediction", "INT64", struct.pack("<2q", 1, -2))
    told = hear(worker, wire.Done(7, [], told=Told(2, (field,))), rows=2).result()

    assert [*text] == [*told] == [b'{"prediction":1}', b'{"prediction":-2}']
    assert (text[1], told[1], len(text), len(told)) == (b'{"prediction":-2}', b'{"prediction":-2}', 2, 2)
    assert not worker.is_killed


SHORT = Field("prediction", "INT64", bytes(15))
WHOLE = Field("prediction", "INT64", bytes(16))


@pytest.mark.parametrize(
    "said",
    [
        wire.Done(7, [], b'[{"prediction":1}]'),
        wire.Done(7, [], b'[{"prediction":1},2]'),
        wire.Done(7, [], b'[{"prediction":1},\n{"prediction":2}]'),
        wire.Done(7, [], b'[{"prediction":1},{"prediction":2}'),
        wire.Done(7, [], b'{"prediction":1}'),
        wire.Done(7, [], told=Told(2, ())),
        wire.Done(7, [], told=Told(2, (SHORT,))),
        wire.Done(7, [], told=Told(2, (WHOLE, WHOLE))),
        wire.Done(7, [], told=Told(1, (Field("prediction", "INT64", bytes(8)),))),
    ],
)
def test_many_answers_that_are_not_one_per_row_cost_the_worker(worker: Worker, said: wire.Done) -> None:
    assert not hear(worker, said, rows=2).done()
    assert worker.is_killed


RECORD = b'{"prediction":1}\n{"prediction_id":"0","row":0,"endpoint":"another"}'


@pytest.mark.parametrize(
    "said",
    [
        wire.Done(7, [RECORD]),
        wire.Done(7, [b'{"prediction":1,\n"score":1}']),
        wire.Done(7, [b'{"prediction":1},{"prediction":2}']),
        wire.Done(7, [b'{"prediction":NaN}']),
        wire.Done(7, [b'{"prediction":"\xff"}']),
        wire.Done(7, [b'{"a":' * 5000]),
        wire.Done(7, [b"[]"]),
        wire.Done(7, []),
        wire.Done(7, [b"{}", b"{}"]),
        wire.Done(8, [b"{}"]),
        wire.Fault(8, "ModelRaised", {}),
        b"\xff\xff\xff\xff",
        b"\x01\x00\x00\x00\xc1",
    ],
    ids=str,
)
def test_what_no_worker_says_ends_it_and_answers_nobody(worker: Worker, said: Any) -> None:
    future = hear(worker, said)

    assert not future.done(), "it is asked once more, elsewhere"
    assert worker.is_killed
    assert worker.why.startswith("a worker said what none of ours says")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (wire.Fault(7, "EndpointStopped", {"endpoint": "adder"}), "EndpointStopped: "),
        (wire.Fault(7, "SignInNeeded", {"reason": "no"}), "SignInNeeded: "),
        (wire.Fault(7, "NoSuchThing", {}), "cannot be read"),
        (wire.Fault(7, "InputMismatch", {"row": 1}), "cannot be read"),
        (wire.Fault(7, "ModelRaised", {"endpoint": "adder", "row": {}, "problem": 4, "more": 5}), "cannot be read"),
    ],
)
def test_an_error_that_is_not_a_worker_s_to_tell_is_the_model_s_failure(
    worker: Worker, fault: wire.Fault, says: str
) -> None:
    error = hear(worker, fault).exception()

    assert isinstance(error, ModelRaised)
    assert says in str(error)


def test_a_row_that_does_not_fit_is_told_as_it_is(worker: Worker) -> None:
    facts = {"row": 0, "field": "x", "value": "'a'", "expected": "a number"}

    assert isinstance(hear(worker, wire.Fault(7, "InputMismatch", facts)).exception(), InputMismatch)


def test_a_model_cannot_say_how_it_is_confined(worker: Worker) -> None:
    hear(worker, wire.Confined(LOOSE))
    hear(worker, READY)
    hear(worker, wire.Confined(HELD))

    assert worker.confinement == LOOSE
    assert worker.is_killed


def test_a_worker_is_ready_once(worker: Worker) -> None:
    hear(worker, READY)
    hear(worker, msgspec.structs.replace(READY, loaded=["sklearn.conftest"]))

    assert (worker.is_killed, worker.ready) == (True, READY)
