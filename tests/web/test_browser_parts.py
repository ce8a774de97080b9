"""The look and the keys in a real browser, under the server's own content policy."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import assert_accessible, watched_page
from tests.web.gallery import ADDRESS, serve_gallery

pytestmark = pytest.mark.browser


@pytest.fixture
def gallery(page: Page) -> Page:
    serve_gallery(page)
    return page


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False), (390, True)])
def test_every_part_is_accessible_and_fits_its_screen(chromium: Browser, width: int, dark: bool) -> None:
    with watched_page(chromium, width=width, dark=dark) as page:
        serve_gallery(page)
        page.evaluate("document.querySelectorAll('main details').forEach((each) => (each.open = true))")

        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_help_and_the_menus_are_accessible_when_open(gallery: Page) -> None:
    gallery.locator("summary", has_text="Vera Holm").click()
    assert_accessible(gallery)

    gallery.keyboard.press("Escape")
    gallery.keyboard.press("?")
    expect(gallery.get_by_role("dialog")).to_be_visible()
    assert_accessible(gallery)


def test_a_chosen_theme_is_remembered_and_the_system_can_have_its_say_again(gallery: Page) -> None:
    gallery.locator("summary", has_text="Vera Holm").click()
    gallery.get_by_role("button", name="dark").click()
    gallery.reload()

    expect(gallery.locator("html")).to_have_attribute("data-theme", "dark")
    gallery.locator("summary", has_text="Vera Holm").click()
    gallery.get_by_role("button", name="system").click()
    gallery.reload()
    expect(gallery.locator("html")).not_to_have_attribute("data-theme", re.compile(".*"))


def test_a_slash_goes_to_the_search_and_typing_there_is_left_alone(gallery: Page) -> None:
    gallery.keyboard.press("/")
    gallery.keyboard.type("gr?")

    expect(gallery.get_by_role("searchbox")).to_have_value("gr?")
    gallery.keyboard.press("Enter")
    expect(gallery).to_have_url(f"{ADDRESS}/search?q=gr%3F")


@pytest.mark.parametrize(("letter", "where"), [("r", "/runs"), ("g", "/gates"), ("o", "/monitors"), ("i", "/inbox")])
def test_g_and_a_letter_go_to_a_noun(gallery: Page, letter: str, where: str) -> None:
    gallery.keyboard.press("g")
    gallery.keyboard.press(letter)

    expect(gallery).to_have_url(ADDRESS + where)


def test_rows_are_moved_through_selected_and_compared_by_keys(gallery: Page) -> None:
    compare = gallery.get_by_role("button", name="Compare selected")
    expect(compare).to_be_disabled()

    for key in "jxjjx":
        gallery.keyboard.press(key)
    expect(gallery.locator("[data-compare-count]")).to_have_text("2 selected")
    gallery.keyboard.press("c")

    expect(gallery).to_have_url(f"{ADDRESS}/runs/compare?run=calm-heron&run=late-swift")


def test_enter_opens_the_row(gallery: Page) -> None:
    for key in ("j", "j", "Enter"):
        gallery.keyboard.press(key)

    expect(gallery).to_have_url(f"{ADDRESS}/runs/fair-tern")


def test_pointing_at_a_chart_shows_every_series_at_that_step(gallery: Page) -> None:
    gallery.locator(".figure-wide .lines").hover(position={"x": 400, "y": 200})

    tip = gallery.locator(".tip")
    expect(tip).to_contain_text("calm-heron: 0.")
    expect(tip).to_contain_text("fair-tern: 0.")
    expect(gallery.locator(".figure-wide .lines .crosshair")).to_have_class(re.compile("is-on"))


def test_a_mark_says_its_words_on_hover_and_on_focus(gallery: Page) -> None:
    gallery.locator(".figure-wide .path-drawing .hot").first.hover()
    expect(gallery.locator(".tip")).to_contain_text("ratio at least 0.8: inconclusive. Given by the check.")

    gallery.locator(".figure-wide .heat .hot").last.focus()
    expect(gallery.locator(".tip")).to_contain_text("hour, week 11: PSI 0.440, over the limit")


def test_a_digest_is_copied_whole(gallery: Page) -> None:
    gallery.context.grant_permissions(["clipboard-read", "clipboard-write"])
    gallery.get_by_role("button", name="Copy 8f3a91c28f").click()

    assert gallery.evaluate("navigator.clipboard.readText()") == "sha256:" + "8f3a91c2" * 8


def test_without_scripts_nothing_dead_is_offered(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    serve_gallery(page)

    expect(page.get_by_role("button", name="copy")).to_have_count(0)
    expect(page.get_by_role("button", name="Compare selected")).to_be_enabled()
    page.locator("summary", has_text="The numbers").first.click()
    expect(page.get_by_role("cell", name="calm-heron").first).to_be_visible()
    context.close()
