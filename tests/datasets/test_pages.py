"""The pages of datasets, over plain HTTP and in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pandas as pd
import pytest

from taxiway.datasets.terms import ColumnTerms, Contract
from tests.support.browser import assert_accessible
from tests.support.live import Live
from tests.web.browse import Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

RAW = pd.DataFrame({"gdlin": [1, 666, 0, 666], "race": ["white", "black", "<b>white</b>", None]})
CLEAN = RAW[RAW.gdlin != 666]
TERMS = Contract(columns={"gdlin": ColumnTerms(type="integer", allowed=[0, 1])})


@pytest.fixture
def visitor(open_live: Live) -> Visitor:
    """A server with two versions of `loans/loanapp`: the first breaks its contract, the second is made from it."""
    open_live.client.projects.create("loans")
    raw = open_live.client.datasets.register("loanapp", RAW, project="loans", contract=TERMS, note="as it came")
    open_live.client.datasets.register("loanapp", CLEAN, project="loans", derived_from=raw)
    return Visitor(open_live.url)


def test_an_empty_page_teaches_how_to_register(open_live: Live) -> None:
    assert "taxiway datasets register" in Visitor(open_live.url).get("/datasets").text


def test_the_list_shows_the_newest_version_of_each_with_its_verdict(visitor: Visitor) -> None:
    text = visitor.get("/datasets?order=-rows").text

    assert "1 dataset, 1 under contract, none broken" in text
    assert 'href="/datasets/loans/loanapp/versions/2"' in text


def test_a_dataset_says_how_its_newest_version_stands_and_how_the_others_did(visitor: Visitor) -> None:
    assert "loanapp version 2 fulfils its contract; version 1 did not" in visitor.get("/datasets/loans/loanapp").text


def test_a_broken_version_shows_rule_rows_and_values(visitor: Visitor) -> None:
    text = visitor.get("/datasets/loans/loanapp/versions/1").text

    assert "gdlin must be one of 0, 1, which 2 rows break" in text
    assert "row 1: <code>666</code>" in text
    assert "row 3: <code>666</code>" in text
    assert "&lt;b&gt;white&lt;/b&gt;" in text
    assert "cleaned into" in text


def test_a_later_version_says_what_it_was_made_from_and_what_changed(visitor: Visitor) -> None:
    text = visitor.get("/datasets/loans/loanapp/versions/2").text

    assert 'Made from <a href="/datasets/loans/loanapp/versions/1">' in text
    assert "distinct 3 → 2" in text
    assert "4 → 2" in text


def test_what_is_not_there_is_a_page_that_says_so(visitor: Visitor) -> None:
    missing = visitor.get("/datasets/loans/loanapp/versions/9")

    assert missing.status == 404
    assert "loans/loanapp@9" in missing.text


def test_a_stranger_sees_no_dataset(live: Live) -> None:
    live.client.projects.create("loans")
    live.client.datasets.register("loanapp", RAW, project="loans")
    live.as_person("eve")
    eve = Visitor(live.url)
    eve.post(urlsplit(live.sign_in_link("eve")).path)

    assert "loanapp" not in eve.get("/datasets").text
    assert eve.get("/datasets/loans/loanapp").status == 404


@pytest.mark.browser
def test_a_version_is_read_with_any_aid(visitor: Visitor, page: Page) -> None:
    page.goto(visitor.url + "/datasets")
    page.get_by_role("link", name="loanapp").click()
    page.get_by_role("link", name="version 1").click()

    assert page.get_by_role("heading", level=1).inner_text().startswith("Version 1 of loanapp breaks its contract")
    assert_accessible(page)
