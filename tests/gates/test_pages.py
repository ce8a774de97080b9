"""The pages of gates, over plain HTTP: what a version's page says, and what its forms do."""

from __future__ import annotations

import pytest

from taxiway.gates.refusals import GateClosed
from taxiway.projects.contract import ChangeProject
from tests.gates.browse import VERSION, hidden, said, visit
from tests.gates.story import CARD, FAIR, PATH, UNCLEAR, UNFAIR, Story

APPROVALS = f"/gates{VERSION}/approvals"


def test_the_page_opens_with_what_keeps_the_version_from_production(story: Story) -> None:
    story.ready(UNCLEAR)

    text = said(visit(story, "ana").get(VERSION).text)

    assert "Version 1 may not go to production: fairness is inconclusive and 1 approval is missing" in text
    assert "Selection-rate ratio by race 0.83 [" in text
    assert "neither proven fair nor unfair at this size" in text
    assert "rows of the same mix would decide it" in text


def test_every_number_of_the_evidence_stands_on_the_page(story: Story) -> None:
    story.ready(UNCLEAR)

    text = said(visit(story, "ana").get(VERSION).text)

    assert "2,000 draws, seed 0" in text
    assert "Wilson score, 95 %" in text
    evidence = [gate.evidence for stage in story.ana.gates.show("mortgage").stages for gate in stage.gates]
    assert [each for each in evidence if each[:10] not in text] == []


def test_a_refused_move_says_on_the_page_what_the_sdk_says(story: Story) -> None:
    story.ready(UNCLEAR)
    with pytest.raises(GateClosed) as refusal:
        story.ana.models.promote("mortgage", "production")

    refused = visit(story, "ana").send(f"{VERSION}/stage", page=VERSION, stage="production", reason="hurry")

    assert refused.status == 409
    lines = [line.removeprefix("- ") for line in str(refusal.value).replace("`", "").splitlines()]
    assert [line for line in lines if line not in said(refused.text)] == []
    assert 'value="hurry"' in refused.text


def test_checks_are_asked_with_one_button(story: Story) -> None:
    story.version(FAIR)
    ana = visit(story, "ana")

    before = said(ana.get(VERSION).text)
    done = ana.send(f"/gates{VERSION}/evaluations", page=VERSION)

    assert "Version 1 was not evaluated yet: 4 checks of its path wait" in before
    assert done.to == f"{VERSION}#evidence"
    assert "Version 1 may not go to production: card fails and 1 approval is missing" in said(ana.get(VERSION).text)


def test_who_could_approve_is_not_led_to_become_an_author(story: Story) -> None:
    story.version(FAIR)

    text = visit(story, "vera").get(VERSION).text

    assert '<button class="button is-primary">Evaluate</button>' not in text
    assert "cannot approve on it" in text


def test_an_author_is_told_of_four_eyes_before_and_refused_after(story: Story) -> None:
    story.live.as_person("ana", "validator", project="mortgages")
    story.ready()
    ana = visit(story, "ana")
    text = ana.get(VERSION).text

    shown = seen(visit(story, "vera").get(VERSION).text)
    refused = ana.send(APPROVALS, page=VERSION, comment="mine is good", **shown)

    assert "Four eyes: you cannot approve this yourself." in said(text)
    assert APPROVALS not in text
    assert refused.status == 403
    assert "(four eyes). Ask vera or vito." in said(refused.text)


def test_where_an_approval_would_open_nothing_the_page_says_so_and_offers_none(story: Story) -> None:
    story.ready(UNCLEAR)

    text = visit(story, "vera").get(VERSION).text

    assert said(text).count("Approving now would open nothing.") == 2
    assert "Fairness keeps production shut" in said(text)
    assert "who acts: vera or vito, once fairness is open" in said(text)
    assert APPROVALS not in text


def test_a_validator_approves_exactly_what_the_form_shows(story: Story) -> None:
    story.ready()
    vera = visit(story, "vera")
    shown = seen(vera.get(VERSION).text)

    done = vera.send(APPROVALS, page=VERSION, comment="rates by race read", **shown)

    stage = story.ana.gates.show("mortgage").stages[-1]
    assert done.to == f"{VERSION}#approval"
    assert shown["bundle"] == stage.approvals[0].digests.bundle
    assert set(shown) == {"stage", "bundle", "evaluation", "card", "path", "evidence"}
    text = said(vera.get(VERSION).text)
    assert "Version 1 may go to production: every gate is open" in text
    assert "rates by race read" in text


def test_what_changed_after_the_form_was_shown_is_not_approved(story: Story) -> None:
    story.ready()
    vera = visit(story, "vera")
    shown = seen(vera.get(VERSION).text)
    story.ana.models.enter_card("mortgage", limits="only in winter")
    story.ana.gates.evaluate("mortgage")

    refused = vera.send(APPROVALS, page=VERSION, comment="rates by race read", **shown)

    assert refused.status == 409
    assert "is not what you looked at any more: card, evidence changed since" in said(refused.text)
    assert story.ana.gates.show("mortgage").stages[-1].approvals == []


def test_the_address_of_a_form_shows_the_page_that_it_stands_on(story: Story) -> None:
    story.ready()
    ana = visit(story, "ana")

    found = [
        ana.get(path).status for path in (APPROVALS, f"{VERSION}/stage", "/gates/paths", "/models/mortgage/aliases")
    ]

    assert found == [200, 200, 200, 200]


def test_an_approval_is_taken_back_on_the_page(story: Story) -> None:
    story.ready()
    given = story.vera.gates.approve("mortgage", comment="good")
    vera = visit(story, "vera")

    done = vera.send(f"{APPROVALS}/{given.id}/withdrawal", page=VERSION, reason="I misread the interval")

    assert done.status == 303
    assert "it was withdrawn" in said(vera.get(VERSION).text)


def test_a_viewer_is_offered_nothing_that_would_be_refused(story: Story) -> None:
    story.ready()
    story.live.as_person("mia", "viewer", project="mortgages")

    text = visit(story, "mia").get(VERSION).text

    assert APPROVALS not in text
    assert f"{VERSION}/stage" not in text
    assert "evaluations" not in text


def test_a_request_waits_in_the_inbox_of_who_can_give_it(story: Story) -> None:
    story.ready()
    ana, vera = visit(story, "ana"), visit(story, "vera")
    ana.send(f"/gates{VERSION}/requests", page=VERSION, stage="production", note="please by Friday")

    hers, mine = vera.get("/inbox").text, ana.get("/inbox").text

    assert "1 request waits for you" in said(hers)
    assert "please by Friday" in hers
    assert f'href="{VERSION}#approval"' in hers
    assert '<span class="count">1</span>' in hers
    assert "Nothing waits for you" in said(mine)
    assert "You wait for 1 request" in said(mine)
    assert "vera or vito to approve mortgage version 1 for production" in said(ana.get("/").text)


def test_an_empty_inbox_teaches_the_command(story: Story) -> None:
    text = visit(story, "vera").get("/inbox").text

    assert "Nothing waits for you" in text
    assert "taxiway gates request MODEL@VERSION" in text


def test_one_project_without_a_usable_path_spoils_no_page(story: Story) -> None:
    story.ready()
    story.ana.gates.request("mortgage")
    story.live.client.projects.change("mortgages", ChangeProject(path="light"))

    page = visit(story, "ana").get(VERSION)

    assert page.status == 200
    assert "Version 1 has no path to take" in said(page.text)
    assert "Nothing waits for you" in visit(story, "vera").get("/inbox").text


def test_paths_are_listed_with_who_takes_them_and_explained(story: Story) -> None:
    ana = visit(story, "ana")

    listed, one = said(ana.get("/gates").text), said(ana.get("/gates/paths/strict/versions/1").text)

    assert "strict" in listed
    assert "mortgages" in listed
    assert "The path strict has 3 gates before staging and 2 gates before production" in one
    assert "selection-rate ratio by race at least 0.8" in one
    assert "path: strict" in one


STRICTER = PATH.replace("0.85", "0.9")


def test_a_text_is_tried_proposed_and_accepted_by_somebody_else(story: Story) -> None:
    story.version(FAIR)
    story.ana.gates.evaluate("mortgage")
    story.ana.models.promote("mortgage", "staging", reason="to look at it")
    olga, ivo = visit(story, "olga"), visit(story, "ivo")

    tried = said(olga.send("/gates/editor", page="/gates/editor", text=STRICTER.replace("\n", "\r\n"), do="check").text)
    done = olga.send("/gates/editor", page="/gates/editor", text=STRICTER, do="propose", reason="nine of ten")
    own = said(olga.get(done.to).text)
    [proposal] = story.ana.gates.proposals.list(state="open")
    seen = said(ivo.get(done.to).text)
    ivo.send(f"{done.to}/accept", page=done.to, comment="agreed", digest=proposal.digest)

    assert "would need evaluation" in tried
    assert "performance: never asked like this" in tried
    assert "+ - performance: {metric: accuracy, at_least: 0.9}" in " ".join(tried.split())
    assert "Four eyes: you cannot accept this yourself" in own
    assert "Accept and publish" in seen
    assert "olga proposes version 2 of strict" in seen
    assert "version 2 has replaced this one" in said(ivo.get("/gates/paths/strict/versions/1").text)
    assert story.ana.gates.path("strict").text == STRICTER


def test_what_is_wrong_is_shown_with_its_line_while_a_path_is_written(story: Story) -> None:
    wrong = PATH.replace("at_least: 0.85", "at_last: 0.85")

    checked = visit(story, "olga").send("/gates/editor/check", page="/gates/editor", text=wrong)

    assert "Line 6, stages.staging.1.performance.at_last: there is no such key, perhaps at_least was meant" in said(
        checked.text
    )
    assert '<mark data-line="6">' in checked.text
    assert "<html" not in checked.text


def test_a_broken_path_is_refused_with_its_line_and_key_and_kept_in_the_form(story: Story) -> None:
    wrong = PATH.replace("0.85", "high")

    refused = visit(story, "ivo").send("/gates/editor", page="/gates/editor", text=wrong, do="propose", reason="typo")

    assert refused.status == 400
    assert "path.yaml, line 6, stages.staging.1.performance.at_least" in said(refused.text)
    assert "at_least: high" in refused.text


def test_only_admins_publish_and_accept(story: Story) -> None:
    ana = visit(story, "ana")
    proposal = story.olga.gates.propose(STRICTER, reason="nine of ten")
    at = f"/gates/proposals/{proposal.id}"

    published = ana.send("/gates/editor/publish", page="/gates/editor", text="path: mine\nstages: {}\n")
    accepted = ana.send(f"{at}/accept", page="/gates/editor", comment="fine")

    assert (published.status, accepted.status) == (403, 403)
    assert "Publish it" not in ana.get("/gates/editor").text
    assert "You cannot decide this" in said(ana.get(at).text)


def test_a_path_shows_who_demands_what_in_which_mode_and_what_it_would_have_stopped(story: Story) -> None:
    story.live.client.gates.publish(PATH.replace("mode: block", "mode: observe"))
    story.version(UNFAIR)
    story.ana.gates.evaluate("mortgage")
    story.ana.models.promote("mortgage", "staging", reason="to look at it")

    text = said(visit(story, "ana").get("/gates/paths/strict").text)

    assert "fairness (observes only)" in text
    assert "a person who can act as validator" in text
    assert "What its watching gates would have stopped" in text
    assert "1 of 1 movement" in text


def test_comparing_versions_says_what_fairness_costs(story: Story) -> None:
    story.version(UNCLEAR, right=0.95)
    story.version({"white": (1000, 880), "black": (60, 53)}, right=0.92)

    text = said(visit(story, "ana").get("/models/mortgage/compare?version=1&version=2").text)

    assert "Versions 1 and 2 of mortgage, side by side" in text
    assert "raises the selection-rate ratio by race from 0.83" in text
    assert "points of accuracy" in text


def test_comparing_runs_shows_their_pinned_predictions(story: Story) -> None:
    runs = [story.version(groups).run for groups in (UNCLEAR, FAIR)]

    text = said(visit(story, "ana").get(f"/runs/compare?run={runs[0]}&run={runs[1]}").text)

    assert "Judged on pinned predictions" in text
    assert "selection-rate ratio by race" in text


def test_the_card_that_a_gate_asks_for_is_the_next_step(story: Story) -> None:
    story.version(FAIR)
    story.ana.gates.evaluate("mortgage")
    ana = visit(story, "ana")

    text = ana.get(VERSION).text
    ana.send(f"{VERSION}/card", page=VERSION, **CARD)
    story.ana.gates.evaluate("mortgage")

    assert f'href="{VERSION}#card">Complete the card' in text
    assert "Version 1 may not go to production: 1 approval is missing" in said(ana.get(VERSION).text)


def seen(text: str) -> dict[str, str]:
    """What the approval form of a page sends along."""
    fields = hidden(text, APPROVALS)
    fields.pop("form_token", None)
    return fields
