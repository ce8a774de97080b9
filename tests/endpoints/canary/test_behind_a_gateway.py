"""Canaries on real requests: a server, its gateway and workers, labels that come late, and what becomes of each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from taxiway.endpoints.canary.contract import CanaryDetail, Limits
from taxiway.endpoints.contract import Label
from tests.endpoints.conftest import until

if TYPE_CHECKING:
    from tests.endpoints.running_server import Platform

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)
IN_TIME_S = 10.0
LENIENT = Limits(failures=1.0, disagreement=1.0, score_shift=1.0, latency=1000.0)


class Trials:
    """The endpoint `mortgage` and callers who ask it for the applications of some days."""

    def __init__(self, platform: Platform) -> None:
        from tests.endpoints.running_server import applications

        self.platform = platform
        frame, approved = applications()
        self.rows = frame.to_dict("records")
        self.truth = [int(each) for each in approved]
        self.canary = platform.olu.endpoints.canary("mortgage")

    def begin(self, version: str, **more: object) -> CanaryDetail:
        """A canary whose two versions are ready."""
        begun = self.canary.begin(version, share=0.5, non_inferiority=0.2, min_clusters=6, metric="brier", **more)  # type: ignore[arg-type]
        olu = self.platform.olu.endpoints
        until(lambda: {each.percent for each in olu.traffic("mortgage").show().now} == {50.0})
        return begun

    def ask(self, *, at_once: int, a_day: int = 12) -> list[Label]:
        """Seven days of rows and one request of the eighth, and what will turn out to be true of them."""
        found: list[Label] = []
        for day in range(8):
            for start in range(0, a_day if day < 7 else at_once, at_once):
                some = [(31 * day + start + row) % len(self.rows) for row in range(at_once)]
                at = FIRST + timedelta(days=day, minutes=start)
                answer = self.platform.ana.endpoints.invoke("mortgage", [self.rows[i] for i in some], event_at=at)
                found += [Label(answer.prediction_id, self.truth[i], row=row) for row, i in enumerate(some)]
        return found

    def label(self, labels: list[Label]) -> None:
        assert self.platform.ana.endpoints.label("mortgage", labels).new == len(labels)

    def ended(self) -> tuple[CanaryDetail, float]:
        """The canary once it is over, and how long that took."""
        began = time.monotonic()
        until(lambda: self.canary.show().canary.state != "running", IN_TIME_S + 5)
        return self.canary.show(), time.monotonic() - began

    @property
    def answers(self) -> str:
        """Which version all new requests get."""
        return {self.platform.ana.endpoints.invoke("mortgage", self.rows[0]).model for _ in range(4)}.pop()


@pytest.fixture
def trials(platform: Platform) -> Iterator[Trials]:
    trials = Trials(platform)
    before = platform.olu.endpoints.traffic("mortgage").show().wanted
    yield trials
    if trials.canary.show().canary.state == "running":
        trials.canary.end(reason="the test is over")
    traffic = platform.olu.endpoints.traffic("mortgage")
    traffic.split({share.revision: share.percent for share in before.shares})
    until(lambda: [share.revision for share in traffic.show().now] == before.answering)


def test_a_candidate_waits_for_late_labels_and_takes_over_once_they_are_there(trials: Trials) -> None:
    good = trials.platform.promoted(strength=0.9)
    trials.begin(f"mortgage@{good.version}")
    labels = trials.ask(at_once=4)
    until(lambda: trials.canary.show().canary.progress.pairs == len(labels))

    trials.label(labels[:48])
    until(lambda: trials.canary.show().verdict.clusters == 4)
    waiting = trials.canary.show()
    assert (waiting.canary.state, waiting.verdict.decision, waiting.verdict.missing) == ("running", "not enough yet", 2)
    assert waiting.canary.proxy is not None
    assert waiting.canary.proxy.broken == ""

    trials.label(labels[48:])
    done, took_s = trials.ended()
    assert (done.canary.state, done.verdict.decision, done.verdict.clusters) == ("promoted", "promote", 6)
    assert done.verdict.rows == 72
    assert took_s <= IN_TIME_S
    until(lambda: trials.answers == f"mortgage@{good.version}")


def test_a_worse_candidate_is_sent_back_by_proxies_at_once_and_by_labels_when_proxies_may_not(trials: Trials) -> None:
    bad = f"mortgage@{trials.platform.promoted(strength=-1.0).version}"
    champion = trials.begin(bad).canary.champion_ref.removeprefix("model:")
    trials.ask(at_once=4)
    done, took_s = trials.ended()

    assert (done.canary.state, done.looks, took_s <= IN_TIME_S) == ("rolled back", [], True)
    assert "of rows differently" in done.canary.why
    entry = trials.platform.owner.audit.entries().items
    facts = next(each.facts for each in entry if each.verb == "endpoints.roll_back_canary")
    assert facts["proxy"]["estimates"]["disagreement"] > 0.9
    until(lambda: trials.answers == champion)

    begun = trials.begin(bad, limits=LENIENT, paired=False)
    assert not begun.canary.paired
    assert trials.platform.olu.endpoints.traffic("mortgage").show().shadows == []
    trials.label(trials.ask(at_once=1, a_day=48))  # each side gets rows enough, however chance divides them
    done, took_s = trials.ended()

    assert (done.canary.state, done.verdict.decision, took_s <= IN_TIME_S) == ("rolled back", "roll back", True)
    assert done.verdict.low is not None
    assert done.verdict.low > 0
    assert 0 < sum(each.candidate_rows for each in done.clusters) < done.verdict.rows
    facts = next(
        each.facts for each in trials.platform.owner.audit.entries().items if each.verb == "endpoints.roll_back_canary"
    )
    assert facts["interval"] == [done.verdict.low, done.verdict.high]
    until(lambda: trials.answers == champion)
