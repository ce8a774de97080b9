"""Lines of the table: what both servers did, their ratio, and what it must be."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

from tools.bench.figure import written
from tools.tracking.servers import Serving

Line = tuple[str, ...]
Measure = Callable[[Serving], float]


@dataclass
class Row:
    """A kind of work. at_least: how many times as much as MLflow ours must do."""

    name: str
    unit: str
    at_least: float
    theirs: Measure
    ours: Measure
    measured: list[tuple[float, float]] = field(default_factory=list)

    def measure(self, mlflow: Serving, taxiway: Serving) -> None:
        self.measured.append((self.theirs(mlflow), self.ours(taxiway)))

    @property
    def ratio(self) -> float:
        return statistics.median(ours / theirs for theirs, ours in self.measured)

    def cells(self) -> Line:
        theirs, ours = (statistics.median(column) for column in zip(*self.measured, strict=True))
        units = f" {self.unit}"
        found = (f"{written(theirs)}{units}", f"{written(ours)}{units}", f"**{written(self.ratio)}×**")
        return self.name, *found, verdict(f"≥ {self.at_least:g}×", is_kept=self.ratio >= self.at_least)


def verdict(must: str, *, is_kept: bool) -> str:
    return must if is_kept else f"{must}: missed"
