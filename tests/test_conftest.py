"""The ground the other tests stand on, tested itself."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, inspect, text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = b"""<!doctype html><html lang="en"><title>Runs</title><link rel="icon" href="data:,">
<main><h1>Runs</h1><button onclick="document.title = 'pressed'">Press</button></main></html>"""


@pytest.mark.parametrize("turn", [1, 2])
def test_a_database_is_empty_in_every_test(database_url: str, turn: int) -> None:
    engine = create_engine(database_url)
    tables = inspect(engine).get_table_names()

    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (turn INTEGER)"))
        connection.execute(text("INSERT INTO seen VALUES (:turn)"), {"turn": turn})
        rows = connection.execute(text("SELECT turn FROM seen")).all()
    engine.dispose()

    assert tables == []
    assert rows == [(turn,)]


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the parent's
        """Say nothing: the test's output is not a server's log."""


@pytest.fixture
def site() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.browser
def test_a_page_is_clicked_and_judged(page: "Page", site: str) -> None:
    from tests.support.browser import assert_accessible

    page.goto(site)
    page.get_by_role("button", name="Press").click()

    assert page.title() == "pressed"
    assert_accessible(page)


def visit(chromium: "Browser", site: str, script: str) -> None:
    from tests.support.browser import watched_page

    with watched_page(chromium) as page:
        page.goto(site)
        page.evaluate(script)
        page.wait_for_timeout(50)


@pytest.mark.browser
def test_a_request_beyond_loopback_fails_the_test(chromium: "Browser", site: str) -> None:
    with pytest.raises(AssertionError, match=r"beyond loopback.*elsewhere\.test"):
        visit(chromium, site, "fetch('https://elsewhere.test/').catch(() => null)")


@pytest.mark.browser
def test_an_uncaught_error_of_a_page_fails_the_test(chromium: "Browser", site: str) -> None:
    with pytest.raises(AssertionError, match="out of fuel"):
        visit(chromium, site, "setTimeout(() => { throw new Error('out of fuel') })")
