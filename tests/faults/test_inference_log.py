"""The inference log while things break: a gateway killed between answer and record, a full disk, a server gone."""

from __future__ import annotations

import random
import resource
import signal
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path

import msgspec
import pytest

from taxiway.endpoints.inferences.ageing.chain import check
from taxiway.endpoints.inferences.ageing.sealing import seal_and_merge
from taxiway.endpoints.inferences.log import read
from taxiway.endpoints.inferences.policy import Durability, LogPolicy
from taxiway.kernel.clock import now
from tests.endpoints.conftest import Site, until
from tests.endpoints.running_server import ROW, Platform

CALLERS = 4
FULL_BYTES = 1  # no file of the gateway's may grow any more, as on a full disk
LIVE_S = 20.0


@pytest.fixture
def site(tmp_path: Path) -> object:
    site = Site(tmp_path / "home")
    try:
        yield site
    finally:
        if site.gateway is not None:
            site.stop()


def ask_on(site: Site, answered: list[str], is_over: threading.Event) -> None:
    """Asks over one connection until the gateway is gone, and notes each answer that came whole."""
    with closing(site.connection()) as connection, suppress(OSError, HTTPException, msgspec.DecodeError):
        while not is_over.is_set():
            connection.request("POST", "/endpoints/adder/invocations", b'{"x":1}', {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status == 200:
                answered.append(msgspec.json.decode(text)["prediction_id"])


def killed(site: Site, kills: int, seed: int) -> list[str]:
    """What callers were answered by gateways that were killed at random moments under load."""
    chance = random.Random(seed)
    answered: list[str] = []
    for _ in range(kills):
        site.start()
        until(lambda: site.ask({"x": 1}).status == 200, LIVE_S)
        is_over = threading.Event()
        callers = [threading.Thread(target=ask_on, args=(site, answered, is_over)) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        time.sleep(chance.uniform(0.02, 0.2))
        site.stop(signal.SIGKILL)
        is_over.set()
        for caller in callers:
            caller.join(10)
    return answered


@pytest.mark.parametrize(
    ("kills", "durability"),
    [
        (2, "acknowledged"),
        pytest.param(50, "acknowledged", marks=pytest.mark.fault),
        pytest.param(50, "buffered", marks=pytest.mark.fault),
    ],
)
def test_no_answer_is_without_its_record_when_its_gateway_is_killed(
    site: Site, kills: int, durability: Durability
) -> None:
    site.deploy(log=LogPolicy(durability))

    answered = killed(site, kills, seed=5)

    site.start()  # what the killed one left open is closed
    site.stop()
    assert seal_and_merge(site.home, now()) == []
    recorded: list[str] = read(site.home, "adder")["prediction_id"].to_pylist()
    print(
        f"{kills} kills, {durability}: {len(answered)} answers, {len(set(answered) - set(recorded))} without a record"
    )
    assert len(answered) > 5 * kills
    assert set(answered) <= set(recorded)
    assert len(recorded) == len(set(recorded))
    assert check(site.home, "adder") == []


def test_on_a_full_disk_the_policy_refuses_or_goes_on_and_counts_and_recovers_by_itself(site: Site) -> None:
    site.deploy(log=LogPolicy("acknowledged"))
    site.start()
    until(lambda: site.ask({"x": 1}).status == 200, LIVE_S)
    assert site.gateway is not None
    pid = site.gateway.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, before[1]))
    refused = site.ask({"x": 1})
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    site.change("adder", log=LogPolicy("buffered", when_full="go-on"))
    until(lambda: site.status().logs[0].when_full == "go-on", LIVE_S)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (FULL_BYTES, before[1]))
    unrecorded = site.ask({"x": 2})
    while_full = site.status().logs[0]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)

    again = site.ask({"x": 3})
    after = site.status().logs[0]

    assert (refused.status, refused.body["error"]) == (507, "AnswerNotRecorded")
    assert refused.headers["retry-after"] == "5"
    assert unrecorded.predictions == [3.0]
    assert (while_full.refused, while_full.unrecorded, while_full.problem) == (1, 1, "File too large")
    assert (after.unrecorded, after.problem) == (1, "")
    ids = read(site.home, "adder")["prediction_id"].to_pylist()
    assert again.body["prediction_id"] in ids
    assert unrecorded.body["prediction_id"] not in ids


@pytest.mark.fault
def test_what_was_answered_without_server_and_database_is_delivered_afterwards(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "platform")
    try:
        platform.promoted()
        platform.olu.endpoints.deploy("mortgage", "mortgage@1")
        assert platform.process is not None
        platform.end(signal.SIGKILL)
        database = next(platform.home.glob("*.db"))
        away = database.rename(database.with_suffix(".away"))
        gateway = platform.at_gateway()
        answered = [gateway.endpoints.invoke("mortgage", ROW).prediction_id for _ in range(50)]
        away.rename(database)
        platform.start()

        records = platform.ana.endpoints.inferences("mortgage").records(since="1h", limit=1000).records

        assert {each.prediction_id for each in records} >= set(answered)
        assert platform.ana.endpoints.inferences("mortgage").check().problems == []
    finally:
        platform.close()
