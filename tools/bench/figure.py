"""A figure: what was measured, over how many runs, and the most that it may be."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """What was measured over `runs` runs, and the most that it may be, where that is promised."""

    name: str
    unit: str
    most: float | None
    median: float
    low: float
    high: float
    runs: int

    def cells(self) -> tuple[str, ...]:
        is_kept = self.most is None or self.median <= self.most
        promise = f"≤ {self.most:g} {self.unit}" if self.most is not None else ""
        spread = f"{self.low:.3g} to {self.high:.3g}"
        return (
            self.name,
            f"{self.median:.3g} {self.unit}",
            spread,
            str(self.runs),
            promise if is_kept else f"**{promise}: missed**",
        )


def figure(name: str, unit: str, most: float | None, measured: list[float]) -> Figure:
    return Figure(name, unit, most, statistics.median(measured), min(measured), max(measured), len(measured))
