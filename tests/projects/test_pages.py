"""The pages of projects, over plain HTTP."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from taxiway.access.contract import LastOwner
from tests.support.live import Live
from tests.web.browse import Visitor


@pytest.fixture
def live(sqlite_live: Live) -> Live:
    return sqlite_live


@pytest.fixture
def ana(live: Live) -> Visitor:
    """Signed in, and owner of the project `fraud`."""
    live.as_person("ana").projects.create("fraud", purpose="find stolen cards", risk="high")
    return visitor_of(live, "ana")


def visitor_of(live: Live, name: str) -> Visitor:
    live.as_person(name)
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link(name)).path)
    return visitor


def test_an_empty_portfolio_teaches_the_first_commands(live: Live) -> None:
    text = visitor_of(live, "ben").get("/").text

    assert "taxiway init" in text
    assert "taxiway run -- python train.py" in text


def test_the_portfolio_shows_a_project_with_its_place_on_the_path(ana: Visitor) -> None:
    text = ana.get("/projects").text

    assert "None of 1 use case waits for anyone" in text
    assert 'href="/projects/fraud"' in text
    assert "It is at idea." in text


def test_a_project_is_opened_with_a_form(live: Live, ana: Visitor) -> None:
    fields = {"kpi_name": "decided in a day", "kpi_baseline": "0.6", "kpi_unit_value": "41.5", "kpi_currency": "EUR"}

    done = ana.send("/projects/new", name="claims", risk="low", purpose="sort claims", **fields)

    made = live.client.projects.show("claims").project
    assert (done.status, done.to) == (303, "/projects/claims")
    assert (made.owner, made.risk) == ("ana", "low")
    assert made.kpi is not None
    assert made.kpi.baseline == 0.6


def test_a_refused_form_says_why_and_keeps_what_was_written(ana: Visitor) -> None:
    refused = ana.send("/projects/new", name="No Spaces", risk="low", purpose="sort claims")

    assert refused.status == 400
    assert "name: &#39;No Spaces&#39; is not accepted" in refused.text
    assert 'value="sort claims"' in refused.text


def test_new_is_no_name_for_a_project(ana: Visitor) -> None:
    assert ana.send("/projects/new", name="new", risk="low").status == 400


def test_a_project_without_an_owner_is_refused(live: Live, ana: Visitor) -> None:
    refused = ana.send("/projects/fraud/edit", owner="", risk="low")

    assert refused.status == 400
    assert live.client.projects.show("fraud").project.risk == "high"


def test_changing_a_project_shows_on_its_page_with_before_and_after(ana: Visitor) -> None:
    done = ana.send("/projects/fraud/edit", owner="ana", risk="high", purpose="stop stolen cards", sponsor="cards desk")

    assert done.to == "/projects/fraud"
    assert "→ cards desk" in ana.get("/projects/fraud").text


def test_an_owner_cannot_lighten_the_rules_of_a_project_alone(ana: Visitor) -> None:
    refused = ana.send("/projects/fraud/edit", owner="ana", risk="low", purpose="find stolen cards")

    assert refused.status == 403
    assert "admin" in refused.text


def test_an_owner_gives_and_takes_roles(live: Live, ana: Visitor) -> None:
    live.as_person("ben")

    given = ana.send("/projects/fraud/people", page="/projects/fraud", user="ben", role="validator")
    held = [(grant.user, grant.role) for grant in live.client.access.grants("fraud")]
    ana.send("/projects/fraud/people/revoke", page="/projects/fraud", user="ben")

    assert given.to == "/projects/fraud#people"
    assert held == [("ana", "owner"), ("ben", "validator")]
    assert [grant.user for grant in live.client.access.grants("fraud")] == ["ana"]


def test_a_project_keeps_an_owner(live: Live, ana: Visitor) -> None:
    refused = ana.send("/projects/fraud/people/revoke", page="/projects/fraud", user="ana")

    assert refused.status == 409
    assert "only owner" in refused.text
    with pytest.raises(LastOwner):
        live.client.access.revoke("ana", project="fraud")


def test_a_viewer_is_offered_nothing_that_would_be_refused(live: Live, ana: Visitor) -> None:
    live.as_person("ben", "viewer", project="fraud")
    ben = visitor_of(live, "ben")

    text = ben.get("/projects/fraud").text
    sent = ben.send("/projects/fraud/people", page="/projects/fraud", user="ben", role="owner")

    assert "Take roles" not in text
    assert "/projects/fraud/edit" not in text
    assert sent.status == 403


def test_a_stranger_learns_of_no_project_and_a_viewer_who_can_help(live: Live, ana: Visitor) -> None:
    live.as_person("vic", "viewer", project="fraud")

    unseen = visitor_of(live, "eve").get("/projects/fraud")
    refused = visitor_of(live, "vic").get("/projects/fraud/edit")

    assert (unseen.status, "ana" in unseen.text) == (404, False)
    assert refused.status == 403
    assert "Ask ana." in refused.text


def test_an_unknown_project_is_a_page_of_its_own(live: Live) -> None:
    live.client.access.add_user("root", is_admin=True)
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link("root")).path)

    missing = visitor.get("/projects/nope")

    assert missing.status == 404
    assert "taxiway projects create nope" in missing.text


def test_a_long_portfolio_goes_on_by_hundreds(live: Live, ana: Visitor) -> None:
    for number in range(101):
        live.as_person("ana").projects.create(f"p{number:03}")

    first, second = ana.get("/?order=name").text, ana.get("/?order=name&from=100").text

    assert "1 to 100 of 102" in first
    assert first.count('data-label="project"') == 100
    assert second.count('data-label="project"') == 2
    assert 'href="/projects/p100"' in second
