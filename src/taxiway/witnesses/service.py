"""Giving each new head of the log to every witness, and holding what a witness kept against the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from taxiway.audit.contract import TreeHead, Witness
from taxiway.audit.service import Audit
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import NotFound, TaxiwayError
from taxiway.witnesses.places import Place, WitnessUnusable

EVERY_S = 5.0
STOP_S = 3.0
log = logging.getLogger("taxiway.witnesses")


class Witnesses:
    """The witnesses of a platform: what each kept last, and what stands between it and the log, if anything does."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self.audit = audit
        self.clock = clock
        self.places: Sequence[Place] = ()
        self.found: dict[str, Witness] = {}

    def call(self, places: Sequence[Place]) -> None:
        """From now on these are given every new head."""
        self.places = places
        self.found = {place.url: Witness(place.url) for place in places}

    def list(self) -> Page[Witness]:
        return Page([self.found[place.url] for place in self.places])

    def round(self) -> None:
        """Gives the newest head to each place that has not kept it. One that fails is tried at the next round."""
        try:
            head = self.audit.head()
        except NotFound:  # nothing was changed yet
            head = None
        for place in self.places:
            before = self.found[place.url]
            try:
                after = self._give(place, before, head)
            except WitnessUnusable as e:
                after = Witness(place.url, before.size, before.kept_at, str(e))
            if after.problem and after.problem != before.problem:
                log.error("Witness %s: %s", place.url, after.problem)
            self.found[place.url] = after

    def _give(self, place: Place, before: Witness, head: TreeHead | None) -> Witness:
        """What a place is like once it has kept the head. Raises WitnessUnusable."""
        kept = place.newest()
        if kept is not None and (problem := self._against(kept, head)):
            return Witness(place.url, kept.size, kept.at, problem)
        size = kept.size if kept else before.size
        if head is None or size == head.size:
            return Witness(place.url, size, kept.at if kept else before.kept_at)
        place.keep(head)
        return Witness(place.url, head.size, self.clock())

    def _against(self, kept: TreeHead, head: TreeHead | None) -> str:
        """What a witness says against the log; empty where the log has grown from what it kept."""
        size = head.size if head else 0
        if kept.size > size:
            return f"it keeps a head of {kept.size} entries, and the log has {size}: entries were cut off"
        if self.audit.root(kept.size).hex() != kept.root:
            return f"the head of {kept.size} entries that it keeps is not the log's: the past was changed"
        return ""


class Keeping:
    """A thread that gives new heads away while a server runs, and once more when it ends."""

    def __init__(self, witnesses: Witnesses, every_s: float = EVERY_S) -> None:
        self.witnesses = witnesses
        self.every_s = every_s
        self.is_stopping = threading.Event()
        self.thread = threading.Thread(target=self._go, name="taxiway-witnesses", daemon=True)

    def start(self) -> None:
        if self.witnesses.places:
            self.thread.start()

    def stop(self) -> None:
        self.is_stopping.set()
        if self.thread.is_alive():
            self.thread.join(STOP_S)

    def _go(self) -> None:
        is_last = False
        while not is_last:
            is_last = self.is_stopping.is_set()
            try:
                self.witnesses.round()
            except TaxiwayError as refusal:
                log.error("Witnesses: %s", refusal)  # noqa: TRY400  the refusal says it all
            except Exception:  # the worker loop: the next round tries again
                log.exception("Witnesses failed")
            if not is_last:
                self.is_stopping.wait(self.every_s)
