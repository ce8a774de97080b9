"""What notebooks are shown: escaped, without scripts, with links where a server is known."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from taxiway.kernel import rich
from taxiway.kernel.rich import Link, bar, card, connected_to, facts, grid, interval

HOSTILE = "<script>alert(1)</script>\"'&"


@pytest.fixture
def server() -> Iterator[None]:
    before = [*rich.servers]
    connected_to("https://taxiway.example")
    yield
    rich.servers[:] = before


def test_nothing_that_a_thing_is_called_becomes_markup(server: None) -> None:
    html = card(
        HOSTILE,
        f"run:{HOSTILE}",
        facts([(HOSTILE, HOSTILE)]),
        grid(HOSTILE, [HOSTILE], [[HOSTILE], [Link(HOSTILE, f"model:{HOSTILE}")]]),
    )

    ElementTree.fromstring(html)  # well-formed
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_a_link_leads_to_the_server_that_is_known(server: None) -> None:
    assert 'href="https://taxiway.example/runs/ab"' in card("a run", "run:ab")


def test_without_a_server_there_is_no_link(server: None) -> None:
    rich.servers.clear()

    assert "href" not in card("a run", "run:ab")


def test_a_figure_says_in_words_what_it_draws() -> None:
    figure = interval(0.8, 0.9, 0.95, asked=0.85)

    assert ElementTree.fromstring(figure.svg).get("aria-label") == "0.9 from 0.8 to 0.95, asked 0.85"


def test_what_is_no_finite_number_has_no_bar() -> None:
    assert [bar(value, 1.0) for value in (float("nan"), "text", None, True)] == [""] * 4


def test_a_long_table_is_cut_and_says_so() -> None:
    html = grid("numbers", ["n"], [[n] for n in range(250)])

    assert html.count("<tr>") == 201
    assert "and 50 more" in html
