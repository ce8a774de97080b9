"""Act 1 by clicking, in a real browser: what the author sees and may not do, and what a second person does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.gates.story import CARD, FAIR, UNCLEAR, Story
from tests.support.browser import assert_accessible, watched_page

pytestmark = pytest.mark.browser


@pytest.fixture
def act(story: Story) -> Story:
    """Version 1 is inconclusive, version 2 fair at a price; both have their evidence. Ana is a validator of others."""
    story.ready(UNCLEAR)
    story.version(FAIR, right=0.88)
    story.ana.models.enter_card("mortgage@2", **CARD)
    story.ana.gates.evaluate("mortgage@2")
    story.live.as_person("ana", "validator", project="mortgages")
    return story


@pytest.fixture
def author(act: Story, page: Page) -> Page:
    """The author's browser, signed in by a link."""
    return sign_in(act, page, "ana")


@pytest.fixture
def validator(act: Story, chromium: Browser) -> Iterator[Page]:
    """Another person's browser."""
    with watched_page(chromium) as other:
        yield sign_in(act, other, "vera")


def test_the_author_sees_why_version_1_stays_where_it_is(author: Page) -> None:
    author.get_by_role("link", name="Models").click()
    author.get_by_role("link", name="mortgage", exact=True).click()
    author.get_by_role("link", name="version 1", exact=True).click()

    expect(author.get_by_role("heading", level=1)).to_contain_text("may not go to production: fairness is inconclusive")
    expect(author.locator("#evidence")).to_contain_text("neither proven fair nor unfair at this size")
    expect(author.locator("#standing")).to_contain_text("Approving now would open nothing.")
    author.get_by_text("How each was measured").click()
    expect(author.get_by_role("row", name="fairness before staging")).to_contain_text("0.833")
    assert_accessible(author)


def test_moving_version_1_is_refused_with_gate_number_and_next_step(author: Page) -> None:
    author.goto(f"{origin(author)}/models/mortgage/versions/1")

    author.get_by_text("Choose a stage").click()
    author.get_by_label("Stage").select_option("production")
    author.get_by_label("Reason").fill("the quarter ends")
    author.get_by_role("button", name="Move").click()

    refusal = author.get_by_role("alert")
    expect(refusal).to_contain_text("mortgage v1 may not enter production: 2 gates are not open.")
    expect(refusal).to_contain_text("fairness, before staging: inconclusive. Selection-rate ratio by race 0.83 [")
    expect(refusal).to_contain_text("log a mitigated model as a new version")
    expect(author.get_by_label("Reason")).to_have_value("the quarter ends")
    assert_accessible(author)


def test_two_versions_are_compared_by_selecting_their_rows(author: Page) -> None:
    author.goto(f"{origin(author)}/models/mortgage")

    author.get_by_label("Select version 1").check()
    author.get_by_label("Select version 2").check()
    author.get_by_role("button", name="Compare selected").click()

    expect(author.get_by_role("heading", level=1)).to_have_text("Versions 2 and 1 of mortgage, side by side")
    expect(author.locator("#predictions")).to_contain_text("The price of fairness.")
    expect(author.get_by_role("img", name="ROC").first).to_be_visible()
    assert_accessible(author)


def test_four_eyes_then_a_second_person_then_production(act: Story, author: Page, validator: Page) -> None:
    version = f"{act.live.url}/models/mortgage/versions/2"
    author.goto(version)
    author.get_by_label("What they should know").fill("fair now, for two points of accuracy")
    author.get_by_role("button", name="Ask vera or vito").click()
    expect(author.locator("#approval")).to_contain_text("It waits for vera or vito")

    expect(author.locator("#approval")).to_contain_text("Four eyes: you cannot approve this yourself.")
    expect(author.get_by_role("button", name="Approve")).to_have_count(0)

    validator.reload()
    validator.get_by_role("link", name="Inbox 1").click()
    validator.get_by_role("button", name="Look and approve").click()
    expect(validator.locator("#approval")).to_contain_text("fair now, for two points of accuracy")
    validator.get_by_label("Why", exact=True).fill("I read the rates by race and the limits")
    validator.get_by_role("button", name="Approve").click()
    expect(validator.get_by_role("heading", level=1)).to_have_text("Version 2 may go to production: every gate is open")
    assert_accessible(validator)

    author.goto(version)
    author.get_by_role("link", name="Move to production").click()
    author.get_by_label("Reason").fill("passes four fifths")
    author.get_by_role("button", name="Move", exact=True).click()
    expect(author.get_by_role("heading", level=1)).to_have_text("Version 2 is in production")
    expect(author.get_by_text("Moved to production by ana: passes four fifths")).to_be_visible()
    assert_accessible(author)


def test_the_page_is_read_on_a_phone_without_scrolling_sideways(act: Story, chromium: Browser) -> None:
    with watched_page(chromium, width=390, height=844, dark=True) as phone:
        sign_in(act, phone, "vera").goto(f"{act.live.url}/models/mortgage/versions/2")

        assert phone.evaluate("document.documentElement.scrollWidth") == 390
        expect(phone.get_by_role("button", name="Approve")).to_be_visible()
        assert_accessible(phone)


def test_an_admin_publishes_a_path_and_learns_the_line_of_a_mistake(act: Story, page: Page) -> None:
    sign_in(act, page, "ivo").goto(f"{act.live.url}/gates/editor")

    page.get_by_label("YAML").fill("path: new\nstages:\n  staging:\n    - card: {complete: perhaps}\n")
    expect(page.locator(".checked mark")).to_contain_text("card: {complete: perhaps}")
    expect(page.locator(".checked")).to_contain_text("Line 4, stages.staging")
    assert_accessible(page)

    page.get_by_label("YAML").fill("path: new\nstages:\n  staging:\n    - card: {complete: true}\n")
    page.get_by_role("button", name="Check and dry-run").click()
    expect(page.locator("#plan")).to_contain_text("No project that you can see would take it")
    assert_accessible(page)
    page.get_by_role("button", name="Publish it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The path new has 1 gate before staging")
    assert_accessible(page)


def sign_in(act: Story, page: Page, name: str) -> Page:
    page.goto(act.live.sign_in_link(name))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(name, exact=True).first).to_be_visible()
    return page


def origin(page: Page) -> str:
    return str(page.evaluate("location.origin"))
