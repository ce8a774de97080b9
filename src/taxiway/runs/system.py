"""What the machine does while a run runs: sampled beside it, by whatever meters are installed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import Protocol

log = logging.getLogger("taxiway")

GROUP = "taxiway.meters"
SYSTEM = "system/"  # how the names of these metrics begin


class Meter(Protocol):
    """Reads some of the machine's figures. Made once for a run, so that it can tell rates."""

    def read(self) -> Mapping[str, float]:
        """Figures by name, such as ``cpu_percent``. Rates are over the time since the last reading."""
        ...


def meters() -> list[Meter]:
    """A meter of each kind that is installed and has something to read here."""
    found: list[Meter] = []
    for entry in entry_points(group=GROUP):
        try:
            meter = entry.load()()
        except Exception as e:  # noqa: BLE001 - a plug-in call: a machine without this is not told each time
            log.debug("no %s metrics: %r", entry.name, e)
            continue
        found.append(meter)
    return found


class Watching:
    """Samples the machine from a thread of its own until it is stopped; a failure costs the meter, never the run.

    put: takes a moment in microseconds and rows of key, step and value. The first sample comes after one interval.
    """

    def __init__(self, put: Callable[[int, list[tuple[str, int, float]]], None], interval_s: float) -> None:
        self.put = put
        self.interval_s = interval_s
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch, name="taxiway-system", daemon=True)
        if interval_s > 0:
            self.thread.start()

    def stop(self) -> None:
        self.ended.set()
        if self.thread.is_alive():
            self.thread.join(self.interval_s)

    def _watch(self) -> None:
        used = meters()
        step = 0
        while used and not self.ended.wait(self.interval_s):
            rows: list[tuple[str, int, float]] = []
            for meter in list(used):
                try:
                    rows += [(SYSTEM + name, step, float(value)) for name, value in meter.read().items()]
                except Exception as e:  # noqa: BLE001 - a plug-in call
                    log.info("a meter of system metrics is given up: %r", e)
                    used.remove(meter)
            if rows:
                self.put(time.time_ns() // 1000, rows)
            step += 1
