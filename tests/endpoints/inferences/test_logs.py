"""A log as people meet it: asked, kept otherwise, erased from, checked; through server, SDK and command line."""

from __future__ import annotations

import time

import duckdb
import msgspec
import pytest

from taxiway.cli import main
from taxiway.client import Client
from taxiway.endpoints.inferences.logs.contract import LogAnswer
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.inferences.refusals import LogHeld
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from tests.endpoints.running_server import ROW, Platform

LOGGED = "logged"


@pytest.fixture(scope="module")
def logged(platform: Platform) -> Platform:
    """An endpoint whose rows say whose they are, by a field that the model reads."""
    platform.olu.endpoints.deploy(LOGGED, "mortgage@1")
    for income in (10.0, 20.0, 30.0):
        platform.ana.endpoints.invoke(LOGGED, ROW | {"income": income})
    return platform


def in_force(platform: Platform, policy: LogPolicy, reason: str = "") -> None:
    """Has a policy hold at the gateway."""
    platform.olu.endpoints.inferences(LOGGED).keep(policy, reason=reason)
    time.sleep(0.5)  # the gateway looks five times a second


def incomes(answer: LogAnswer) -> list[float]:
    return [each.inputs["income"] for each in answer.records]


def test_a_log_is_asked_by_those_who_may_read_the_endpoint(logged: Platform) -> None:
    asked = logged.ana.endpoints.inferences(LOGGED)

    answer = asked.records(where="inputs.income <= 30 and latency_ms < 30000", since="1h", limit=2)

    assert incomes(answer) == [30.0, 20.0]
    assert answer.records[0].caller == "ana"
    assert asked.records(where="inputs.income = 15").records == []
    assert asked.records(until="1h").records == []
    with pytest.raises(BadField, match="where"):
        asked.records(where="income > 20")
    with pytest.raises(NotFound):
        logged.people["eve"].endpoints.inferences(LOGGED).records()


def test_the_sdk_gives_a_table_and_a_relation(logged: Platform) -> None:
    table = logged.ana.endpoints.log(LOGGED, where="inputs.income > 10 and inputs.income < 40", since="1h")
    relation = logged.ana.endpoints.inferences(LOGGED).relation(where="inputs.income > 10")

    assert [msgspec.json.decode(text)["income"] for text in table["inputs"].to_pylist()] == [20.0, 30.0]
    assert table["at"].to_pylist() == sorted(table["at"].to_pylist())
    assert isinstance(relation, duckdb.DuckDBPyRelation)
    assert list((logged.home / "fetched").glob("*.arrow")) == []


def test_new_records_are_followed_once_each(logged: Platform) -> None:
    where = "inputs.income > 20 and inputs.income < 50"
    following = logged.ana.endpoints.inferences(LOGGED).follow(where=where, since="1h", poll_s=0.05)
    first = next(following)

    logged.ana.endpoints.invoke(LOGGED, ROW | {"income": 40.0})
    second = next(following)

    assert [first.inputs["income"], second.inputs["income"]] == [30.0, 40.0]


def test_the_command_shows_a_table_and_how_the_log_is_kept(
    logged: Platform, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", logged.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", str(logged.ana.transport.token))

    assert main(["endpoints", "log", LOGGED, "--where", "inputs.income < 15", "--since", "1h"]) == 0
    said = capsys.readouterr().out
    assert main(["endpoints", "keep-log", LOGGED]) == 0
    kept = capsys.readouterr().out
    assert main(["endpoints", "verify-log", LOGGED]) == 0

    assert '"income":10.0' in said
    assert "acknowledged (the project's risk is high)" in kept
    assert "requests are refused" in kept


def test_high_risk_waits_for_the_disk_until_the_endpoint_says_otherwise(logged: Platform) -> None:
    before = logged.olu.endpoints.inferences(LOGGED).show()

    in_force(logged, LogPolicy("buffered", when_full="go-on"), reason="a trial")
    after = logged.olu.endpoints.inferences(LOGGED).show()
    in_force(logged, LogPolicy())

    assert (before.durability, before.because, before.loss_window_s) == (
        "acknowledged",
        "the project's risk is high",
        0,
    )
    assert (after.durability, after.because, after.loss_window_s) == ("buffered", "the endpoint's own", 0.2)
    assert (after.reason, after.changed_by) == ("a trial", "olu")
    with pytest.raises(NotAllowed):
        logged.ana.endpoints.inferences(LOGGED).keep(LogPolicy("buffered"))
    with pytest.raises(BadField, match="subject"):
        logged.olu.endpoints.inferences(LOGGED).keep(LogPolicy(personal=("income",)))


def test_a_subject_is_erased_by_owners_alone_and_the_chain_stays(logged: Platform) -> None:
    owner: Client = logged.owner
    in_force(logged, LogPolicy(personal=("income",), subject="district"))
    for district in (0, 1):
        logged.ana.endpoints.invoke(LOGGED, ROW | {"income": 77.0, "district": district})
    in_force(logged, LogPolicy(personal=("income",), subject="district", hold="case 12"))
    asked = owner.endpoints.inferences(LOGGED)

    with pytest.raises(LogHeld, match="case 12"):
        asked.erase("1", reason="she asked")
    in_force(logged, LogPolicy(personal=("income",), subject="district"))
    with pytest.raises(NotAllowed):
        logged.olu.endpoints.inferences(LOGGED).erase("1", reason="she asked")
    seen = asked.records(where="inputs.income = 77")
    erased = asked.erase("1", reason="she asked")
    left = asked.records(where="inputs.income = 77")
    in_force(logged, LogPolicy())

    assert [each.inputs["district"] for each in seen.records] == [1, 0]
    assert [each.inputs["district"] for each in left.records] == [0]
    assert logged.ana.endpoints.inferences(LOGGED).records(where="inputs.income = 77").records == []
    assert erased.was_there
    entry = next(iter(owner.audit.entries(verb="endpoints.erase", limit=1).items))
    assert (entry.facts["reason"], entry.facts["subject"]) == ("she asked", erased.subject)
    assert erased.subject.startswith("hmac-sha256:")
    assert asked.check().problems == []
