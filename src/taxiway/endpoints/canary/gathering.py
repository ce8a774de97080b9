"""Gathering what both versions of a canary said, until whole clusters of it have labels.

The comparisons that the gateway writes are kept for a while only, so those of a canary get a second name in
``HOME/canaries/ID``, which keeps their bytes until it ends. What is in memory is read anew after a restart; what
counted are in the database and never count again.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from taxiway.endpoints.canary.contract import Canary, Progress, Proxy, Totals
from taxiway.endpoints.canary.laws.blocks import SPANS, name_of, start_of
from taxiway.endpoints.canary.laws.losses import loss, number
from taxiway.endpoints.canary.laws.proxy import Hour, judge
from taxiway.endpoints.inferences.labelling import RowId
from taxiway.endpoints.rollout.comparisons import Compared, files
from taxiway.endpoints.rollout.judging import inputs_of

KEYED: Final = timedelta(days=1)  # how long after its first row a key's cluster takes rows
MOST_WAITING: Final = 500_000
Outputs = dict[str, Any]


class Both(NamedTuple):
    """A row that both answered; in an unpaired canary one of them."""

    champion: Outputs | None
    candidate: Outputs | None


class Cluster:
    """Rows that wait for their labels. until: from when on, by event time, no more belong to it."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        self.rows: dict[RowId, Both] = {}

    def put(self, row: RowId, champion: Outputs | None, candidate: Outputs | None) -> None:
        self.rows[row] = Both(champion, candidate)


class Gatherer:
    """What is gathered of one canary. counted: the names of the clusters that counted already."""

    def __init__(self, home: Path, canary: Canary, counted: Collection[str]) -> None:
        self.home, self.canary = home, canary
        self.folder = home / "canaries" / canary.id
        self.counted = set(counted)
        self.offsets: dict[Path, int] = {}
        self.clusters: dict[str, Cluster] = {}
        self.hours: dict[datetime, Hour] = {}
        self.newest: datetime | None = None
        self.decoder = msgspec.json.Decoder(Compared)
        self.waiting = 0
        self.pairs = self.unscored = self.failed = self.dropped = 0
        self.late = canary.progress.late
        self.is_first = True  # what is read anew after a restart was counted, or came late, before

    # --- reading ---

    def read(self) -> bool:
        """Takes what was compared since the last time; whether there was anything."""
        self.hold()
        found: list[Compared] = []
        for path in sorted(self.folder.glob("*/*.jsonl"), key=lambda path: path.name):
            found += self._fresh(path)
        mine = [each for each in found if self.is_mine(each)]
        names = self._names(mine)
        for each in mine:
            self.take(each, names.get((each.prediction_id, each.row)))
        self.is_first = False
        return bool(mine)

    def hold(self) -> None:
        """Gives the comparisons of both revisions a second name. Raises OSError where the disk has no room for one."""
        for revision in (self.canary.candidate, self.canary.champion):
            for path in files(self.home / "shadows" / self.canary.endpoint / str(revision)):
                held = self.folder / str(revision) / path.name
                if not held.exists():
                    held.parent.mkdir(parents=True, exist_ok=True)
                    os.link(path, held)

    def let_go(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fresh(self, path: Path) -> list[Compared]:
        """The whole lines past those that were read; a damaged one is passed over."""
        with path.open("rb") as file:
            file.seek(self.offsets.get(path, 0))
            text = file.read()
        end = text.rfind(b"\n") + 1
        self.offsets[path] = self.offsets.get(path, 0) + end
        found: list[Compared] = []
        for line in text[:end].splitlines():
            try:
                found.append(self.decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        return found

    def is_mine(self, each: Compared) -> bool:
        both = {self.canary.candidate, self.canary.champion}
        return {each.revision, each.shadow} == both and each.at >= self.canary.begun_at

    def _names(self, found: list[Compared]) -> Mapping[RowId, str]:
        """The key of each row, where keys are clusters; a row without one belongs to none."""
        if self.canary.cluster in SPANS or not found:
            return {}
        inputs = inputs_of(self.home, self.canary.endpoint, found)
        named = {row: given.get(self.canary.cluster) for row, given in inputs.items()}
        return {row: str(value) for row, value in named.items() if value is not None}

    # --- sorting into clusters ---

    def take(self, each: Compared, key: str | None) -> None:
        at = each.event_at or each.at
        self.pairs += 1
        self.newest = at if self.newest is None else max(self.newest, at)
        is_turned = each.revision == self.canary.candidate
        one: Outputs | None = each.outputs
        champion, candidate = (each.shadow_outputs, one) if is_turned else (one, each.shadow_outputs)
        self.measure(each, at, champion, candidate, is_turned=is_turned)
        if champion is None or candidate is None:
            self.failed += 1
            return
        name, until = self.cluster_of(at, key)
        if not name or self.is_begun_within(at):
            return
        if name in self.counted:
            self.late += not self.is_first
        elif self.waiting >= MOST_WAITING:
            self.dropped += 1
        else:
            cluster = self.clusters.setdefault(name, Cluster(until))
            if at < cluster.until:
                cluster.put((each.prediction_id, each.row), shortened(champion), shortened(candidate))
                self.waiting += 1

    def measure(
        self, each: Compared, at: datetime, champion: Outputs | None, candidate: Outputs | None, *, is_turned: bool
    ) -> None:
        """Adds the row to its hour, for the proxies."""
        hour = self.hours.setdefault(start_of(at, "hour"), Hour())
        hour.rows += 1
        hour.failures += (candidate is None) - (champion is None)
        if champion is None or candidate is None:
            return
        hour.both += 1
        hour.differing += not each.agrees
        one, other = number(champion.get("score")), number(candidate.get("score"))
        if one is not None and other is not None:
            hour.scored += 1
            hour.shift += other - one
        slower = math.log(max(each.shadow_latency_ms, 0.01) / max(each.latency_ms, 0.01))
        hour.slower += -slower if is_turned else slower

    def cluster_of(self, at: datetime, key: str | None) -> tuple[str, datetime]:
        """The name of a row's cluster and where it ends; an empty name for a row that belongs to none."""
        span = SPANS.get(self.canary.cluster)
        if span is None:
            return key or "", at + KEYED
        start = start_of(at, self.canary.cluster)
        return name_of(start, self.canary.cluster), start + span

    def is_begun_within(self, at: datetime) -> bool:
        """Whether a row's cluster of time is the one that the canary began in, which is therefore not whole."""
        unit = self.canary.cluster
        return unit in SPANS and start_of(at, unit) == start_of(self.canary.begun_at, unit)

    # --- counting ---

    def whole(self, labels: Mapping[RowId, object]) -> list[Totals]:
        """The clusters that have ended and have labels enough, in the order of their ends. They count from now on."""
        ended = [name for name, each in self.clusters.items() if self.newest is not None and each.until <= self.newest]
        found: list[Totals] = []
        for name in sorted(ended, key=lambda name: (self.clusters[name].until, name)):
            rows = self.clusters[name].rows
            known = [(both, labels[row]) for row, both in rows.items() if row in labels]
            if len(known) < max(self.canary.labelled * len(rows), 1):
                continue
            totals = self.totals(name, known)
            self.waiting -= len(self.clusters.pop(name).rows)
            self.counted.add(name)
            if totals.rows:
                found.append(totals)
        return found

    def totals(self, name: str, known: list[tuple[Both, object]]) -> Totals:
        metric = self.canary.metric
        losses = [(loss(metric, both.champion, label), loss(metric, both.candidate, label)) for both, label in known]
        scored = [(one, other) for one, other in losses if one is not None and other is not None]
        self.unscored += len(losses) - len(scored)
        champion, candidate = math.fsum(one for one, _ in scored), math.fsum(other for _, other in scored)
        return Totals(name, len(scored), math.fsum(other - one for one, other in scored), champion, candidate)

    def proxies(self) -> Proxy | None:
        """What stands in for labels says so far; None before there are hours enough."""
        return judge(self.canary.limits, [self.hours[at] for at in self.ended(self.hours)])

    def ended(self, hours: Collection[datetime]) -> list[datetime]:
        """Whole hours in order, without the one in which the canary began."""
        begun, newest = start_of(self.canary.begun_at, "hour"), self.newest
        return [at for at in sorted(hours) if newest and at + SPANS["hour"] <= newest and at != begun]

    def progress(self, labels: Mapping[RowId, object]) -> Progress:
        labelled = sum(row in labels for each in self.clusters.values() for row in each.rows)
        opened = len(self.clusters)
        return Progress(self.pairs, self.waiting, labelled, opened, self.late, self.unscored, self.failed, self.dropped)


def shortened(outputs: Outputs) -> Outputs:
    """What losses are made of."""
    return {name: outputs[name] for name in ("prediction", "score") if name in outputs}
