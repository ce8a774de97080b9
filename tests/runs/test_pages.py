"""The pages of runs, in a real browser and by plain requests."""

from __future__ import annotations

import math
import re

import pytest
from playwright.sync_api import Page, expect

from taxiway.runs.active import ActiveRun
from tests.runs.conftest import MakeRun
from tests.support.browser import assert_accessible
from tests.support.live import Live

HOSTILE = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'

pytestmark = pytest.mark.browser


def train(live: Live, name: str, model: str, accuracy: float) -> ActiveRun:
    with live.client.runs.start(name, project="fraud", tags={"team": "risk"}) as run:
        run.params(model=model, seed=7)
        for step in range(30):
            run.log(step=step, loss=1 / (step + 1), **{"val/loss": 2 / (step + 1)})
        run.log(accuracy=accuracy, strange=math.nan)
        run.log_figure(HOSTILE, "figures/roc")
    return run


def test_an_empty_table_teaches_the_first_command(open_live: Live, page: Page) -> None:
    page.goto(f"{open_live.url}/runs")

    expect(page.get_by_role("heading", level=1)).to_have_text("No run yet")
    expect(page.get_by_text("taxiway run -- python train.py")).to_be_visible()
    assert_accessible(page)


def test_runs_that_measured_nothing_are_listed(open_live: Live, page: Page) -> None:
    with open_live.client.runs.start("only printed"):
        pass

    page.goto(f"{open_live.url}/runs")

    expect(page.get_by_role("link", name="only printed")).to_be_visible()
    assert_accessible(page)


def test_two_runs_are_chosen_in_the_table_and_compared(open_live: Live, page: Page) -> None:
    open_live.client.projects.create("fraud")
    train(open_live, "baseline", "logistic", 0.878)
    train(open_live, "mitigated", "gradient", 0.851)

    page.goto(f"{open_live.url}/runs?project=fraud")
    expect(page.get_by_role("heading", level=1)).to_have_text("2 runs in fraud: 2 finished")
    assert_accessible(page)
    page.get_by_label("Select baseline").check()
    page.get_by_label("Select mitigated").check()
    page.get_by_role("button", name="Compare selected").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(
        "mitigated and baseline differ in 1 parameter and 1 metric"
    )
    expect(page.get_by_role("region", name="Metrics", exact=True)).to_contain_text("+0.0270")
    expect(page.get_by_role("region", name="Parameters", exact=True)).to_contain_text("gradient")
    assert_accessible(page)


def test_a_run_s_page_shows_what_it_did_and_runs_nothing_of_it(open_live: Live, page: Page) -> None:
    open_live.client.projects.create("fraud")
    run = train(open_live, "baseline", "logistic", 0.878)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))

    page.goto(f"{open_live.url}/runs/{run.id}")
    page.locator("img.picture").scroll_into_view_if_needed()

    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("baseline finished in .* accuracy 0.878"))
    expect(page.locator("#metrics")).to_contain_text("NaN")
    expect(page.locator("img.picture")).to_have_js_property("complete", True)
    assert page.locator("img.picture").evaluate("image => image.naturalWidth") == 9
    assert dialogs == []
    assert_accessible(page)


def test_a_filter_that_cannot_be_read_stays_to_be_mended(open_live: Live, page: Page) -> None:
    answer = page.goto(f"{open_live.url}/runs?filter=accuracy+%3E+0.9")

    assert answer is not None
    assert answer.status == 400
    expect(page.get_by_label("Filter")).to_have_value("accuracy > 0.9")
    expect(page.locator(".problem")).to_contain_text("metrics.NAME")


def test_the_table_is_sorted_and_paged_by_its_address(open_live: Live, page: Page, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    for number in range(55):
        make_run(open_live.client, f"r{number:02}", metrics={"auc": number / 100})

    page.goto(f"{open_live.url}/runs?metric=auc")
    page.get_by_role("link", name="auc").click()
    page.get_by_role("link", name="auc").click()
    first = page.locator("tbody a").first
    expect(first).to_have_text("r54")
    page.keyboard.press("End")

    expect(page.locator("tbody tr")).to_have_count(55)  # it goes on where it ends
    expect(page.locator("tbody a").last).to_have_text("r00")
    assert "order=-metrics.auc" in page.url


def test_new_runs_appear_and_what_was_selected_stays(open_live: Live, page: Page, make_run: MakeRun) -> None:
    open_live.client.projects.create("fraud")
    older = [make_run(open_live.client, name, metrics={"auc": 0.5}) for name in ("first", "second")]
    page.clock.install()
    page.goto(f"{open_live.url}/runs")
    for key in ("j", "j", "x"):
        page.keyboard.press(key)

    make_run(open_live.client, "third")
    open_live.client.runs.finish(older[1].id)
    page.clock.run_for(4100)

    expect(page.locator("tbody a")).to_have_text(["third", "second", "first"])
    expect(page.locator("tbody tr").nth(1)).to_contain_text("finished")
    expect(page.get_by_label("Select first")).to_be_checked()
    expect(page.locator("tr.is-at")).to_contain_text("first")
    page.keyboard.press("k")
    page.keyboard.press("x")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/runs/compare"))


def test_a_run_of_somebody_else_is_not_to_be_seen(live: Live, page: Page, make_run: MakeRun) -> None:
    live.client.projects.create("fraud")
    run = make_run(live.client)
    live.as_person("eve")
    page.goto(live.sign_in_link("eve"))

    page.get_by_role("button", name="Sign in as eve").click()
    answer = page.goto(f"{live.url}/runs/{run.id}")

    assert answer is not None
    assert answer.status == 404
