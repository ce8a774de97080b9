"""An endpoint with two revisions, and why one of them fell."""

from __future__ import annotations

from pathlib import Path

from taxiway.endpoints.rollout.guard import Cause
from tests.endpoints.story import Stage
from tests.support.live import Live

CAUSE = Cause("errors", "it gives no answer", 54, 60, 10, 75.8, 5.0)


class Pair(Stage):
    """Revisions 1 and 2 of the endpoint `mortgage`, with versions 1 and 2; 2 answers."""

    def __init__(self, live: Live, folder: Path) -> None:
        super().__init__(live, folder)
        for name in ("mortgage@1", "mortgage@2"):
            self.promoted()
            self.deployed(name)
