"""Canaries through the SDK: who may be one, what the looks do, and that a restart changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.endpoints.canary.looking import Attendant
from taxiway.endpoints.canary.refusals import CanaryRuns
from taxiway.endpoints.rollout.split import Share, whole
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import BadField, NotFound
from taxiway.models.refusals import StillAnswers
from tests.endpoints.canary.trial import Trial
from tests.support.live import Live
from tests.web.browse import Visitor


@pytest.fixture
def trial(sqlite_live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Trial:
    monkeypatch.chdir(tmp_path)
    return Trial(sqlite_live, tmp_path)


def test_a_candidate_that_keeps_within_the_margin_passes_its_gate_and_takes_over(trial: Trial) -> None:
    name = trial.staged()
    with pytest.raises(GateClosed, match="canary"):
        trial.ana.models.promote(name, "production")

    begun = trial.olu.endpoints.canary("mortgage").begin(name, reason="try it")
    split = trial.configuration().endpoints[0].rollout
    assert split is not None
    assert split.split.shares == (Share(1, 80.0), Share(2, 20.0))
    assert {each.revision for each in split.shadows} == {1, 2}
    assert (begun.canary.non_inferiority, begun.canary.cluster, begun.canary.min_clusters) == (0.05, "day", 6)
    assert begun.verdict.missing == 6

    for day in range(6):
        trial.play(day, right=0.8, other=0.8)
    waiting = trial.look()
    assert (waiting.verdict.decision, waiting.verdict.clusters, waiting.looks) == ("not enough yet", 5, [])
    assert waiting.canary.progress.open == 1  # the last day has not ended
    on_trial = trial.olu.endpoints.show("mortgage").endpoint.canary
    assert on_trial is not None
    assert (on_trial.revision, on_trial.percent, on_trial.said) == (2, 20.0, waiting.verdict.sentence)
    page = Visitor(trial.live.url).get("/endpoints/mortgage", authorization=f"Bearer {trial.live.tokens['olu']}").text
    assert "The next look comes with the 6th whole day" in page

    trial.play(6, right=0.8, other=0.8)
    done = trial.look()

    assert (done.canary.state, done.verdict.decision, done.verdict.clusters) == ("promoted", "promote", 6)
    assert trial.olu.endpoints.show("mortgage").endpoint.canary is None
    assert trial.configuration().endpoints[0].active == 2
    after = trial.configuration().endpoints[0].rollout
    assert after is not None
    assert (after.split.shares, after.shadows) == (whole(2).shares, ())
    assert trial.olu.models.find(name).stage == "production"
    gate = next(g for s in trial.olu.gates.show(name).stages for g in s.gates if g.check == "canary")
    assert (gate.verdict, "within" in gate.outcome.reason or "at most" in gate.outcome.reason) == ("pass", True)
    entry = next(e for e in trial.live.client.audit.entries().items if e.verb == "endpoints.promote_canary")
    assert entry.facts["clusters"] == 6
    trial.look()
    assert not (trial.home / "canaries" / done.canary.id).exists()


def test_a_worse_candidate_goes_back_with_its_numbers_though_the_server_died_in_between(trial: Trial) -> None:
    trial.olu.endpoints.canary("mortgage").begin(trial.staged())
    for day in range(4):
        trial.play(day, right=0.8, other=0.6)
    trial.look()

    trial.attendant = Attendant(trial.live.house.endpoints, lambda: trial.now_s)  # what a new process begins with
    for day in range(4, 7):
        trial.play(day, right=0.8, other=0.6)
    done = trial.look()

    assert done.canary.state == "rolled back"
    assert [each.name for each in done.clusters] == [f"2013-07-0{day}" for day in range(1, 7)]
    assert done.verdict.low is not None
    assert done.verdict.low > 0.2
    now = trial.olu.endpoints.traffic("mortgage").show()
    assert (now.wanted.shares, now.shadows, now.history[0].cause[:9]) == (whole(1).shares, [], "Roll back")
    assert now.last_fall is not None
    assert now.last_fall.cause.kind == "canary"
    gate = next(g for s in trial.olu.gates.show("mortgage@2").stages for g in s.gates if g.check == "canary")
    assert gate.verdict == "fail"


def test_without_labels_a_proxy_sends_back_and_promotes_nothing(trial: Trial) -> None:
    trial.olu.endpoints.canary("mortgage").begin(trial.staged())
    for day in range(8):
        trial.play(day, right=0.8, other=0.8, labelled=False)
    fine = trial.look()
    assert (fine.canary.state, fine.verdict.decision) == ("running", "not enough yet")
    assert fine.canary.proxy is not None
    assert fine.canary.proxy.broken == ""
    shown = trial.olu.endpoints.canary("mortgage").end(reason="another is tried")
    assert shown.canary.why == "another is tried"


def test_without_labels_a_shifted_score_sends_back(trial: Trial) -> None:
    trial.olu.endpoints.canary("mortgage").begin(trial.staged())
    for day in range(8):
        trial.play(day, right=0.8, other=0.8, labelled=False, shift=0.15)

    done = trial.look()

    assert (done.canary.state, done.looks) == ("rolled back", [])
    assert done.canary.why.startswith("Its mean score is off by +0.150")


def test_who_may_be_a_canary(trial: Trial) -> None:
    canary = trial.olu.endpoints.canary("mortgage")
    with pytest.raises(NotFound):
        canary.show()
    unapproved = trial.version({"white": (1000, 900), "black": (1000, 880)})
    trial.ana.gates.evaluate(f"mortgage@{unapproved.version}")
    trial.ana.models.promote(f"mortgage@{unapproved.version}", "staging")
    with pytest.raises(GateClosed) as refusal:
        canary.begin(f"mortgage@{unapproved.version}")
    assert [each.gate for each in refusal.value.unmet] == ["approvals"]

    name = trial.staged()
    with pytest.raises(BadField, match="share"):
        canary.begin(name, share=0.4)
    with pytest.raises(BadField, match="as the path says"):
        canary.begin(name, non_inferiority=0.5)
    canary.begin(name, share=0.05)
    with pytest.raises(CanaryRuns):
        canary.begin(name)
    with pytest.raises(StillAnswers):
        trial.olu.models.promote(name, "archived", reason="no more")

    assert canary.end(reason="enough").canary.state == "ended"
    assert trial.olu.endpoints.traffic("mortgage").show().wanted.shares == whole(1).shares
