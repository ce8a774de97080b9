"""Bringing everything over: what is there already is asked first, so that going on costs as little as is missing."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from taxiway.compat.mlflow.moving.portions import Packing, Part
from taxiway.compat.mlflow.moving.source import Found, Source
from taxiway.imports.client import Imports
from taxiway.imports.contract import Counts, Import, Skipped, Taken

EXPERIMENTS_AT_ONCE = 200
MOST_SHOWN = 1_000

Tell = Callable[["Progress"], None]


class Progress(Struct):
    """How far it has come. of_runs: 0 while that is not known."""

    runs: int = 0
    of_runs: int = 0
    points: int = 0
    files: int = 0
    file_bytes: int = 0
    models: int = 0


class Report(Struct, frozen=True):
    """What is on both sides after an import, and what was not taken as it was."""

    source: str
    origin: str
    there: Counts
    here: Counts
    new_runs: int
    new_points: int
    copied_bytes: int
    duration_s: float
    rows_per_s: int
    infinities: int
    skipped: list[Skipped]
    left: list[str]


class Importing:
    """One source on its way to one server."""

    def __init__(self, source: Source, imports: Imports, opened: Import, tell: Tell) -> None:
        self.source = source
        self.imports = imports
        self.name = opened.source
        self.tell = tell
        self.progress = Progress()
        self.skipped: list[Skipped] = []
        self.new_runs = self.new_points = self.sent_rows = 0

    def pass_over(self, since_ms: int | None = None) -> bool:
        """Takes all that is new; whether there was anything."""
        before = (self.new_runs, self.new_points)
        experiments = self.source.experiments()
        for start in range(0, len(experiments), EXPERIMENTS_AT_ONCE):
            part = experiments[start : start + EXPERIMENTS_AT_ONCE]
            self._count(self.imports.take_experiments(self.name, part))
        for found in self.source.runs(since_ms):
            known = self.imports.stamps(self.name, "run", [run.id for run in found])
            self._take([run for run in found if known.get(run.id) != run.stamp])
            self.progress.runs += len(found)
            self.tell(self.progress)
        return before != (self.new_runs, self.new_points)

    def _take(self, runs: Sequence[Found]) -> None:
        packing = Packing()
        with_points = {run.id: run for run in runs}
        for id_, series in self.source.series(runs) if runs else ():
            for part in packing.add(with_points.pop(id_), series):
                self._send(part)
        for run in with_points.values():  # without a single point
            for part in packing.add(run, []):
                self._send(part)
        if packing.part.runs:
            self._send(packing.take())

    def _send(self, part: Part) -> None:
        taken = self.imports.take_runs(self.name, part.runs)
        self._count(taken)
        self.sent_rows += part.points + sum(1 + len(run.params) + len(run.tags) for run in part.runs)
        self.progress.points += part.points
        self.tell(self.progress)

    def _count(self, taken: Taken) -> None:
        self.new_runs += taken.new
        self.new_points += taken.points
        self.skipped += taken.skipped[: MOST_SHOWN - len(self.skipped)]


def source_name(origin: str) -> str:
    """What an import of this origin is called: always the same."""
    return f"mlflow-{hashlib.sha256(origin.encode()).hexdigest()[:12]}"


def newest(moments: Iterable[int]) -> int:
    return max(moments, default=int(time.time() * 1000))
