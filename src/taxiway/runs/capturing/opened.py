"""What this process has opened and read at one platform, whatever number of clients it uses for that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.settings import Settings

if TYPE_CHECKING:
    from taxiway.runs.active import ActiveRun, Version

log = logging.getLogger("taxiway")


class Opened:
    """count: how many runs were begun. is_attached: whether one of them is that of `taxiway run`."""

    def __init__(self) -> None:
        self.count = 0
        self.is_attached = False
        self.active: list[ActiveRun] = []
        self.read: list[Version] = []  # while no run was open

    def begin(self, run: ActiveRun) -> ActiveRun:
        """A run that is told of the data that was read before."""
        self.active = [*(one for one in self.active if one.ending is None), run]
        for version in self.read:
            note(run, version)
        return run

    def note_read(self, version: Version) -> None:
        """Notes data that was read through the SDK with the open runs; without one, with all that follow."""
        active = [run for run in self.active if run.ending is None]
        if not active and version not in self.read:
            self.read.append(version)
        for run in active:
            note(run, version)


def note(run: ActiveRun, version: Version) -> None:
    try:
        run.use(version)
    except TaxiwayError as e:  # the data was read all the same
        name = f"{version.project}/{version.name}@{version.version}"
        log.warning("run %s: that it read %s could not be noted: %s", run.id, name, e)


known: dict[tuple[str, str], Opened] = {}


def opened_at(settings: Settings) -> Opened:
    """What was opened at the platform, and for the run of `taxiway run`, that settings name."""
    return known.setdefault((settings.url or str(settings.home), settings.run or ""), Opened())
