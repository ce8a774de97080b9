"""Gathering what each version of an unpaired canary said to those it answered: their records in the inference log."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from taxiway.endpoints.canary.contract import Canary, Proxy, Totals
from taxiway.endpoints.canary.gathering import MOST_WAITING, Cluster, Gatherer, Outputs, shortened
from taxiway.endpoints.canary.laws.blocks import start_of
from taxiway.endpoints.canary.laws.losses import loss, number
from taxiway.endpoints.canary.laws.proxy import Arm, Divided, judge_divided
from taxiway.endpoints.inferences.labelling import RowId
from taxiway.endpoints.inferences.log import LONGEST_REQUEST
from taxiway.endpoints.inferences.query.asking import Question, Reading
from taxiway.kernel.clock import now

PATIENCE_S = 30.0


class DividedGatherer(Gatherer):
    """As `Gatherer`, where each row was scored by one of the two: there is the other's side of it nowhere."""

    def __init__(self, home: Path, canary: Canary, counted: Collection[str]) -> None:
        super().__init__(home, canary, counted)
        self.back_to = canary.begun_at
        self.known: dict[RowId, datetime] = {}  # what was taken lately, since the log is read from a while before
        self.arms: dict[datetime, Divided] = {}

    # --- reading ---

    def read(self) -> bool:
        """Takes what was recorded since the last time; whether there was anything."""
        fresh = [each for each in self._records() if (each["prediction_id"], each["row"]) not in self.known]
        for each in fresh:
            self.known[(each["prediction_id"], each["row"])] = each["at"]
            self.take_record(each)
        self.is_first = False
        if fresh:
            self.back_to = max(self.back_to, max(each["at"] for each in fresh) - LONGEST_REQUEST)
            self.known = {row: at for row, at in self.known.items() if at >= self.back_to}
        return bool(fresh)

    def _records(self) -> Iterator[dict[str, Any]]:
        """What both revisions answered, or failed to, since the canary began and lately."""
        both = {self.canary.candidate, self.canary.champion}
        question = Question(self.canary.endpoint, now(), since=self.back_to, deadline_s=PATIENCE_S)
        columns = ["prediction_id", "row", "at", "event_at", "revision", "outputs", "latency_ms", "shadow"]
        for table in Reading(self.home, question).tables():
            for each in table.select(columns).to_pylist():
                if each["revision"] in both and not each["shadow"]:
                    yield each

    # --- sorting into clusters ---

    def take_record(self, each: Mapping[str, Any]) -> None:
        at: datetime = each["event_at"] or each["at"]
        self.pairs += 1
        self.newest = at if self.newest is None else max(self.newest, at)
        is_candidate = each["revision"] == self.canary.candidate
        outputs: Outputs | None = None if each["outputs"] is None else msgspec.json.decode(each["outputs"])
        self.count(at, outputs, each["latency_ms"], is_candidate=is_candidate)
        if outputs is None:
            self.failed += 1
            return
        name, until = self.cluster_of(at, None)
        if self.is_begun_within(at):
            return
        if name in self.counted:
            self.late += not self.is_first
        elif self.waiting >= MOST_WAITING:
            self.dropped += 1
        else:
            row = (each["prediction_id"], each["row"])
            said = shortened(outputs)
            self.clusters.setdefault(name, Cluster(until)).put(row, *((None, said) if is_candidate else (said, None)))
            self.waiting += 1

    def count(self, at: datetime, outputs: Outputs | None, latency_ms: float, *, is_candidate: bool) -> None:
        """Adds the row to its hour, for the proxies."""
        hour = self.arms.setdefault(start_of(at, "hour"), Divided(Arm(), Arm()))
        arm = hour.candidate if is_candidate else hour.champion
        arm.rows += 1
        arm.failures += outputs is None
        if outputs is None:
            return
        arm.answered += 1
        arm.slowness += math.log(max(latency_ms, 0.01))
        score = number(outputs.get("score"))
        if score is not None:
            arm.scored += 1
            arm.score += score

    # --- counting ---

    def totals(self, name: str, known: list[tuple[Any, object]]) -> Totals:
        """A block's losses, each of the version that answered; without rows where one of the two answered none."""
        metric, sums, rows = self.canary.metric, [0.0, 0.0], [0, 0]
        for both, label in known:
            is_candidate = both.champion is None
            found = loss(metric, both.candidate if is_candidate else both.champion, label)
            if found is None:
                self.unscored += 1
                continue
            sums[is_candidate] += found
            rows[is_candidate] += 1
        if not all(rows):
            return Totals(name, 0, 0.0)
        return Totals(name, sum(rows), 0.0, sums[0], sums[1], rows[1])

    def proxies(self) -> Proxy | None:
        return judge_divided(self.canary.limits, [self.arms[at] for at in self.ended(self.arms)])
