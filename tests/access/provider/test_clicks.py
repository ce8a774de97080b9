"""Signing in and out with a real provider in a real browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.access.provider.conftest import Office
from tests.access.provider.real import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_person_signs_in_and_out_by_clicking(office: Office, add: Callable[..., str], page: Page) -> None:
    add("walter", "validators")
    office.canaille.tell("enter", name="")

    page.goto(f"{office.live.url}/me?tab=tokens")
    page.get_by_role("link", name="Sign in with Acme").click()
    page.get_by_label("Login").fill("walter")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    expect(page).to_have_url(f"{office.live.url}/me?tab=tokens")
    expect(page.get_by_role("heading", level=1)).to_contain_text("You are walter, with 1 project")
    page.get_by_text("walter", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("link", name="Sign out at Acme").click()
    expect(page).to_have_url(f"{office.live.url}/sign-in")
    page.get_by_role("link", name="Sign in with Acme").click()
    expect(page.get_by_label("Login")).to_be_visible()
