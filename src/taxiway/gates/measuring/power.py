"""How many rows a gate needs before it can decide: from the law of its interval's width, and the value expected.

Every interval here shrinks with the square root of the rows, so from one that was seen at n rows comes the one at any
other number. Where nothing was seen, a share's own law gives the width: binomial variance, on as many rows as the
groups' shares of all leave to the smallest.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from msgspec import Struct

from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.rules import Threshold, is_measured

CHANCE = 0.8  # of deciding, where a sample's own luck is counted in
NORMAL = NormalDist()


def normal_quantile(confidence: float) -> float:
    """As that of `intervals`, which clients cannot read without arrays."""
    return NORMAL.inv_cdf((1 + confidence) / 2)


class Need(Struct, frozen=True):
    """rows: so that the expected interval decides. rows_likely: so that four in five samples do. None where the value
    is the threshold itself, which no number of rows decides, or where nothing is known of the width."""

    rows: int | None
    rows_likely: int | None
    why: str = ""


def from_estimate(estimate: Estimate, threshold: Threshold, expected: float | None = None) -> Need:
    """What it takes if the true value is the expected one, or else the one measured; as wide as it was measured."""
    if not is_measured(estimate):
        return Need(None, None, estimate.undefined or "Nothing was measured yet.")
    assert estimate.value is not None
    assert estimate.low is not None
    assert estimate.high is not None
    value = estimate.value if expected is None else expected
    distance = value - threshold.value
    facing = estimate.value - estimate.low if distance > 0 else estimate.high - estimate.value
    reach = max(facing, (estimate.high - estimate.low) / 2)
    return needed(estimate.n * reach**2, distance, estimate.confidence)


def from_share(expected: float, threshold: Threshold, confidence: float) -> Need:
    """Of one share, such as an accuracy, that is expected."""
    return needed(normal_quantile(confidence) ** 2 * expected * (1 - expected), expected - threshold.value, confidence)


def from_ratio(rates: tuple[float, float], smallest: float, threshold: Threshold, confidence: float) -> Need:
    """Of the ratio of two selection rates, on the log scale; the first is of a group with this share of all rows."""
    one, other = rates
    if not (0 < one <= 1 and 0 < other <= 1 and 0 < smallest < 1 and threshold.value > 0):
        return Need(None, None, "A ratio needs two rates above 0 and a group's share of the rows.")
    spread = (1 - one) / (one * smallest) + (1 - other) / (other * (1 - smallest))
    distance = math.log(one / other) - math.log(threshold.value)
    return needed(normal_quantile(confidence) ** 2 * spread, distance, confidence)


def from_difference(rates: tuple[float, float], smallest: float, threshold: Threshold, confidence: float) -> Need:
    """Of the absolute difference of two rates; the first is of a group with this share of all rows."""
    one, other = rates
    if not (0 <= one <= 1 and 0 <= other <= 1 and 0 < smallest < 1):
        return Need(None, None, "A difference needs two rates and a group's share of the rows.")
    spread = one * (1 - one) / smallest + other * (1 - other) / (1 - smallest)
    return needed(normal_quantile(confidence) ** 2 * spread, abs(one - other) - threshold.value, confidence)


def order_floor(share: float, confidence: float) -> int:
    """How many measurements an interval of a quantile takes at the least, as `probing.quantiles` says with arrays.

    >>> order_floor(0.99, 0.95)
    368
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(share, 1 - share)))


def needed(square: float, distance: float, confidence: float) -> Need:
    """square: of an interval's half on one row, so that it is sqrt(square / n) on n of them."""
    if distance == 0 or not math.isfinite(square / distance**2):
        return Need(None, None, "The value is at the threshold itself, so no number of rows decides.")
    rows = square / distance**2
    likely = rows * (1 + NORMAL.inv_cdf(CHANCE) / normal_quantile(confidence)) ** 2
    return Need(max(math.ceil(round(rows, 6)), 1), max(math.ceil(round(likely, 6)), 1))
