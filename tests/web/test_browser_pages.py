"""A person's first day on the pages, in a real browser: by clicking and by keys, each page held against axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from taxiway.audit.service import Record
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.lineage.service import draw_edge
from taxiway.projects.portfolio import Health, PortfolioFact
from taxiway.projects.waiting import Wait
from taxiway.web.figures.path import Gate
from tests.support.browser import assert_accessible, watched_page
from tests.support.live import Live, running

pytestmark = pytest.mark.browser
PAGES = (
    "/",
    "/projects/fraud",
    "/projects/new",
    "/audit",
    "/lineage?thing=project:fraud",
    "/search?q=a",
    "/me",
    "/docs",
)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with one project that waits for somebody."""
    with running(tmp_path_factory.mktemp("office") / "home") as live:
        live.as_person("ana").projects.create("fraud", purpose="find stolen cards", risk="high")
        live.as_person("ben")
        live.house.portfolio.tell(know)
        live.house.portfolio.waiting.waiters.append(ask)
        join(live)
        yield live


def know(caller: Caller, names: list[str]) -> dict[str, PortfolioFact]:
    gates = (Gate(name="fairness", verdict="inconclusive", asks="ratio at least 0.8"), Gate(name="card"))
    fact = PortfolioFact(
        health=Health("inconclusive", "fairness inconclusive", "/models/fraud"),
        gates={"staging": gates},
    )
    return {"fraud": fact}


def ask(caller: Caller, names: list[str]) -> dict[str, list[Wait]]:
    return {"fraud": [Wait(("vera",), "approval", "/models/fraud")]}


def join(live: Live) -> None:
    def make(record: Record) -> bool:
        draw_edge(record, source="dataset:fraud/cards@1", verb="read_by", target="run:abc", project="fraud")
        draw_edge(record, source="run:abc", verb="produced", target="model:fraud@1", project="fraud")
        return True

    live.house.ledger.change(SYSTEM, "test.join", "project:fraud", make, answer=bool, project="fraud")


def enter(page: Page, live: Live, name: str) -> None:
    page.goto(live.sign_in_link(name))
    page.get_by_role("button", name=f"Sign in as {name}").click()


def test_a_visitor_signs_in_and_comes_to_the_page_they_wanted(office: Live, page: Page) -> None:
    page.goto(f"{office.url}/projects/fraud")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in with the link an admin made for you")
    assert_accessible(page)

    page.get_by_label("Sign-in link").fill(office.sign_in_link("ana"))
    page.get_by_role("button", name="Continue").click()
    assert_accessible(page)
    page.get_by_role("button", name="Sign in as ana").click()

    expect(page).to_have_url(f"{office.url}/projects/fraud")
    expect(page.get_by_role("heading", level=1)).to_contain_text("fraud is an idea, with fairness inconclusive")


def test_a_project_is_opened_shared_and_found_by_clicking(office: Live, page: Page) -> None:
    enter(page, office, "ana")
    page.get_by_role("link", name="Open a project").click()
    page.get_by_label("Name").fill("claims")
    page.get_by_label("Purpose").fill("sort claims")
    page.get_by_role("button", name="Open the project").click()

    page.get_by_text("Give someone a role").click()
    page.get_by_label("Role", exact=True).select_option("validator")
    page.get_by_role("button", name="Give the role").click()
    expect(page.locator("#people")).to_contain_text("validator")

    page.keyboard.press("/")
    page.keyboard.type("sort")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="claims").last.click()
    expect(page).to_have_url(f"{office.url}/projects/claims")


def test_the_log_is_verified_by_a_click(office: Live, page: Page) -> None:
    enter(page, office, "ana")
    page.get_by_role("link", name="Audit").first.click()
    page.locator("summary", has_text="entry").first.click()
    page.get_by_role("button", name="Verify the whole log").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("The log holds")
    assert_accessible(page)


def test_the_graph_leads_to_the_things_it_draws(office: Live, page: Page) -> None:
    enter(page, office, "ana")
    page.goto(f"{office.url}/lineage?thing=model:fraud@1")

    box = page.get_by_role("link", name="dataset cards@1").first
    assert box.get_attribute("href") == "/datasets/fraud/cards/versions/1"


def test_a_new_token_is_shown_once(office: Live, page: Page) -> None:
    enter(page, office, "ben")
    page.goto(f"{office.url}/me")
    page.get_by_label("What it is for").fill("laptop")
    page.get_by_role("button", name="Make a token").click()
    expect(page.locator(".command")).to_contain_text("tw_token_")
    assert_accessible(page)

    page.goto(f"{office.url}/me")
    expect(page.get_by_text("tw_token_")).to_have_count(0)


def test_signing_out_shuts_the_door_behind_one(office: Live, page: Page) -> None:
    enter(page, office, "ben")
    page.locator("summary", has_text="ben").click()
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{office.url}/me")

    expect(page).to_have_url(f"{office.url}/sign-in?next=%2Fme")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_page_is_sound_in_both_lights(office: Live, chromium: Browser, dark: bool) -> None:
    with watched_page(chromium, dark=dark) as page:
        enter(page, office, "ana")
        for address in PAGES:
            page.goto(office.url + address)
            assert_accessible(page)


def test_every_page_fits_a_phone(office: Live, chromium: Browser) -> None:
    with watched_page(chromium, width=390) as page:
        enter(page, office, "ana")
        widths = {}
        for address in PAGES:
            page.goto(office.url + address)
            widths[address] = page.evaluate("document.documentElement.scrollWidth")

        page.goto(f"{office.url}/gates/models/mortgage/versions/3/questionnaires-of-long-names/ethics")
        widths["a page that is not there"] = page.evaluate("document.documentElement.scrollWidth")

    assert {address: width for address, width in widths.items() if width > 390} == {}


def test_a_portfolio_without_projects_teaches_the_first_commands(tmp_path: Path, page: Page) -> None:
    with running(tmp_path / "home", login=False) as live:
        page.goto(live.url)

        expect(page.get_by_text("taxiway run -- python train.py")).to_be_visible()
        assert_accessible(page)
