"""The links that MLflow's client prints lead somewhere."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.support.live import Live


@pytest.mark.browser
def test_the_links_of_mlflow_lead_to_our_pages(open_live: Live, page: Page) -> None:
    with open_live.client.runs.start("baseline", experiment="iris") as run:
        run.log(step=0, loss=1.0)

    page.goto(f"{open_live.url}/#/experiments/1/runs/{run.id}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("baseline finished")

    page.goto(f"{open_live.url}/static/favicon.svg")  # so that the next address is a new page, not a new place on one
    page.goto(f"{open_live.url}/#/experiments/1")
    expect(page.get_by_role("heading", level=1)).to_contain_text("1 run in iris")
