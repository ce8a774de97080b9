"""The inbox and a discussion in a real browser: by keys alone, in both colours, held against axe."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.discussions.conftest import PROJECT, THING
from tests.support.browser import assert_accessible, watched_page
from tests.support.live import Live

pytestmark = pytest.mark.browser


def test_notices_are_read_and_set_aside_by_keys(sqlite_live: Live, chromium: Browser) -> None:
    olga = sqlite_live.as_person("olga")
    olga.projects.create(PROJECT, purpose="decide on mortgages", risk="high")
    vera = sqlite_live.as_person("vera", "validator", project=PROJECT)
    olga.models.create("mortgage", project=PROJECT)
    olga.models.register_source("mortgage", "a/label")
    olga.discussions.ask(THING, "Is the **card** right, @vera?\n\n- one\n- two", people=["vera"])

    with watched_page(chromium) as page:
        page.goto(sqlite_live.sign_in_link("vera"))
        page.locator("main button").click()
        page.goto(f"{sqlite_live.url}/inbox")
        expect(page.locator("h1")).to_have_text("1 question and 1 mention wait for you")
        assert_accessible(page)
        page.keyboard.press("j")
        page.keyboard.press("u")
        expect(page.locator("tr.is-new")).to_have_count(1)
        page.keyboard.press("j")
        page.keyboard.press("e")
        expect(page.locator("h1")).to_have_text("1 mention waits for you")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("article.talk")).to_be_visible()
        assert_accessible(page)
        page.get_by_role("button", name="I agree").click()
        expect(page.locator("article.talk.is-resolved")).to_have_count(1)
        page.goto(f"{sqlite_live.url}/models/mortgage/versions/1")
        page.get_by_text("Begin a discussion").click()
        text = page.get_by_label("What you have to say")
        text.press_sequentially("Thanks @o")
        offered = page.get_by_role("listbox").get_by_role("option")
        expect(offered).to_have_text(["olga"])
        assert_accessible(page)
        text.press("Enter")
        expect(text).to_have_value("Thanks @olga ")
        expect(page.get_by_role("listbox")).to_have_count(0)
        text.press_sequentially("mail@o")
        expect(page.get_by_role("listbox")).to_have_count(0)
    with watched_page(chromium, width=390, dark=True) as page:
        page.goto(sqlite_live.sign_in_link("vera"))
        page.locator("main button").click()
        page.goto(f"{sqlite_live.url}/inbox?show=all")
        assert_accessible(page)
    assert [each.read_at is not None for each in vera.notices.list(show="all")] == [True, True]
