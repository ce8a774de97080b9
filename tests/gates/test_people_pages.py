"""Pages about people and their clocks: who can approve, who does so for whom, and which models wait for a review."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest

from taxiway.cli import main
from taxiway.kernel.clock import now
from tests.gates.browse import VERSION, said, visit
from tests.gates.story import PROJECT, Story

PAGE = f"/projects/{PROJECT}"


def test_a_project_says_who_can_approve_and_a_validator_delegates_it(story: Story) -> None:
    story.live.as_person("ben")
    story.ready()
    vera = visit(story, "vera")
    until = f"{now() + timedelta(days=20):%Y-%m-%d}"

    before = said(vera.get(PAGE).text)
    done = vera.send(f"{PAGE}/delegations", page=PAGE, role="validator", to="ben", until=until, reason="on leave")
    after = said(vera.get(PAGE).text)
    refused = vera.send(f"{PAGE}/delegations", page=PAGE, role="validator", to="ben", until="2020-01-01")
    seen = said(visit(story, "ben").get(VERSION).text)
    story.live.as_person("ben").gates.approve("mortgage", comment="read it for vera")
    given = said(vera.get(VERSION).text)

    assert "1 of 1 seat before production can be filled" in before
    assert "ana holds none of the roles that it asks for: validator" in before
    assert done.to == f"{PAGE}#people"
    assert f"ben vera validator {until} on leave End it" in after
    assert f"validator for vera until {until}" in after
    assert refused.status == 400
    assert "at most 90 days from now" in said(refused.text)
    assert "You can approve it." in seen
    assert "ben validator for vera by delegation" in given
    assert "Take back what ben approved for you" in given


def test_the_inventory_shows_exports_and_reminds_and_a_form_records_the_review(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready()
    story.vera.gates.approve("mortgage", comment="seen")
    story.ana.models.promote("mortgage", "production")
    vera, reviews = visit(story, "vera"), story.live.house.gates.reviews

    fresh = said(vera.get("/inventory").text)
    reviews.clock, reviews.lately = lambda: now() + timedelta(days=200), None
    late = said(vera.get("/inventory?state=overdue&order=-due").text)
    none = said(vera.get("/inventory?tier=low").text)
    [row] = csv.DictReader(io.StringIO(vera.get("/inventory.csv?state=overdue").text))
    inbox = said(vera.get("/inbox").text)
    page = said(vera.get(VERSION).text)
    refused = vera.send(f"/gates{VERSION}/reviews", page=VERSION, outcome="restrict", comment="seen", findings="")
    monkeypatch.setenv("TAXIWAY_URL", story.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", story.live.tokens["vito"])
    code = main(["models", "inventory", "--overdue", "--json"])
    [told] = json.loads(capsys.readouterr().out)
    done = vera.send(f"/gates{VERSION}/reviews", page=VERSION, outcome="continue", comment="its year", findings="")

    assert "1 version in use; no review is due" in fresh
    assert "mortgage v1 is overdue for review" in late
    assert "olga decide on mortgages none yet" in late
    assert "No model in use fits" in none
    assert (row["model"], row["tier"], row["reviewers"]) == ("mortgage", "high", "vera, vito")
    assert "review mortgage version 1, overdue since" in inbox.lower()
    assert "nothing new of mortgage goes out until somebody has looked" in page
    assert refused.status == 400
    assert "findings: nothing is not accepted" in said(refused.text)
    assert (code, told["state"], told["owner"]) == (0, "overdue", "olga")
    assert done.to == f"{VERSION}#review"
    assert [each.by for each in story.vera.gates.reviews.list("mortgage@1")] == ["vera"]
    assert "goes on as it is" in said(vera.get(VERSION).text)


def test_the_command_says_who_can_and_fails_where_there_are_too_few(
    story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    story.ready()
    monkeypatch.setenv("TAXIWAY_URL", story.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", story.live.tokens["vera"])

    enough = main(["gates", "eligible", PROJECT])
    said_first = capsys.readouterr().out
    story.olga.access.revoke("vera", project=PROJECT)
    story.olga.access.revoke("vito", project=PROJECT)
    monkeypatch.setenv("TAXIWAY_TOKEN", story.live.tokens["ana"])
    too_few = main(["gates", "eligible", "mortgage@1"])

    assert (enough, too_few) == (0, 1)
    assert "1 of 1 seats can be filled" in said_first
    assert "ana registered it, started its run, wrote on its card and ran 4 checks" in capsys.readouterr().out
