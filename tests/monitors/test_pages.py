"""The pages of monitors: what they say without a script, and in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.monitors.story import ENDPOINT, PROJECT, Story
from tests.monitors.traffic import APRIL, MARCH, MAY
from tests.support.browser import assert_accessible
from tests.support.live import Live, running
from tests.web.browse import Visitor


def watched_in(live: Live, folder: Path) -> Story:
    """Two good months, of which the second drifts, and a bad one between them."""
    story = Story(live, folder)
    story.month(MARCH)
    story.month(APRIL, turned=True)
    story.month(MAY, warmer=25)
    story.olga.monitors.create(ENDPOINT)
    story.olga.monitors.evaluate(ENDPOINT)
    return story


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """For tests that only look."""
    folder = tmp_path_factory.mktemp("seen")
    with pytest.MonkeyPatch.context() as patch, running(folder / "home", login=False) as live:
        patch.chdir(folder)  # so that runs find no sources to keep
        yield watched_in(live, folder)


@pytest.fixture
def watched(open_live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Story:
    """For tests that act."""
    monkeypatch.chdir(tmp_path)
    return watched_in(open_live, tmp_path)


def read(story: Story, path: str) -> str:
    answer = Visitor(story.live.url).get(path)
    assert answer.status == 200, answer.text
    return unescape(answer.text)


def test_the_list_says_what_waits_for_someone(seen: Story) -> None:
    text = read(seen, "/monitors")

    assert "1 alert waits for someone: flights" in text
    assert 'href="/monitors/flights"' in text
    assert "drift noted" in text


def test_an_empty_list_teaches_the_first_command(open_live: Live) -> None:
    answer = Visitor(open_live.url).get("/monitors")

    assert "No endpoint is watched yet" in answer.text
    assert "taxiway monitors create ENDPOINT" in answer.text


def test_the_page_answers_first_and_explains_the_alert(seen: Story) -> None:
    text = read(seen, "/monitors/flights")

    assert "April 2013 is worse than its baseline by" in text
    assert "input drift in May 2013 is noted, not paged" in text
    assert "concept drift" in text
    assert "/monitors/flights/features/temp?window=2013-05-01" in text
    assert "temp, May '13: PSI" in text


def test_a_cell_leads_to_the_two_distributions(seen: Story) -> None:
    drifted = read(seen, "/monitors/flights/features/temp?window=2013-05-01")
    same = read(seen, "/monitors/flights/features/origin?window=2013-03-01")
    scores = read(seen, "/monitors/flights/score?window=2013-04-01")

    assert "temp drifted in May 2013: PSI" in drifted
    assert "they differ most at" in drifted
    assert "within chance" in same
    assert "score of the answers" in scores


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/monitors/nowhere", 404),
        ("/monitors/flights/features/wind", 404),
        ("/monitors/flights/features/temp?window=2013-09-01", 404),
        ("/monitors/flights/features/temp?window=May", 400),
    ],
)
def test_what_is_not_there_is_said(seen: Story, path: str, status: int) -> None:
    assert Visitor(seen.live.url).get(path).status == status


def test_an_alert_is_acknowledged_without_a_script(watched: Story) -> None:
    [alert] = watched.olga.monitors.alerts()
    visitor, path = Visitor(watched.live.url), f"/monitors/flights/alerts/{alert.id}"

    refused = visitor.send(path, page="/monitors/flights", state="acknowledged", comment=" ")
    done = visitor.send(path, page="/monitors/flights", state="acknowledged", comment="spring has come")

    assert refused.status == 400
    assert "what you found" in refused.text
    assert (done.status, done.to) == (303, f"/monitors/flights#alert-{alert.id}")
    assert "spring has come" in read(watched, "/monitors/flights")
    assert watched.olga.monitors.alerts(state="acknowledged")[0].id == alert.id


def test_measuring_from_the_page_leads_back_to_it(seen: Story) -> None:
    done = Visitor(seen.live.url).send("/monitors/flights/evaluate", page="/monitors/flights")

    assert (done.status, done.to) == (303, "/monitors/flights")


def test_the_portfolio_waits_for_who_can_act(seen: Story) -> None:
    text = read(seen, "/")

    assert "1 alert" in text
    assert "olga to <a" in text
    assert ">acknowledge the alert of April 2013 on flights</a>" in text
    assert "monitored" in read(seen, f"/projects/{PROJECT}")


def test_the_endpoints_page_shows_its_monitor(seen: Story) -> None:
    assert 'href="/monitors/flights"' in read(seen, "/endpoints/flights")


def test_a_monitor_is_found_by_its_endpoint(seen: Story) -> None:
    assert 'href="/monitors/flights"' in read(seen, "/search?q=flights")


@pytest.mark.browser
def test_from_the_map_to_the_distributions_and_back_by_clicking(watched: Story, page: Page) -> None:
    page.goto(f"{watched.live.url}/monitors")
    page.get_by_role("rowheader").get_by_role("link", name="flights").click()
    assert_accessible(page)

    page.locator('.figure-wide a[href*="features/temp?window=2013-05-01"]').click()
    assert page.locator("h1").inner_text().startswith("temp drifted in May 2013")
    assert_accessible(page)

    page.get_by_role("link", name="Everything of May 2013").click()
    page.get_by_label("What you found").fill("the winter model meets spring")
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_text("the winter model meets spring").wait_for()
    assert [alert.state for alert in watched.olga.monitors.alerts()] == ["acknowledged"]
