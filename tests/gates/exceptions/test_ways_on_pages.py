"""The pages show what stands in for a gate, and have the forms to ask, grant, take back and break."""

from __future__ import annotations

import pytest

from tests.gates.doors import Visitor
from tests.gates.exceptions.conftest import Exceptional
from tests.gates.story import PROJECT

PAGE = "/models/mortgage/versions/1"


def test_a_waiver_is_asked_for_granted_and_taken_back_on_the_page(story: Exceptional) -> None:
    ana, abe = Visitor(story, "ana"), Visitor(story, "abe")

    ana.send(PAGE, f"/gates{PAGE}/waivers", {"gate": "fairness", "reason": "a pilot with 40 customers", "days": "30"})
    waits = abe.request("GET", PAGE)
    [asked] = story.ana.gates.waivers.list()
    inbox = abe.request("GET", "/inbox")
    refused = ana.send(PAGE, f"/gates{PAGE}/waivers/{asked.id}/grant", {"comment": "fine"})
    abe.send(PAGE, f"/gates{PAGE}/waivers/{asked.id}/grant", {"comment": "bearable"})
    granted = ana.request("GET", PAGE)

    assert "Grant the waiver of fairness" in waits
    assert "Grant or refuse the waiver of fairness for mortgage version 1" in inbox
    assert "ana may not" in refused or "cannot" in refused
    assert "a pilot with 40 customers" in granted
    assert 'class="verdict verdict-waived"' in granted
    story.vera.gates.approve("mortgage@1", comment="seen")
    until = f"fairness is waived until {asked.until:%Y-%m-%d}"
    assert f"Version 1 may go to production: every gate is open; {until}" in ana.request("GET", PAGE)
    assert "mortgage v1" in Visitor(story, "olga").request("GET", f"/projects/{PROJECT}")
    abe.send(PAGE, f"/gates{PAGE}/waivers/{asked.id}/revocation", {"reason": "the pilot is over"})
    assert "abe took it back: the pilot is over" in ana.request("GET", PAGE)


def test_broken_glass_is_shown_in_red_before_everything_else(story: Exceptional) -> None:
    otto = Visitor(story, "otto")

    otto.send(PAGE, f"/gates{PAGE}/break-glass", {"reason": "the old model rejects everybody", "days": "2"})

    page = otto.request("GET", PAGE)
    assert "Version 1 is in production past closed gates: otto broke the glass" in page
    assert page.index("glass broken") < page.index("What is open again")
    story.later(days=3)
    assert "the glass that otto broke held until" in otto.request("GET", PAGE)


@pytest.mark.parametrize("who", ["ana", "vera"])
def test_a_finding_has_a_page_with_its_story_and_what_follows(story: Exceptional, who: str) -> None:
    visitor = Visitor(story, who)
    fields = {"title": "Rates differ", "project": PROJECT, "about": "model:mortgage@1", "severity": "high"}
    visitor.send("/gates/findings", "/gates/findings", fields)
    [finding] = story.ana.gates.findings.list()
    at = f"/gates/findings/{finding.id}"

    visitor.send(at, f"{at}/state", {"state": "in_progress", "comment": "looking at district 7"})
    refused = visitor.send(at, f"{at}/change", {"reason": "not so bad", "severity": "low"})

    assert f"{who} cannot lower the finding" in refused
    assert "looking at district 7" in visitor.request("GET", at)
    assert "Rates differ" in visitor.request("GET", PAGE)
    assert "1 finding is not closed" in visitor.request("GET", "/gates/findings")
