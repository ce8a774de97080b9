"""What a server does beside its requests: tells when a model in use was not looked at again in time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from taxiway.gates.reviews.service import Reviews
from taxiway.kernel.errors import TaxiwayError

EVERY_S = 300.0
log = logging.getLogger("taxiway.reviews")


class Reminders:
    """A thread that looks for reviews that came due, until the server stops."""

    def __init__(self, reviews: Reviews, every_s: float = EVERY_S, also: Callable[[], object] = lambda: None) -> None:
        """also: what else is looked at in each round, such as waivers that ran out."""
        self.reviews = reviews
        self.also = also
        self.every_s = every_s
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._go, name="taxiway-reminders", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.is_stopping.set()
        if self.thread.is_alive():
            self.thread.join(20)

    def _go(self) -> None:
        wait_s = 1.0  # what a server does at its start goes first
        while not self.is_stopping.wait(wait_s):
            self.round()
            wait_s = self.every_s

    def round(self) -> None:
        try:
            for entry in self.reviews.remind():
                log.warning("%s v%d was due for review on %s", entry.model, entry.version, entry.due_at.date())
            self.also()
        except TaxiwayError as refusal:
            log.error("Reviews: %s", refusal)  # noqa: TRY400  the refusal says it all
        except Exception:  # the worker loop: the next round tries again
            log.exception("Reviews could not be looked at")
