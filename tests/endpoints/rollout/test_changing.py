"""Dividing traffic through the SDK: the gates, the history, and what the gateway took back by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from taxiway.cli import main
from taxiway.endpoints.refusals import ShadowTooEarly, StageNotServed
from taxiway.endpoints.rollout.falls import Fall, keep_falls
from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.split import HeaderRule, Share, whole
from taxiway.endpoints.steering.sampling import Sampler
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import BadField, NotFound
from taxiway.models.refusals import StillAnswers
from tests.endpoints.rollout.pairs import CAUSE, Pair
from tests.gates.story import FAIR


def test_traffic_is_divided_signed_for_the_gateway_and_told(pair: Pair) -> None:
    rules = [HeaderRule("x-test", "beta", 2)]
    detail = pair.olu.endpoints.traffic("mortgage").split({1: 90, 2: 10}, sticky="income", rules=rules, reason="try")

    signed = pair.configuration().endpoints[0]
    assert signed.rollout is not None
    assert signed.rollout.split == detail.wanted
    assert (signed.active, detail.wanted.sticky, detail.wanted.rules) == (1, "income", tuple(rules))
    assert {r.number for r in pair.configuration().revisions} == {1, 2}
    assert pair.olu.endpoints.show("mortgage").endpoint.split == [Share(1, 90), Share(2, 10)]
    assert (detail.history[0].number, detail.history[0].reason) == (3, "try")
    assert pair.live.last_verb() == "endpoints.change_traffic"


def test_a_version_may_be_deployed_to_a_part_of_the_requests(pair: Pair) -> None:
    pair.promoted()

    pair.olu.endpoints.deploy("mortgage", "mortgage@3", percent=10, wait=False)

    detail = pair.olu.endpoints.traffic("mortgage").show()
    assert detail.wanted.shares == (Share(2, 90), Share(3, 10))
    assert (detail.endpoint.active, detail.number) == (2, 3)


def test_an_earlier_split_comes_back_with_its_very_keys(pair: Pair) -> None:
    traffic = pair.olu.endpoints.traffic("mortgage")
    first = traffic.split({1: 70, 2: 30}).wanted
    traffic.split({2: 100})

    assert traffic.undo().wanted == first
    assert traffic.undo(to=1).wanted == whole(1)
    assert [entry.number for entry in traffic.show().history] == [6, 5, 4, 3, 2, 1]
    with pytest.raises(NotFound, match="split"):
        traffic.undo(to=99)


def test_what_is_raised_goes_through_the_gates_again_and_what_is_lowered_does_not(pair: Pair) -> None:
    traffic = pair.olu.endpoints.traffic("mortgage")
    traffic.split({1: 60, 2: 40})
    approval = pair.vera.gates.show("mortgage@1").stages[-1].approvals[0]
    pair.vera.gates.withdraw("mortgage@1", approval.id, reason="it was looked at again")

    traffic.split({1: 50, 2: 50})
    with pytest.raises(GateClosed):
        traffic.split({1: 60, 2: 40})
    with pytest.raises(GateClosed):
        traffic.undo()
    assert traffic.show().wanted.shares == (Share(1, 50), Share(2, 50))


def test_a_version_that_left_its_stage_is_no_place_to_fall_back_to(pair: Pair) -> None:
    before = pair.configuration().endpoints[0].rollout
    pair.olu.models.promote("mortgage@1", "archived", reason="done with it")
    pair.live.house.publisher.refresh()
    after = pair.configuration().endpoints[0].rollout

    assert before is not None
    assert before.before == whole(1)
    assert after is not None
    assert after.before is None
    with pytest.raises(GateClosed):
        pair.olu.endpoints.traffic("mortgage").split({1: 10, 2: 90})


def test_both_versions_that_answer_are_kept_where_they_are(pair: Pair) -> None:
    pair.olu.endpoints.traffic("mortgage").split({1: 10, 2: 90})

    with pytest.raises(StillAnswers):
        pair.olu.models.promote("mortgage@1", "archived", reason="done with it")


def test_a_shadow_stands_one_stage_before_at_least(pair: Pair) -> None:
    traffic = pair.olu.endpoints.traffic("mortgage")
    pair.version(FAIR)
    with pytest.raises(GateClosed):
        traffic.shadow("mortgage@3")
    pair.ana.gates.evaluate("mortgage@3")
    with pytest.raises(ShadowTooEarly, match="promote mortgage@3 staging"):
        traffic.shadow("mortgage@3")
    pair.ana.models.promote("mortgage@3", "staging")

    made = traffic.shadow("mortgage@3", share=0.2, reason="is it any good")

    assert [(s.shadow.revision, s.shadow.share) for s in traffic.show().shadows] == [(3, 0.2)]
    assert (made.number, made.state) == (3, "waiting")
    assert {r.number for r in pair.configuration().revisions} == {1, 2, 3}
    with pytest.raises(GateClosed):
        traffic.split({2: 90, 3: 10})
    with pytest.raises(StillAnswers):
        pair.olu.models.promote("mortgage@3", "archived", reason="done with it")
    assert traffic.remove_shadow(3).shadows == []
    with pytest.raises(NotFound):
        traffic.remove_shadow(3)


def test_a_promoted_shadow_may_answer(pair: Pair) -> None:
    traffic = pair.olu.endpoints.traffic("mortgage")
    pair.approved()
    pair.ana.models.promote("mortgage@3", "staging")
    traffic.shadow("mortgage@3")
    with pytest.raises(StageNotServed):
        traffic.split({2: 90, 3: 10})
    pair.ana.models.promote("mortgage@3", "production")

    assert pair.olu.endpoints.deploy("mortgage", "mortgage@3", percent=10, wait=False).number == 3
    assert traffic.show().wanted.shares == (Share(2, 90), Share(3, 10))


def test_a_fall_is_entered_once_with_its_numbers_and_told(either_pair: Pair) -> None:
    fall = Fall("mortgage", 2, 2, datetime.now(UTC), whole(1), CAUSE, ["its last words"])
    (either_pair.home / "gateway").mkdir(exist_ok=True)
    keep_falls(either_pair.home, [fall])
    sampler = Sampler(either_pair.live.house.endpoints)

    sampler.note_falls()
    sampler.note_falls()

    detail = either_pair.olu.endpoints.traffic("mortgage").show()
    entries = [e for e in either_pair.live.client.audit.entries().items if e.verb == "endpoints.roll_back"]
    notice = either_pair.olu.notices.list(show="unread")[0]
    assert (detail.wanted, detail.endpoint.active, detail.number) == (whole(1), 1, 3)
    assert detail.history[0].cause == str(CAUSE)
    assert detail.last_fall is not None
    assert detail.last_fall.log_tail == ["its last words"]
    assert len(entries) == 1
    assert entries[0].facts["cause"]["bad"] == 54
    assert (notice.kind, notice.note) == ("fell_back", str(CAUSE))
    fallen = either_pair.olu.endpoints.revision("mortgage", 2)
    assert (fallen.state, fallen.reason) == ("fallen", f"gave its traffic back: {CAUSE}")
    assert either_pair.configuration().endpoints[0].rollout.before is None  # type: ignore[union-attr]

    either_pair.olu.endpoints.roll_back("mortgage", 2, wait=False)
    assert either_pair.olu.endpoints.revision("mortgage", 2).state == "waiting"


def test_the_guard_is_declared_as_a_whole(pair: Pair) -> None:
    traffic = pair.olu.endpoints.traffic("mortgage")

    assert traffic.guard(Guard(latency_ms=200, slow_percent=1)).guard.latency_ms == 200
    assert pair.configuration().endpoints[0].rollout.guard.slow_percent == 1  # type: ignore[union-attr]
    with pytest.raises(BadField):
        traffic.guard(Guard(seconds=11))


def test_the_command_line_says_it_all(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAXIWAY_URL", pair.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", pair.live.tokens["olu"])

    def told(*arguments: str) -> str:
        assert main(["endpoints", *arguments]) == 0
        return capsys.readouterr().out

    said = told("traffic", "mortgage", "1=90", "2=10", "--sticky", "income", "--header", "x-test=beta:2")
    assert said.startswith("mortgage: 90 % to revision 1, 10 % to revision 2\nOne income always finds the same")
    assert "Requests with x-test: beta go to revision 2." in said
    assert "100 % to revision 2" in told("traffic", "mortgage", "--undo").splitlines()[0]
    assert "Revision 1 with mortgage v1 gets copies" in told("shadow", "mortgage", "1", "--share", "20%")
    assert "Shadow: revision 1, mortgage v1, 20 % of requests" in told("traffic", "mortgage")
    assert "Nothing was compared" in told("shadow", "mortgage", "1", "--compare")
    assert "Shadow" not in told("shadow", "mortgage", "1", "--remove")
    assert "latency_ms       200.0" in told("guard", "mortgage", "--set", "latency_ms=200")
    assert '"wanted"' in told("traffic", "mortgage", "--json")
    assert main(["endpoints", "traffic", "mortgage", "1=90"]) == 1
    assert "sum to 100" in capsys.readouterr().err
