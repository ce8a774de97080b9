"""The figure of a canary: the difference with its interval at each look, and what is allowed. Pure."""

from __future__ import annotations

import math

from taxiway.endpoints.canary.contract import Canary, CanaryDetail
from taxiway.endpoints.canary.laws.verdict import LOSS_WORDS
from taxiway.web.figures.lines import Line, LineChart, Threshold

FARTHEST = 6.0  # how many times the last interval's size the first may be before it is cut


def draw(detail: CanaryDetail) -> LineChart | None:
    """Nothing before the second look, as one point is no line."""
    if len(detail.looks) < 2:
        return None
    canary, looks = detail.canary, detail.looks
    last = looks[-1]
    most = FARTHEST * max(abs(last.low or 0.0), abs(last.high or 0.0), canary.non_inferiority or 0.0)
    lows = tuple(clipped(each.low, most) for each in looks)
    highs = tuple(clipped(each.high, most) for each in looks)
    points = tuple((float(each.clusters), clipped(each.estimate, most)) for each in looks)
    return LineChart(
        title="Difference of losses at each look",
        lines=(Line(name="candidate less champion", points=points, low=lows, high=highs),),
        thresholds=limits(canary),
        x_name=f"whole clusters ({canary.cluster})",
        y_name=LOSS_WORDS[canary.metric],
        has_dots=True,
    )


def limits(canary: Canary) -> tuple[Threshold, ...]:
    """No difference, and what is allowed where that is another."""
    if not canary.non_inferiority:
        return (Threshold(0.0, "no difference"),)
    return (Threshold(0.0, "no difference"), Threshold(canary.non_inferiority, "allowed"))


def clipped(value: float | None, most: float) -> float:
    return math.nan if value is None else max(-most, min(most, value)) if most else value
