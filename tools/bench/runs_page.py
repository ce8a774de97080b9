"""The table of runs over 100,000 of them in a browser: ``python -m tools.bench.runs_page``.

Prints the median time from asking for the page to its first row on the screen, for several addresses, in milliseconds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.browser import running_chromium, watched_page
from tests.support.live import running
from tools.bench.many_runs import fill

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUNS = 100_000
TIMES = 9
ADDRESSES = {
    "the newest": "/runs?metric=loss",
    "filter and order": "/runs?filter=metrics.accuracy+>+0.9+and+params.lr+=+'0.1'&order=-metrics.accuracy",
    "full text": '/runs?filter="calm+heron"',
}
# When the first row was painted, as the page's own clock has it.
FIRST_ROW = """() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"""


def first_row_ms(page: Page, url: str) -> float:
    begin = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.wait_for_selector("tr[data-run]")
    page.evaluate(FIRST_ROW)
    return (time.perf_counter() - begin) * 1000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "home", login=False) as live:
        live.client.projects.create("bench")
        fill(live.house.database, RUNS, project="bench")
        with running_chromium() as browser, watched_page(browser) as page:
            for name, address in ADDRESSES.items():
                taken = [first_row_ms(page, live.url + address) for _ in range(TIMES)]
                print(f"{name:20} p50 {statistics.median(taken):6.0f} ms, slowest {max(taken):6.0f} ms", flush=True)


if __name__ == "__main__":
    main()
