"""What a server does beside its requests: makes the deliveries that are due, each hook's in a lane of its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from taxiway.hooks.service import Hooks
from taxiway.kernel.errors import TaxiwayError

EVERY_S = 0.5
STOP_S = 2.0  # what a receiver has not taken by then it gets again from the next server, under the same id
log = logging.getLogger("taxiway.hooks")


class Couriers:
    """A thread that looks for what is due, and one for each hook that has some: none waits for another's receiver."""

    def __init__(self, hooks: Hooks, every_s: float = EVERY_S) -> None:
        self.hooks = hooks
        self.every_s = every_s
        self.lanes: dict[str, threading.Thread] = {}
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._go, name="taxiway-couriers", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        """Ends after the attempts under way, or soon; what is still waiting goes out when a server runs again."""
        self.is_stopping.set()
        until = time.monotonic() + STOP_S
        for thread in (self.thread, *self.lanes.values()):
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _go(self) -> None:
        self._try(self.hooks.start)
        while not self.is_stopping.is_set():
            self._try(self.round)
            self.is_stopping.wait(self.every_s)

    def round(self) -> None:
        """Sends a courier to every hook that something is due for and that none is on the way to."""
        self.lanes = {hook: lane for hook, lane in self.lanes.items() if lane.is_alive()}
        for hook in self.hooks.due():
            if hook not in self.lanes and not self.is_stopping.is_set():
                lane = threading.Thread(target=self._try, args=(self._carry, hook), name="taxiway-courier", daemon=True)
                self.lanes[hook] = lane
                lane.start()

    def _carry(self, hook: str) -> None:
        """Makes one delivery after the other until none is due."""
        while not self.is_stopping.is_set() and (claimed := self.hooks.claim(hook)):
            outcome = self.hooks.send(claimed)
            if self.hooks.settle(claimed, outcome):
                name = claimed.kept.hook.name
                log.warning("Hook %s: %s %s was given up: %s", name, claimed.event, claimed.id, outcome.error)

    def _try(self, act: Callable[..., object], *given: str) -> None:
        try:
            act(*given)
        except TaxiwayError as refusal:
            if not self.is_stopping.is_set():
                log.error("Deliveries: %s", refusal)  # noqa: TRY400  the refusal says it all
        except Exception:  # the worker loop: what was claimed is due again later
            log.exception("Deliveries failed")
