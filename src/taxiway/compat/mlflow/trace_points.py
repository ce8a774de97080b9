"""Figures of many rows put together: one point for each way in which rows are told apart. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

import numpy as np
from msgspec import Struct

from taxiway.traces.measured import Row

COUNT = "COUNT"
KINDS: dict[str, Callable[[Sequence[float]], float]] = {"SUM": math.fsum, "AVG": fmean, "MIN": min, "MAX": max}


class Point(Struct, frozen=True, omit_defaults=True):
    metric_name: str
    dimensions: dict[str, str]
    values: dict[str, float]


class Aggregation(Struct, frozen=True):
    """act: None counts, or, with a percentile, interpolates."""

    name: str
    act: Callable[[Sequence[float]], float] | None
    percentile: float | None = None

    def of(self, values: Sequence[float]) -> float:
        if self.percentile is not None:
            return float(np.percentile(values, self.percentile))
        return self.act(values) if self.act is not None else len(values)


def points(
    rows: Iterable[Row],
    *,
    metric: str,
    figure: str,
    aggregations: Sequence[Aggregation],
    keys: Callable[[Row], dict[str, str] | None],
    is_whole: bool,
) -> list[Point]:
    """By their keys. Rows without the figure, or without what they would be told apart by, do not count.

    is_whole: nothing is told apart.
    """
    groups: dict[tuple[str, ...], tuple[dict[str, str], list[float]]] = {}
    seen: set[tuple[tuple[str, ...], str]] = set()
    for row in rows:
        value, key = row.figures.get(figure), keys(row)
        if value is None or key is None:
            continue
        place = tuple(key.values())
        if isinstance(value, str):  # such as a session, which counts once
            if (place, value) in seen:
                continue
            seen.add((place, value))
            value = 1
        groups.setdefault(place, (key, []))[1].append(value)
    if is_whole and not groups and aggregations[0].name == COUNT:  # there is nothing, and that is a count
        return [Point(metric, {}, {COUNT: 0})]
    return [
        Point(metric, key, {each.name: each.of(values) for each in aggregations})
        for _, (key, values) in sorted(groups.items())
    ]
