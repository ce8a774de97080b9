"""The pages of endpoints in a browser, over a real gateway: tried, traced, stopped, started, gone back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.endpoints.conftest import until
from tests.endpoints.running_server import PROJECT, ROW, Platform
from tests.support.browser import assert_accessible

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def enter(page: Page, platform: Platform, name: str) -> None:
    page.goto(platform.url + platform.owner.access.make_link(name).path)
    page.get_by_role("button", name=f"Sign in as {name}").click()


def test_a_row_is_tried_and_its_answer_traced_by_clicking(platform: Platform, page: Page) -> None:
    enter(page, platform, "olu")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Endpoints").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("endpoint")
    assert_accessible(page)
    page.get_by_role("link", name="mortgage", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("mortgage answers with mortgage v1")
    assert_accessible(page)

    page.get_by_role("link", name="Try it").click()
    page.get_by_label("income").fill("71.5")
    page.get_by_role("button", name="Predict").click()
    answered = page.get_by_role("status").filter(has_text="revision 1")
    expect(answered).to_contain_text("prediction 1")
    answered.get_by_role("link", name="Trace this prediction").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("mortgage v1 answered 1")
    expect(page.get_by_text("income=71.5")).to_be_visible()
    expect(page.get_by_role("link", name="vera approved it")).to_be_visible()
    expect(page.get_by_role("link", name="It learnt from")).to_be_visible()
    assert_accessible(page)


def test_a_value_that_does_not_fit_is_refused_and_stays_in_the_form(platform: Platform, page: Page) -> None:
    enter(page, platform, "olu")
    page.goto(f"{platform.url}/endpoints/mortgage")

    page.get_by_label("income").fill("much")
    page.get_by_role("button", name="Predict").click()

    expect(page.get_by_role("alert")).to_contain_text("field 'income': 'much' is not accepted")
    expect(page.get_by_label("income")).to_have_value("much")


def test_an_endpoint_is_stopped_with_a_reason_and_started_again(platform: Platform, page: Page) -> None:
    enter(page, platform, "olu")
    page.goto(f"{platform.url}/endpoints/mortgage")

    page.get_by_label("Reason").fill("answers oddly")
    page.get_by_role("button", name="Stop mortgage").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("mortgage is stopped: answers oddly")
    assert_accessible(page)
    page.get_by_label("Why it may").fill("it was looked at")
    page.get_by_role("button", name="Start answering").click()

    expect(page.get_by_role("button", name="Stop mortgage")).to_be_visible()
    until(lambda: platform.olu.endpoints.show("mortgage").endpoint.state == "answering")
    assert platform.ana.endpoints.invoke("mortgage", ROW).revision == 1


def test_who_may_only_look_gets_no_buttons(platform: Platform, page: Page) -> None:
    enter(page, platform, "vera")
    page.goto(f"{platform.url}/endpoints/mortgage")

    expect(page.get_by_role("heading", name="Revisions")).to_be_visible()
    expect(page.get_by_role("button", name="Predict")).to_have_count(0)
    expect(page.get_by_text("olu can ask")).to_be_visible()
    expect(page.get_by_role("button", name="Stop mortgage")).to_have_count(0)


def test_a_version_is_deployed_to_a_new_endpoint_from_the_page(platform: Platform, page: Page) -> None:
    enter(page, platform, "olu")
    page.goto(f"{platform.url}/endpoints/new?project={PROJECT}")
    assert_accessible(page)

    page.get_by_label("Name").fill("No Name")
    page.get_by_role("button", name="Deploy").click()
    expect(page.get_by_role("alert")).to_contain_text("endpoint: 'No Name' is not accepted")
    page.get_by_label("Name").fill("second")
    page.get_by_role("button", name="Deploy").click()

    expect(page).to_have_url(f"{platform.url}/endpoints/second")
    until(lambda: platform.olu.endpoints.show("second").endpoint.state == "answering")
    page.goto(f"{platform.url}/projects/{PROJECT}")
    expect(page.get_by_role("link", name="second", exact=True)).to_be_visible()


def test_the_log_is_asked_by_a_filter_in_the_address_and_leads_to_the_trace(platform: Platform, page: Page) -> None:
    id_ = platform.ana.endpoints.invoke("mortgage", ROW | {"income": 123.5}).prediction_id
    enter(page, platform, "olu")
    page.goto(f"{platform.url}/endpoints/mortgage")
    page.get_by_role("link", name="Its inference log").click()
    page.get_by_label("Filter").fill("inputs.income = 123.5 and")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("conditions begin with")).to_be_visible()

    page.get_by_label("Filter").fill("inputs.income = 123.5")
    page.get_by_role("button", name="Show").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("1 row of mortgage met the filter in the last 1 hour")
    assert_accessible(page)
    page.get_by_role("region", name="Records").get_by_role("link").first.click()
    expect(page).to_have_url(f"{platform.url}/endpoints/predictions/{id_}?row=0")
