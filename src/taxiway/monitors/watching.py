"""What a server does beside its requests: measures the monitors whose endpoints have new records or labels."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import TaxiwayError
from taxiway.monitors.contract import Monitor
from taxiway.monitors.service import Monitors

EVERY_S = 20.0
log = logging.getLogger("taxiway.monitors")


class Watch:
    """A thread that goes round the monitors until the server stops."""

    def __init__(self, monitors: Monitors, every_s: float = EVERY_S) -> None:
        self.monitors = monitors
        self.every_s = every_s
        self.known: dict[str, tuple[int, int]] = {}
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._go, name="taxiway-watch", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Ends after the monitor under way."""
        self.is_stopping.set()
        if self.thread.is_alive():
            self.thread.join(20)

    def _go(self) -> None:
        while not self.is_stopping.wait(self.every_s):
            attempt("the monitors", self.round)

    def round(self) -> None:
        """Evaluates each monitor whose endpoint's log or labels have grown since the last round."""
        for monitor in self.monitors.all():
            if self.is_stopping.is_set():
                return
            attempt(monitor.ref, partial(self._look, monitor))

    def _look(self, monitor: Monitor) -> None:
        state = self.monitors.watched.state(monitor.endpoint)
        if self.known.get(monitor.name) == state:
            return
        done = self.monitors.evaluate(SYSTEM, monitor=monitor.name)
        self.known[monitor.name] = state
        for alert in done.opened:
            log.warning("%s: %s %s", alert.window_name, alert.sentence, alert.url)


def attempt(what: str, act: Callable[[], None]) -> None:
    """Does something of a round, and goes on whatever it meets: the next round tries again."""
    try:
        act()
    except TaxiwayError as refusal:
        log.error("%s: %s", what, refusal)  # noqa: TRY400  the refusal says it all
    except Exception:  # the worker loop
        log.exception("%s could not be evaluated", what)
