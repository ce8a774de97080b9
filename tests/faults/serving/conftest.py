"""What the faults of serving share: a gateway with two workers, and a place for the figures that they find."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.endpoints.conftest import Site, is_running, until

Tell = Callable[..., None]


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Tell:
    """Prints a fault's figures, and keeps them for `tools.reliability` where that asks for them."""

    def say(fault: str, bar: str, **figures: Any) -> None:
        line = {"fault": fault, "bar": bar, "figures": figures, "test": request.node.name}
        print(msgspec.json.encode(line).decode())
        if kept := os.environ.get("TAXIWAY_FIGURES"):
            with Path(kept).open("ab") as file:
                file.write(msgspec.json.encode(line) + b"\n")

    return say


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Site]:
    """A gateway whose endpoint `adder` has two workers."""
    site = Site(tmp_path / "home")
    site.deploy("1", workers=2)
    site.start()
    try:
        site.until_live()
        until(lambda: len(site.revision().pids) == 2)
        yield site
    finally:
        last = site.address.pid
        site.stop()
        if is_running(last):  # another gateway followed the one that was started
            os.kill(last, 15)
            until(lambda: not is_running(last))


def quantile_ms(took_s: list[float], share: float) -> float:
    ordered = sorted(took_s)
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)
