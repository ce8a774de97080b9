"""The search, and the documentation page."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

import pytest

from taxiway.web.pages.search import FEW, named
from tests.support.live import Live
from tests.web.browse import Visitor


@pytest.fixture(scope="module")
def ana(live_for_all: Live) -> Visitor:
    live = live_for_all
    live.as_person("ana").projects.create("fraud", purpose="find stolen cards")
    live.as_person("ben").projects.create("claims", purpose="find stolen cars")
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link("ana")).path)
    return visitor


def test_results_are_grouped_by_kind(ana: Visitor) -> None:
    page = ana.get("/search?q=ben").text

    assert "1 thing for “ben”" in page
    assert "<h2>People</h2>" in page
    assert "<h2>Projects</h2>" not in page


def test_a_word_of_the_purpose_finds_what_one_may_see(ana: Visitor) -> None:
    page = ana.get("/search?q=STOLEN").text

    assert 'href="/projects/fraud"' in page
    assert 'href="/projects/claims"' not in page


def test_one_kind_alone_shows_all_of_it(live_for_all: Live, ana: Visitor) -> None:
    for number in range(FEW + 2):
        live_for_all.client.access.add_user(f"zoe{number}")

    some = ana.get("/search?q=zoe").text
    every = ana.get("/search?q=zoe&kind=People").text

    assert some.count('href="/audit?actor=zoe') == FEW
    assert "All people" in some
    assert every.count('href="/audit?actor=zoe') == FEW + 2


def test_nothing_found_and_nothing_asked_are_explained(ana: Visitor) -> None:
    assert "Nothing for “zebra”" in ana.get("/search?q=zebra").text
    assert "Type a name, a word or an id" in ana.get("/search").text


def test_what_is_looked_for_is_shown_as_text(ana: Visitor) -> None:
    page = ana.get("/search?q=" + quote("<script>alert(1)</script>")).text

    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("model:mortgage@3", "/models/mortgage/versions/3"),
        ("01932c5f8e7a7b3c9d0e1f2a3b4c5d6e", "/runs/01932c5f8e7a7b3c9d0e1f2a3b4c5d6e"),
        ("dataset:fraud/cards@2", "/datasets/fraud/cards/versions/2"),
    ],
)
def test_a_thing_named_in_full_is_led_to(text: str, url: str) -> None:
    found = named(text)

    assert found is not None
    assert found.url == url


@pytest.mark.parametrize("text", ["mortgage", "javascript:alert", "http://x", "model:a b"])
def test_other_text_names_nothing(text: str) -> None:
    assert named(text) is None


def test_the_documentation_lists_every_endpoint_with_its_permission(live_for_all: Live, ana: Visitor) -> None:
    page = ana.get("/docs").text

    assert f"export TAXIWAY_URL={live_for_all.url}" in page
    assert "<code>POST /api/projects</code>" in page
    assert "<code>projects.create</code>" in page
