"""Take the pictures of docs/images/ from the demo: `python -m tools.screenshots`.

The demo is told in a new home, its server is started, and the validator looks at it with a window of 1280 pixels.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from taxiway.client import connect
from tests.support.browser import running_chromium
from tools.bench.serving import TAXIWAY, free_port, running_server

IMAGES = Path(__file__).parents[1] / "docs" / "images"
LARGEST_BYTES = 250_000
WIDTH = 1280
VIEWER = "vera"
# Name, address, and the height that shows what the picture is about.
PICTURES = (
    ("model", "/models/mortgage/versions/1", 1010),
    ("compare", "/models/mortgage/compare?version=1&version=2", 1110),
    ("monitor", "/monitors/flights", 830),
)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        subprocess.run(
            [TAXIWAY, "demo", "--home", home, "--port", str(free_port()), "--exit"],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        with running_server(home, "--login") as running, connect(home=home) as client, running_chromium() as browser:
            sizes = take(browser, running.url, running.url + client.access.make_link(VIEWER).path)
    for name, size_bytes in sizes.items():
        print(f"docs/images/{name}.png  {size_bytes // 1000} kB")
    return 1 if max(sizes.values()) > LARGEST_BYTES else 0


def take(browser: Browser, url: str, link: str) -> dict[str, int]:
    """Every picture, in the light theme; their sizes in bytes by name."""
    IMAGES.mkdir(exist_ok=True)
    context = browser.new_context(color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    sizes = {}
    for name, path, height in PICTURES:
        page.set_viewport_size({"width": WIDTH, "height": height})
        page.goto(url + path)
        sizes[name] = len(page.screenshot(path=IMAGES / f"{name}.png"))
    context.close()
    return sizes


if __name__ == "__main__":
    sys.exit(main())
