"""A headless Chromium for the tests: what starts it, what watches it, and what judges its pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FLAGS = (
    "--no-sandbox",  # tests may run as root, where Chromium's own sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@dataclass
class Watch:
    """What went wrong in a browser context without the page showing it."""

    strangers: list[str] = field(default_factory=list)  # addresses beyond loopback that were asked for
    faults: list[str] = field(default_factory=list)  # uncaught errors, and what the content policy refused

    def follow(self, context: BrowserContext) -> None:
        context.on("request", self._note_request)
        context.on("console", self._note_message)
        context.on("weberror", lambda raised: self.faults.append(str(raised.error)))

    def assert_clean(self) -> None:
        assert not self.strangers, f"a page asked for addresses beyond loopback: {self.strangers}"
        assert not self.faults, f"a page's script failed: {self.faults}"

    def _note_request(self, request: Request) -> None:
        if not is_loopback(request.url):
            self.strangers.append(request.url)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.faults.append(message.text)


def is_loopback(url: str) -> bool:
    """Whether fetching this address stays on the machine; inline ones (`data:`, `blob:`) do."""
    parts = urlsplit(url)
    return parts.scheme in {"about", "blob", "data"} or parts.hostname in LOOPBACK


@contextmanager
def running_chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed_chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def installed_chromium() -> str:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError("no Chromium on this machine: run `make chromium`, or leave out `-m browser`")
    return found


@contextmanager
def watched_page(browser: Browser, *, width: int = 1280, height: int = 800, dark: bool = False) -> Iterator[Page]:
    """A page in a fresh context; leaving it asserts that nothing was asked for beyond loopback or failed."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
        locale="en-GB",
        timezone_id="UTC",
    )
    context.set_default_timeout(10_000)
    watch = Watch()
    watch.follow(context)
    try:
        yield context.new_page()
    finally:
        context.close()
    watch.assert_clean()


def assert_accessible(page: Page) -> None:
    """The page as it stands breaks no rule that axe knows of WCAG 2.2 A and AA or of good practice."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
