"""Looking after canaries: gathering what both versions said, looking at each new whole cluster, doing what it shows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from taxiway.endpoints.canary import store
from taxiway.endpoints.canary.contract import Canary, Totals, Verdict
from taxiway.endpoints.canary.dividing import DividedGatherer
from taxiway.endpoints.canary.gathering import Gatherer
from taxiway.endpoints.canary.laws.blocks import SPANS
from taxiway.endpoints.canary.laws.looking import looks
from taxiway.endpoints.canary.laws.verdict import ask_of, judge, judge_latest
from taxiway.endpoints.canary.service import Canaries
from taxiway.endpoints.contract import LabelValue
from taxiway.endpoints.inferences.labelling import Labels, RowId
from taxiway.endpoints.service import Endpoints
from taxiway.kernel.errors import TaxiwayError
from taxiway.storage.writes import Change

# Labels that arrive together count together: one waits until none came for a while, and no longer than the other while.
# Both, a round and what the gateway takes to follow lie within the 10 s that a bad version may go on answering.
STILL_S = 2.0
LONGEST_WAIT_S = 5.0
log = logging.getLogger("taxiway.endpoints")


class Known:
    """The labels of an endpoint since a canary began; each round asks for the new ones alone."""

    def __init__(self, labels: Labels, canary: Canary) -> None:
        self.labels, self.endpoint = labels, canary.endpoint
        self.since: datetime = canary.begun_at
        self.found: dict[RowId, LabelValue] = {}

    def read(self) -> bool:
        """Whether any are new."""
        before = len(self.found)
        for each in self.labels.of(self.endpoint, self.since):
            self.found[(each.prediction_id, each.row)] = each.label
            self.since = max(self.since, each.recorded_at)
        return len(self.found) > before


class Trial:
    """One canary as the server sees it, from round to round."""

    def __init__(self, endpoints: Endpoints, canary: Canary, counted: list[Totals], clock: Callable[[], float]) -> None:
        kind = Gatherer if canary.paired else DividedGatherer
        self.gatherer = kind(endpoints.home, canary, [each.name for each in counted])
        self.known = Known(Labels(endpoints), canary)
        self.began_s = self.last_s = 0.0  # of a delivery of labels; 0 where none is under way
        self.clock = clock

    def grown(self) -> list[Totals]:
        """The clusters that became whole. While labels keep coming, a delivery is let come to its end."""
        self.gatherer.read()
        now_s = self.clock()
        if self.known.read():
            self.began_s, self.last_s = self.began_s or now_s, now_s
        if self.began_s and now_s - self.last_s < STILL_S and now_s - self.began_s < LONGEST_WAIT_S:
            return []
        self.began_s = 0.0
        return self.gatherer.whole(self.known.found)


class Attendant:
    """Goes round the canaries. All that it decides by is in the database or read anew, so it may be killed anywhere."""

    def __init__(self, endpoints: Endpoints, clock: Callable[[], float] = time.monotonic) -> None:
        self.endpoints = endpoints
        self.clock = clock
        self.canaries = Canaries(endpoints)
        self.trials: dict[str, Trial] = {}

    def round(self) -> None:
        with self.endpoints.database.read() as connection:
            running = store.running(connection)
        for gone in self.trials.keys() - {each.id for each in running}:
            self.trials.pop(gone).gatherer.let_go()
        for canary in running:
            try:
                self.attend(canary)
            except TaxiwayError as refusal:
                log.error("The canary of %s: %s", canary.endpoint, refusal)  # noqa: TRY400  the refusal says it all

    def attend(self, canary: Canary) -> None:
        """Counts what became whole, looks, and does what the look says."""
        with self.endpoints.database.read() as connection:
            counted, seen = store.clusters_of(connection, canary.id), store.looks_of(connection, canary.id)
        if self.is_lost(canary, counted, seen):
            return
        trial = self.trials.get(canary.id)
        if trial is None:
            trial = self.trials[canary.id] = Trial(self.endpoints, canary, counted, self.clock)
        fresh = trial.grown()
        clusters = [*counted, *fresh]
        new = self.new_looks(canary, clusters, seen)
        found = None if seen or new else trial.gatherer.proxies()
        verdict = judge_latest(ask_of(canary), clusters, [*seen, *new])
        progress = trial.gatherer.progress(trial.known.found)
        changed = replace(canary, progress=progress, proxy=found or canary.proxy, said=verdict.sentence)
        if fresh or new or changed != canary:
            self.endpoints.ledger.writer.write(lambda change: keep(change, changed, fresh, len(counted), new))
        if verdict.decision == "promote":
            self.promote(changed, verdict)
        elif verdict.decision == "roll back":
            self.canaries.roll_back(changed, verdict, verdict.sentence)
        elif found is not None and found.broken:
            self.canaries.roll_back(changed, verdict, f"{found.sentence} Labels were not there yet.")

    def new_looks(self, canary: Canary, clusters: list[Totals], seen: list[Verdict]) -> list[Verdict]:
        """The looks past those there were, each at the clusters that it would have seen, up to one that decides."""
        found: list[Verdict] = []
        before = seen[-1] if seen else None
        for at in looks(canary.min_clusters, len(clusters)):
            if before is not None and (at <= before.clusters or before.decision != "not enough yet"):
                continue
            before = judge(ask_of(canary), in_order(canary, clusters[:at]))
            found.append(before)
        return found

    def promote(self, canary: Canary, verdict: Verdict) -> None:
        """Opens the door, or keeps why it stays shut, which the next round tries again."""
        try:
            self.canaries.promote(canary, verdict)
        except TaxiwayError as refusal:
            if str(refusal) != canary.blocked:
                self.canaries.block(canary, str(refusal))

    def is_lost(self, canary: Canary, counted: list[Totals], seen: list[Verdict]) -> bool:
        """Whether the candidate, or what it is held against, answers no more; that is entered then."""
        kept = self.endpoints.kept(canary.endpoint)
        split = kept.rollout.split.revisions
        if {canary.candidate, canary.champion} <= set(split):
            return False
        revision = next(each for each in self.endpoints.revisions(canary.endpoint) if each.number == canary.candidate)
        verdict = judge_latest(ask_of(canary), counted, seen)
        if canary.candidate not in split and revision.reason:
            self.canaries.lost(canary, f"Revision {canary.candidate} {revision.reason}", verdict)
        else:
            self.canaries.lost(canary, "Somebody divided the traffic anew, without both of its versions.", None)
        return True


def in_order(canary: Canary, clusters: list[Totals]) -> list[Totals]:
    """Clusters of time in the order of time, in which neighbours are alike."""
    return sorted(clusters, key=lambda each: each.name) if canary.cluster in SPANS else clusters


def keep(change: Change, canary: Canary, fresh: list[Totals], before: int, new: list[Verdict]) -> None:
    """Keeps what became whole and every look, in one; no change of anybody's, so it leaves no audit entry."""
    store.add_clusters(change.connection, canary.id, fresh, before)
    for verdict in new:
        store.add_look(change.connection, canary.id, verdict, change.at)
    store.keep(change.connection, canary)
