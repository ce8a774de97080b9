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

EVERY_S = 10.0
MOST_WAITS = 6  # rounds that an endpoint may keep changing before it is measured all the same
State = tuple[int, int]
log = logging.getLogger("taxiway.monitors")


class Watch:
    """A thread that goes round the monitors until the server stops."""

    def __init__(
        self, monitors: Monitors, every_s: float = EVERY_S, *, is_on_duty: Callable[[], bool] = lambda: True
    ) -> None:
        self.monitors = monitors
        self.is_on_duty = is_on_duty  # or another server on the same database measures them
        self.every_s = every_s
        self.measured: dict[str, State] = {}
        self.waiting: dict[str, tuple[State, int]] = {}
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
            if self.is_on_duty():
                attempt("the monitors", self.round)

    def round(self) -> None:
        """Evaluates each monitor whose endpoint's log or labels have grown, once they stand still for a round.

        Half of a month's labels would be judged as if they were all; so a delivery is let come to its end.
        """
        for monitor in self.monitors.all():
            if self.is_stopping.is_set():
                return
            attempt(monitor.ref, partial(self._look, monitor))

    def _look(self, monitor: Monitor) -> None:
        state = self.monitors.watched.state(monitor.endpoint)
        if self.measured.get(monitor.name) == state:
            return
        before, waits = self.waiting.get(monitor.name, (None, 0))
        if before != state and waits < MOST_WAITS:
            self.waiting[monitor.name] = (state, waits + 1)
            return
        done = self.monitors.evaluate(SYSTEM, monitor=monitor.name)
        self.measured[monitor.name] = state
        self.waiting.pop(monitor.name, None)
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
