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
        spread = f"{written(self.low)} to {written(self.high)}"
        return (
            self.name,
            f"{written(self.median)} {self.unit}",
            spread,
            str(self.runs),
            promise if is_kept else f"**{promise}: missed**",
        )


def figure(name: str, unit: str, most: float | None, measured: list[float]) -> Figure:
    return Figure(name, unit, most, statistics.median(measured), min(measured), max(measured), len(measured))


def written(value: float) -> str:
    """Three significant digits, and whole numbers where there are more before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
