"""Whoever answers for a closed gate says so in a statement that others can verify."""

from __future__ import annotations

from taxiway.evidence.statement import BROKEN_GLASS, PROMOTION, WAIVER, WAIVER_REVOKED
from tests.gates.exceptions.conftest import Exceptional


def test_a_waiver_and_its_end_are_signed(story: Exceptional) -> None:
    waiver = story.waived()
    story.vito.gates.waivers.revoke("mortgage@1", waiver, reason="the pilot is over")

    [granted] = story.ana.evidence.list(predicate_type=WAIVER).items
    [revoked] = story.ana.evidence.list(predicate_type=WAIVER_REVOKED).items

    said = story.ana.evidence.show(granted.id)
    assert (said.predicate["id"], said.predicate["granted_by"], said.predicate["gate"]) == (waiver, "abe", "fairness")
    assert story.ana.evidence.verify(said.envelope).holds
    assert story.ana.evidence.show(revoked.id).predicate["reason"] == "the pilot is over"


def test_broken_glass_is_signed_with_the_promotion_that_it_made(story: Exceptional) -> None:
    glass = story.otto.gates.waivers.break_glass("mortgage@1", reason="the old model rejects everybody")

    found = {each.predicate_type: each for each in story.ana.evidence.list(thing="model:mortgage@1", limit=2).items}

    assert found.keys() == {BROKEN_GLASS, PROMOTION}
    assert story.ana.evidence.show(found[BROKEN_GLASS].id).predicate["unmet"] == glass.unmet
