"""What a log's page draws: how many rows were answered, and how fast, in steps of equal length. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.web.figures.areas import Area, StackedAreas
from taxiway.web.figures.lines import Line, LineChart

STEPS = 48


class Told(Struct, frozen=True):
    """Records as a page counts them: seconds since 1970, milliseconds, and how each went."""

    at: NDArray[np.float64]
    latency_ms: NDArray[np.float64]
    status: NDArray[np.str_]


def edges(since: datetime, until: datetime) -> NDArray[np.float64]:
    """The ends of the steps between two moments."""
    return np.linspace(since.timestamp(), max(until.timestamp(), since.timestamp() + 1), STEPS + 1)


def draw_volume(told: Told, ends: NDArray[np.float64]) -> StackedAreas:
    """Rows per step, those without an answer on top."""
    layers = [(each, told.at[told.status == each]) for each in ("answered", "failed", "abandoned")]
    areas = tuple(
        Area(name, tuple(map(float, np.histogram(at, ends)[0]))) for name, at in layers if name == "answered" or len(at)
    )
    per = step_in_words(float(ends[1] - ends[0]))
    return StackedAreas(
        title="Rows", moments=tuple(map(float, ends[:-1])), areas=areas, y_name=f"per {per}", height=200
    )


def draw_latency(told: Told, ends: NDArray[np.float64]) -> LineChart:
    """The median and the 99th percentile of each step that has rows."""
    place = np.digitize(told.at, ends) - 1
    groups = [told.latency_ms[place == number] for number in range(len(ends) - 1)]
    lines = tuple(
        Line(name=name, points=tuple(zip(map(float, ends[:-1]), quantiles(groups, share), strict=True)))
        for name, share in (("p50", 0.5), ("p99", 0.99))
    )
    return LineChart(title="Latency", is_time=True, y_name="ms", lines=lines, height=200, has_dots=True)


def quantiles(groups: Sequence[NDArray[np.float64]], share: float) -> list[float]:
    """NaN, which breaks the line, where a group is empty."""
    return [float(np.quantile(each, share, method="higher")) if len(each) else math.nan for each in groups]


def step_in_words(step_s: float) -> str:
    """
    >>> step_in_words(75), step_in_words(1800), step_in_words(10800)
    ('75 s', '30 min', '3 h')
    """
    if step_s < 120:
        return f"{step_s:.0f} s"
    return f"{step_s / 60:.0f} min" if step_s < 7200 else f"{step_s / 3600:.0f} h"
