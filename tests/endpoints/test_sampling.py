"""What the gateway counts is kept, added up over its restarts; what it refuses is noted."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from taxiway.endpoints.gateway.address import Address, write_address
from taxiway.endpoints.gateway.status import GatewayStatus, RevisionStatus, start_ticks, write_status
from taxiway.endpoints.steering.sampling import Sampler
from tests.endpoints.story import Stage
from tests.gates.story import PROJECT
from tests.support.live import Live


class Pretence:
    """A gateway that is this very process and says what a test wants."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.sampler = Sampler(stage.live.house.endpoints)
        self.pid = os.getpid()
        now = datetime.now(UTC)
        (stage.home / "gateway").mkdir(exist_ok=True)
        write_address(stage.home, Address(self.pid, start_ticks(self.pid) or 0, "127.0.0.1", 1, now))

    def says(self, *revisions: RevisionStatus) -> None:
        now = datetime.now(UTC)
        write_status(self.stage.home, GatewayStatus(self.pid, now, now, 1, list(revisions)))

    def revision(self, number: int, state: str = "ready", *, is_live: bool = True, **counts: Any) -> RevisionStatus:
        version = self.stage.ana.models.find(f"mortgage@{number}")
        return RevisionStatus(
            "mortgage",
            number,
            "mortgage",
            number,
            version.bundle,
            state,  # type: ignore[arg-type]
            is_live,
            **counts,
        )


@pytest.fixture
def gateway(live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pretence:
    monkeypatch.chdir(tmp_path)
    stage = Stage(live, tmp_path)
    stage.promoted()
    stage.deployed()
    return Pretence(stage)


def test_counters_go_on_where_a_new_gateway_begins_anew(gateway: Pretence) -> None:
    gateway.says(gateway.revision(1, requests=10, errors=2, refused=5, rows=30, cpu_seconds=1.5, p99_ms=9.0))
    gateway.sampler.sample()
    gateway.sampler.sample()
    gateway.says(gateway.revision(1, requests=4, errors=0, refused=1, rows=4, cpu_seconds=0.5, p99_ms=7.0))
    gateway.sampler.sample()

    found = gateway.stage.olu.endpoints.revision("mortgage", 1)
    assert (found.requests, found.errors, found.refused, found.rows, found.cpu_s) == (14, 2, 6, 34, 2.0)
    minutes = gateway.stage.live.house.endpoints.minutes("mortgage", timedelta(hours=1))
    assert sum(each.requests for each in minutes) == 14
    assert minutes[-1].p99_ms == 7.0


def test_latency_is_still_known_when_the_gateway_begins_anew(gateway: Pretence) -> None:
    gateway.says(gateway.revision(1, requests=10, p50_ms=3.0, p99_ms=9.0))
    gateway.sampler.sample()
    gateway.says(gateway.revision(1))

    shown = gateway.stage.olu.endpoints.show("mortgage")
    assert [(each.p50_ms, each.p99_ms) for each in shown.revisions] == [(3.0, 9.0)]
    assert (shown.endpoint.p50_ms, shown.endpoint.p99_ms) == (3.0, 9.0)


def test_a_page_adds_what_came_since_the_last_sample(gateway: Pretence) -> None:
    gateway.says(gateway.revision(1, requests=10))
    gateway.sampler.sample()
    gateway.says(gateway.revision(1, requests=13))

    assert gateway.stage.olu.endpoints.show("mortgage").endpoint.requests == 13


def test_the_first_answer_is_noted_once_and_the_project_is_in_production(gateway: Pretence) -> None:
    gateway.says(gateway.revision(1))

    gateway.sampler.note_arrivals()
    gateway.sampler.note_arrivals()

    stage = gateway.stage
    verbs = [entry.verb for entry in stage.ivo.audit.entries(limit=10).items]
    assert verbs.count("endpoints.go_live") == 1
    assert stage.olu.endpoints.revision("mortgage", 1).live_at is not None
    assert "production" in [entry.stage for entry in stage.olu.projects.show(PROJECT).stages]


def test_a_revision_that_is_refused_leaves_the_one_before_in_force(gateway: Pretence) -> None:
    gateway.stage.promoted()
    gateway.stage.deployed()
    refused = gateway.revision(2, "refused", is_live=False, reason="model.bin is not the file that was approved")
    gateway.says(gateway.revision(1), refused)

    gateway.sampler.note_arrivals()

    shown = gateway.stage.olu.endpoints.show("mortgage")
    assert (shown.endpoint.active, shown.endpoint.state) == (1, "answering")
    assert (shown.revisions[0].state, shown.revisions[0].reason) == ("refused", refused.reason)
    assert gateway.stage.configuration().endpoints[0].active == 1


def test_while_a_new_revision_starts_the_endpoint_answers_with_the_one_before(gateway: Pretence) -> None:
    gateway.stage.promoted()
    gateway.stage.deployed()
    gateway.says(gateway.revision(1), gateway.revision(2, "starting", is_live=False))

    shown = gateway.stage.olu.endpoints.show("mortgage")
    assert (shown.endpoint.state, shown.endpoint.answering, shown.endpoint.active) == ("answering", 1, 2)
    assert [each.state for each in shown.revisions] == ["starting", "retired"]
