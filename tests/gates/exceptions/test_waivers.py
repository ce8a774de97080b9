"""Waivers and conditional approvals: two persons, exactly these digests, and an end."""

from __future__ import annotations

import pytest

from taxiway.client import Client
from taxiway.gates.contract import GateStanding
from taxiway.gates.exceptions.refusals import NotWaivable
from taxiway.gates.refusals import AuthorUnknown, FourEyes, GateClosed, NeedsPerson, RoleMissing, RoleUnfit
from taxiway.gates.standing.checking import check
from taxiway.kernel.errors import BadField, NotAllowed
from tests.gates.exceptions.conftest import Exceptional
from tests.gates.story import PROJECT, UNFAIR


def fairness(story: Exceptional) -> GateStanding:
    [found] = [g for s in story.ana.gates.show("mortgage@1").stages for g in s.gates if g.gate == "fairness"]
    return found


def give_role(story: Exceptional, name: str, role: str) -> Client:
    return story.live.as_person(name, role, project=PROJECT)


def test_a_granted_waiver_stands_in_for_the_gate_and_is_shown(story: Exceptional) -> None:
    story.waived()
    story.vera.gates.approve("mortgage@1", comment="seen")

    moved = story.ana.models.promote("mortgage@1", "production")

    gate = fairness(story)
    assert moved.stage == "production"
    assert (gate.verdict, gate.outcome.verdict, gate.is_open) == ("waived", "inconclusive", True)
    assert gate.waived is not None
    assert (gate.waived.asked_by, gate.waived.granted_by) == ("ana", "abe")
    assert "⊘ waived" in check([story.ana.gates.show("mortgage@1")], None, is_comment=True).comment
    assert story.ana.gates.waivers.show("mortgage@1").waivers[0].counts


def test_a_waiver_that_is_only_asked_for_opens_nothing(story: Exceptional) -> None:
    story.ana.gates.waivers.ask("mortgage@1", "fairness", reason="a pilot")
    story.vera.gates.approve("mortgage@1", comment="seen")

    with pytest.raises(GateClosed) as refusal:
        story.ana.models.promote("mortgage@1", "production")

    assert [each.gate for each in refusal.value.unmet] == ["fairness"]


def test_nobody_grants_what_they_asked_for_or_made(story: Exceptional) -> None:
    by_vera = story.ana.gates.waivers.ask("mortgage@1", "fairness", reason="a pilot").id
    with pytest.raises(FourEyes, match="registered it"):
        give_role(story, "ana", "approver").gates.waivers.grant("mortgage@1", by_vera, comment="fine")
    story.ana.gates.waivers.revoke("mortgage@1", by_vera, reason="asked wrongly")
    own = give_role(story, "abe", "contributor").gates.waivers.ask("mortgage@1", "fairness", reason="a pilot").id

    with pytest.raises(FourEyes, match="asked for the waiver"):
        story.abe.gates.waivers.grant("mortgage@1", own, comment="fine")

    assert fairness(story).verdict == "inconclusive"


def test_no_program_and_nobody_without_the_role_grants_one(story: Exceptional) -> None:
    asked = story.ana.gates.waivers.ask("mortgage@1", "fairness", reason="a pilot").id

    with pytest.raises(NeedsPerson):
        story.live.client.gates.waivers.grant("mortgage@1", asked, comment="fine")
    with pytest.raises(RoleMissing):
        story.olga.gates.waivers.grant("mortgage@1", asked, comment="fine")
    with pytest.raises(NotAllowed):
        story.otto.gates.waivers.grant("mortgage@1", asked, comment="fine")
    late = give_role(story, "lea", "approver")
    with pytest.raises(RoleUnfit, match=r"the role came after the waiver was asked for.*revoke-waiver"):
        late.gates.waivers.grant("mortgage@1", asked, comment="fine")

    assert fairness(story).verdict == "inconclusive"


def test_what_no_person_made_is_waived_by_nobody(story: Exceptional) -> None:
    story.version(UNFAIR, by=story.live.client)
    story.ana.gates.evaluate("mortgage@2")
    asked = story.ana.gates.waivers.ask("mortgage@2", "fairness", reason="a pilot").id

    with pytest.raises(AuthorUnknown):
        story.abe.gates.waivers.grant("mortgage@2", asked, comment="fine")


@pytest.mark.parametrize(
    ("gate", "because"),
    [
        ("performance", "it is open"),
        ("approvals", "asked anew each time"),
    ],
)
def test_some_gates_cannot_be_waived(story: Exceptional, gate: str, because: str) -> None:
    with pytest.raises(NotWaivable, match=because):
        story.ana.gates.waivers.ask("mortgage@1", gate, reason="a pilot")


def test_a_path_forbids_waivers_of_a_gate(story: Exceptional) -> None:
    story.version(UNFAIR, right=0.5)
    story.ana.gates.evaluate("mortgage@2")

    with pytest.raises(NotWaivable, match="waivable: false"):
        story.ana.gates.waivers.ask("mortgage@2", "performance", reason="a pilot")
    with pytest.raises(BadField, match="at most 60, by the path strict"):
        story.ana.gates.waivers.ask("mortgage@2", "fairness", reason="a pilot", days=61)


def test_a_changed_digest_voids_a_waiver(story: Exceptional) -> None:
    story.waived()

    story.ana.models.enter_card("mortgage", limits="homes in Boston and Salem")

    [waiver] = story.ana.gates.waivers.show("mortgage@1").waivers
    assert waiver.void_because == "what it was given to has changed since: card"
    assert fairness(story).verdict == "inconclusive"


def test_a_revoked_waiver_stops_counting(story: Exceptional) -> None:
    waiver = story.waived()

    story.vito.gates.waivers.revoke("mortgage@1", waiver, reason="the pilot is over")

    assert fairness(story).verdict == "inconclusive"
    assert story.ana.gates.waivers.show("mortgage@1").waivers[0].void_because.startswith("vito took it back")


def test_a_waiver_that_ended_makes_what_stands_in_production_overdue(story: Exceptional) -> None:
    story.waived()
    story.vera.gates.approve("mortgage@1", comment="seen")
    story.ana.models.promote("mortgage@1", "production")

    story.later(days=31)

    standing = story.ana.gates.show("mortgage@1")
    assert standing.overdue[0].startswith("the waiver of abe for fairness ended on ")
    assert story.live.house.gates.waivers.tell_ended() == 1
    assert story.live.last_verb() == "gates.waiver_ended"
    assert story.live.house.gates.waivers.tell_ended() == 0
    with pytest.raises(GateClosed, match="Overdue: the waiver of abe for fairness"):
        story.otto.endpoints.deploy("mortgage", "mortgage@1", wait=False)


def test_an_inconclusive_gate_is_let_through_for_as_long_as_the_path_says(story: Exceptional) -> None:
    given = story.vito.gates.waivers.let_through("mortgage@1", "fairness", comment="more rows come in May")
    story.vera.gates.approve("mortgage@1", comment="seen")

    story.ana.models.promote("mortgage@1", "production")

    assert given.kind == "conditional"
    assert (given.until - given.asked_at).days == 14
    assert fairness(story).waived is not None
    story.later(days=15)
    assert story.ana.gates.show("mortgage@1").overdue[0].startswith("the conditional approval of vito for fairness")


def test_only_what_is_inconclusive_is_approved_conditionally_and_by_no_author(story: Exceptional) -> None:
    with pytest.raises(FourEyes):
        give_role(story, "ana", "approver").gates.waivers.let_through("mortgage@1", "fairness", comment="fine")
    story.version(UNFAIR)
    story.ana.gates.evaluate("mortgage@2")

    with pytest.raises(NotWaivable, match="it is fail"):
        story.abe.gates.waivers.let_through("mortgage@2", "fairness", comment="fine")
    with pytest.raises(NotWaivable, match="allows no conditional approval"):
        story.abe.gates.waivers.let_through("mortgage@2", "card", comment="fine")
