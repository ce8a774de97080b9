"""Broken glass: by name, for a while, only where the path says so, and with something to mend."""

from __future__ import annotations

from datetime import datetime

import pytest

from taxiway.gates.exceptions.refusals import GlassKept, NothingClosed
from taxiway.gates.findings.refusals import SecondPerson
from taxiway.gates.refusals import GateClosed
from taxiway.hooks.contract import Event
from taxiway.kernel.errors import BadField, NotAllowed
from tests.gates.exceptions.conftest import LEEWAY, Exceptional


def test_an_operator_moves_a_version_past_closed_gates_and_owes_a_finding(story: Exceptional) -> None:
    glass = story.otto.gates.waivers.break_glass("mortgage@1", reason="the old model rejects everybody")

    version = story.ana.models.find("mortgage@1")
    finding = story.ana.gates.findings.show(glass.finding)
    assert (version.stage, version.aliases) == ("production", ["champion"])
    assert glass.unmet == ["fairness (inconclusive)", "approvals (missing)"]
    assert (finding.severity, finding.owner, finding.things) == ("high", "otto", ["model:mortgage@1"])
    assert finding.due_at == glass.until
    entries = story.live.client.audit.entries(limit=10).items
    [entry] = [each for each in entries if each.verb == "gates.break_glass"]
    assert (entry.actor, entry.thing) == ("otto", "model:mortgage@1")
    assert "the old model rejects everybody" in str(entry.facts)
    standing = story.ana.gates.show("mortgage@1")
    assert standing.broken is not None
    assert standing.broken.by == "otto"
    assert not standing.stages[1].is_open


def test_it_answers_on_an_endpoint_until_the_glass_holds_no_more(story: Exceptional) -> None:
    story.otto.gates.waivers.break_glass("mortgage@1", reason="the old model rejects everybody", days=2)
    assert story.otto.endpoints.deploy("mortgage", "mortgage@1", wait=False).number == 1

    story.later(days=3)

    assert story.ana.gates.show("mortgage@1").overdue == [
        f"the glass that otto broke held until {broken(story):%Y-%m-%d}, and gates are still closed"
    ]
    with pytest.raises(GateClosed, match="Overdue: the glass that otto broke"):
        story.otto.endpoints.deploy("second", "mortgage@1", wait=False)
    assert story.ana.gates.findings.list()[0].is_overdue


def broken(story: Exceptional) -> datetime:
    glass = story.ana.gates.show("mortgage@1").broken
    assert glass is not None
    return glass.until


def test_only_who_the_path_names_breaks_it_and_only_in_person(story: Exceptional) -> None:
    with pytest.raises(NotAllowed):
        story.ana.gates.waivers.break_glass("mortgage@1", reason="hurry")
    with pytest.raises(GlassKept, match="Ask otto"):  # an owner by her own grant, whom the path does not name
        story.olga.gates.waivers.break_glass("mortgage@1", reason="hurry")
    with pytest.raises(GlassKept):
        story.live.client.gates.waivers.break_glass("mortgage@1", reason="hurry")
    with pytest.raises(BadField, match="reason"):
        story.otto.gates.waivers.break_glass("mortgage@1", reason=" ")

    assert story.ana.models.find("mortgage@1").stage == "none"
    assert story.live.client.audit.entries(limit=3).items[0].verb == "gates.break_glass.refused"


def test_a_path_that_does_not_speak_of_it_allows_nobody(story: Exceptional) -> None:
    silent = story.vera.gates.propose(LEEWAY.replace("break_glass: [operator]\n", ""), reason="no way around it")
    story.ivo.gates.proposals.accept(silent.id, comment="agreed")

    with pytest.raises(GlassKept, match="does not allow it"):
        story.otto.gates.waivers.break_glass("mortgage@1", reason="hurry")


def test_open_gates_need_no_glass(story: Exceptional) -> None:
    story.waived()
    story.vera.gates.approve("mortgage@1", comment="seen")

    with pytest.raises(NothingClosed, match="taxiway models promote"):
        story.otto.gates.waivers.break_glass("mortgage@1", reason="hurry")


def test_hooks_are_told_of_broken_glass_and_of_the_finding(story: Exceptional) -> None:
    events: list[Event] = ["glass.broken", "finding.opened", "waiver.ended"]
    hook = story.live.client.hooks.add("watch", "https://93.184.216.34/in", events)

    story.otto.gates.waivers.break_glass("mortgage@1", reason="the old model rejects everybody", days=1)
    story.later(days=2)
    story.live.house.gates.waivers.tell_ended()

    told = [each.event for each in story.live.client.hooks.deliveries(hook.name)]
    assert sorted(told) == ["finding.opened", "glass.broken", "waiver.ended"]


def test_who_broke_it_does_not_close_the_finding(story: Exceptional) -> None:
    finding = story.otto.gates.waivers.break_glass("mortgage@1", reason="the old model rejects everybody").finding
    story.otto.gates.findings.move(finding, "in_progress", comment="asking for rows")
    story.otto.gates.findings.move(finding, "resolved", comment="the gates are open")

    with pytest.raises(SecondPerson, match="owns it"):
        story.otto.gates.findings.move(finding, "closed", comment="done")

    assert story.vera.gates.findings.move(finding, "closed", comment="they are").closed_by == "vera"
