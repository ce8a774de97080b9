"""The whole way of a mortgage model, told by its people through the SDK."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from taxiway.client import Client, connect
from taxiway.gates.refusals import AuthorUnknown, EvidenceMissing, FourEyes, GateClosed, NeedsPerson, RoleMissing
from taxiway.hooks.addresses import Reach
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed
from taxiway.models.contract import Target
from taxiway.models.refusals import EvaluationUnfit
from taxiway.storage.blobs import DigestMismatch
from tests.gates.story import CARD, FAIR, PROJECT, UNCLEAR, UNFAIR, Story, table, verdicts


def test_a_fair_model_goes_to_production_with_a_second_persons_yes(any_story: Story) -> None:
    version = any_story.version(FAIR)
    any_story.ana.models.enter_card("mortgage", **CARD)

    standing = any_story.ana.gates.evaluate("mortgage@1")
    approval = any_story.vera.gates.approve("mortgage@1", comment="rates by race and the limits read")
    moved = any_story.ana.models.promote("mortgage@1", "production", reason="fair and good enough")

    assert version.stage == "none"
    assert standing.who_can == ["vera", "vito"]
    assert approval.role == "validator"
    assert set(verdicts(any_story.ana).values()) == {"pass"}
    assert moved.stage == "production"
    assert moved.aliases == ["champion"]
    assert [s.stage for s in any_story.ana.models.stages("mortgage@champion")] == ["none", "production"]
    assert [s.stage for s in any_story.olga.projects.show(PROJECT).stages][-1] == "production"
    assert any_story.live.last_verb() == "projects.enter_stage"


def test_a_closed_gate_is_refused_with_gate_number_and_next_step(any_story: Story) -> None:
    any_story.ready(UNCLEAR)

    with pytest.raises(GateClosed) as refusal:
        any_story.ana.models.promote("mortgage@1", "production")

    [fairness, approvals] = refusal.value.unmet
    assert (fairness.gate, fairness.stage, fairness.verdict) == ("fairness", "staging", "inconclusive")
    assert "Selection-rate ratio by race 0.83 [" in fairness.sentence
    assert "neither proven fair nor unfair at this size" in fairness.sentence
    assert "rows of the same mix would decide it" in fairness.sentence
    assert "mitigated model" in fairness.next_step
    assert (approvals.gate, approvals.verdict) == ("approvals", "missing")
    assert "vera, vito can approve" in approvals.next_step
    assert any_story.ana.models.find("mortgage@1").stage == "none"
    assert any_story.live.last_verb() == "models.promote.refused"


def test_an_unfair_model_fails_and_no_approval_opens_its_gate(story: Story) -> None:
    story.ready(UNFAIR)
    story.vera.gates.approve("mortgage", comment="a mistake")

    with pytest.raises(GateClosed) as refusal:
        story.ana.models.promote("mortgage", "production")

    assert [(each.gate, each.verdict) for each in refusal.value.unmet] == [("fairness", "fail")]


def test_the_evidence_holds_numbers_groups_and_what_it_rests_on(story: Story) -> None:
    version = story.ready()

    evidence = {each.gate: each for each in story.ana.gates.evidence("mortgage")}
    accuracy, fairness = evidence["performance"].outcome, evidence["fairness"].outcome

    assert accuracy.estimate is not None
    assert (accuracy.estimate.value, accuracy.estimate.n) == (0.9, 2000)
    assert accuracy.curve[0] == (0.0, 0.0)
    assert accuracy.curve[-1] == (1.0, 1.0)
    assert {rate.group: rate.rate.value for rate in fairness.groups} == {"white": 0.9, "black": 0.88}
    assert fairness.estimate is not None
    assert fairness.estimate.value == pytest.approx(0.88 / 0.9)
    assert fairness.estimate.seed == 0
    assert evidence["fairness"].inputs["bundle"] == version.bundle
    assert evidence["fairness"].author == "ana"
    assert set(evidence["fairness"].tools) == {"taxiway", "python", "numpy", "pyarrow", "network", "files", "disk"}


def test_evaluating_again_keeps_the_evidence_there_is(story: Story) -> None:
    story.ready()
    before = story.ana.gates.evidence("mortgage")

    story.vera.gates.evaluate("mortgage")

    assert story.ana.gates.evidence("mortgage") == before


def test_a_card_that_changes_voids_the_approval_and_the_evidence_on_it(any_story: Story) -> None:
    any_story.ready()
    any_story.vera.gates.approve("mortgage", comment="read it all")

    any_story.ana.models.enter_card("mortgage", limits="homes anywhere")

    standing = any_story.ana.gates.show("mortgage")
    assert verdicts(any_story.ana)["card"] == "missing"
    [approval] = standing.stages[1].approvals
    assert "has changed since: card, evidence" in approval.void_because
    with pytest.raises(GateClosed):
        any_story.ana.models.promote("mortgage", "production")


def test_a_path_that_changes_voids_the_approval(story: Story) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="read it all")
    text = story.ivo.gates.path("strict").text

    story.live.client.gates.publish(text.replace("0.85", "0.86"))

    [approval] = story.ana.gates.show("mortgage").stages[1].approvals
    assert "path" in approval.void_because
    missing = {gate for gate, verdict in verdicts(story.ana).items() if verdict == "missing"}
    assert missing == {"performance", "approvals"}  # what the other gates found still stands


def test_an_author_cannot_approve_even_as_a_validator(any_story: Story) -> None:
    any_story.live.as_person("ana", "validator", project=PROJECT)
    any_story.ready()

    with pytest.raises(FourEyes) as refusal:
        any_story.ana.gates.approve("mortgage", comment="mine, and good")

    assert "ana registered it, started its run, wrote on its card and ran 4 checks (four eyes)" in str(refusal.value)
    assert refusal.value.who_can == ["vera", "vito"]
    assert any_story.live.last_verb() == "gates.approve.refused"


def test_who_ran_the_checks_cannot_approve(story: Story) -> None:
    story.version(FAIR)
    story.vera.gates.evaluate("mortgage", anyway=True)

    with pytest.raises(FourEyes, match=r"vera ran 4 checks \(four eyes\)"):
        story.vera.gates.approve("mortgage", comment="fine")


def test_neither_the_homes_owner_nor_a_program_can_approve(story: Story) -> None:
    story.ready()

    with pytest.raises(NeedsPerson, match="local"):
        story.live.client.gates.approve("mortgage", comment="fine")


def test_an_admin_without_the_paths_role_cannot_approve(story: Story) -> None:
    story.ready()
    boss = story.live.as_person("boss", is_admin=True)

    with pytest.raises(RoleMissing, match="vera or vito"):
        boss.gates.approve("mortgage", comment="I say so")


def test_a_contributor_is_stopped_at_the_door(story: Story) -> None:
    story.ready()

    with pytest.raises(NotAllowed):
        story.ana.gates.approve("mortgage", comment="mine")


def test_nothing_is_approved_before_it_is_evaluated(story: Story) -> None:
    story.version(FAIR)

    with pytest.raises(EvidenceMissing, match="taxiway gates evaluate mortgage@1"):
        story.vera.gates.approve("mortgage", comment="sight unseen")


def test_one_person_approves_once_and_says_why(story: Story) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="good")

    with pytest.raises(AlreadyExists):
        story.vera.gates.approve("mortgage", comment="good indeed")
    with pytest.raises(BadField, match="comment"):
        story.vito.gates.approve("mortgage", comment="  ")


def test_a_withdrawn_approval_does_not_count_and_can_be_given_again(any_story: Story) -> None:
    any_story.ready()
    approval = any_story.vera.gates.approve("mortgage", comment="good")

    with pytest.raises(NotAllowed):
        any_story.vito.gates.withdraw("mortgage", approval.id, reason="not mine")
    withdrawn = any_story.vera.gates.withdraw("mortgage", approval.id, reason="saw the map")

    assert withdrawn.void_because == "it was withdrawn"
    with pytest.raises(GateClosed):
        any_story.ana.models.promote("mortgage", "production")
    any_story.vera.gates.approve("mortgage", comment="the map is fine")
    assert any_story.ana.models.promote("mortgage", "production").stage == "production"


def test_the_inbox_says_what_waits_for_whom(any_story: Story) -> None:
    any_story.ready()
    any_story.live.house.hooks.reach = Reach(["chat.intern"], lambda host, port: ["10.0.0.7"])
    any_story.live.client.hooks.add("chat", "http://chat.intern/", ["approval.requested"])
    asked = any_story.ana.gates.request("mortgage", note="the map, please")

    [for_vera], [for_ana] = any_story.vera.gates.inbox(), any_story.ana.gates.inbox()
    any_story.vera.gates.approve("mortgage", comment="seen")

    assert asked.by == "ana"
    assert for_vera.is_yours
    assert for_vera.waits_for == ["vera", "vito"]
    assert not for_ana.is_yours
    assert "registered it" in for_ana.why_not
    assert any_story.vera.gates.inbox() == []
    assert [told.event for told in any_story.live.client.hooks.deliveries("chat")] == ["approval.requested"]


def test_data_that_breaks_its_contract_closes_the_gate(story: Story) -> None:
    story.version(FAIR, data=story.dataset(gdlin=666))

    standing = story.ana.gates.evaluate("mortgage")

    outcome = standing.stages[0].gates[0].outcome
    assert outcome.verdict == "fail"
    assert "gdlin" in outcome.reason
    assert "666" in outcome.reason


def test_a_version_without_predictions_or_data_lacks_what_gates_ask(story: Story) -> None:
    story.ana.models.register(story.bundle("mortgage"), project=PROJECT)

    story.ana.gates.evaluate("mortgage")

    assert verdicts(story.ana) == {
        "data_contract": "missing",
        "performance": "missing",
        "fairness": "missing",
        "card": "fail",
        "approvals": "missing",
    }


def test_predictions_that_were_changed_are_no_evidence(story: Story) -> None:
    version = story.version(UNFAIR)
    assert version.evaluation is not None
    file = story.live.house.blobs.file(version.evaluation.digest)
    file.chmod(0o644)
    pq.write_table(table(FAIR), file)

    with pytest.raises(DigestMismatch, match="what model:mortgage@1 was judged on"):
        story.ana.gates.evaluate("mortgage")

    assert story.ana.gates.evidence("mortgage") == []
    assert story.live.last_verb() == "gates.evaluate.refused"


def test_predictions_of_another_run_are_not_a_versions_own(story: Story) -> None:
    fair = story.version(FAIR)
    with story.ana.runs.start(project=PROJECT) as run:
        run.log_predictions(table(UNFAIR), label="approve", prediction="said", score="score", groups=["race"])
        folder = story.bundle("mortgage", run.id)

    with pytest.raises(EvaluationUnfit, match="as its predictions"):
        story.ana.models.register(folder, project=PROJECT, evaluation=fair.evaluation)


@pytest.mark.parametrize("who", ["bot", "local"])
def test_what_no_person_made_is_approved_by_nobody(story: Story, who: str) -> None:
    story.version(FAIR, by=bot_of(story) if who == "bot" else story.live.client)
    story.ana.models.enter_card("mortgage", **CARD)
    standing = story.ana.gates.evaluate("mortgage")

    with pytest.raises(AuthorUnknown, match=f"{who} made it and is no person"):
        story.vera.gates.approve("mortgage", comment="I hold its token")

    assert standing.who_can == []
    assert "Have a person train and register it" in standing.stages[1].gates[1].outcome.advice
    assert story.live.last_verb() == "gates.approve.refused"


def test_a_person_who_registers_what_a_program_trained_does_not_answer_for_it(story: Story) -> None:
    with bot_of(story).runs.start(project=PROJECT) as run:
        folder = story.bundle("mortgage", run.id)
    story.ana.models.register(folder, project=PROJECT)
    story.ana.gates.evaluate("mortgage")

    with pytest.raises(AuthorUnknown, match="bot"):
        story.vera.gates.approve("mortgage", comment="I hold its token")


def test_an_approval_counts_no_more_once_its_role_is_lost(any_story: Story) -> None:
    any_story.ready()
    any_story.vera.gates.approve("mortgage", comment="good")

    any_story.olga.access.revoke("vera", project=PROJECT)

    with pytest.raises(GateClosed, match="vera is no validator any more"):
        any_story.ana.models.promote("mortgage", "production")


def test_an_archived_version_needs_another_approval(any_story: Story) -> None:
    any_story.ready()
    any_story.vera.gates.approve("mortgage", comment="good")
    any_story.ana.models.promote("mortgage", "production")
    any_story.olga.models.promote("mortgage", "archived", reason="odd answers")

    with pytest.raises(GateClosed, match="the version was archived since"):
        any_story.ana.models.promote("mortgage", "production")
    any_story.vera.gates.approve("mortgage", comment="the answers were right")

    assert any_story.ana.models.promote("mortgage", "production").stage == "production"


@pytest.mark.parametrize("back", ["archived", "staging"])
def test_a_contributor_takes_nothing_out_of_production(story: Story, back: Target) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="good")
    story.ana.models.promote("mortgage", "production")

    with pytest.raises(NotAllowed, match=r"models\.archive") as refusal:
        story.ana.models.promote("mortgage", back)

    assert refusal.value.who_can == ["olga"]
    assert story.ana.models.find("mortgage").stage == "production"


def bot_of(story: Story) -> Client:
    """A service account that contributes, by its token."""
    story.live.client.access.add_service("bot", accountable="ana")
    story.live.client.access.grant("bot", "contributor", project=PROJECT)
    bot = connect(story.live.url, token=story.live.client.access.make_token("bot").token)
    return story.live.people.setdefault("bot", bot)
