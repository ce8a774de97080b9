"""Quantiles of repeated measurements, with intervals that assume no shape: order statistics and the binomial law."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from taxiway.gates.laws.estimates import Estimate, undefined

METHOD = "order statistics, binomial"


def quantile(values: Sequence[float], share: float, confidence: float = 0.95) -> Estimate:
    """The quantile below which `share` of the values lie, between the two order statistics that hold the true one.

    The number of values below the true quantile is binomial, whatever they are distributed like (David and Nagaraja,
    2003, 7.1). Where there are too few values for an upper end, it is undefined, and says how many it takes.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count, tail = ordered.size, (1 - confidence) / 2
    if count == 0:
        return undefined("Nothing was measured.", n=0, confidence=confidence, method=METHOD)
    below = cumulated(count, share)
    low = int(np.searchsorted(below, tail, side="right"))  # the most values that are surely below, less one
    high = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    if low == 0 or high > count:
        needed = math.ceil(math.log(tail) / math.log(max(share, 1 - share)))
        reason = f"{count:,} measurements are too few for an interval of this quantile; it takes {needed:,}."
        return undefined(reason, n=count, confidence=confidence, method=METHOD)
    value = float(np.quantile(ordered, share, method="inverted_cdf"))
    return Estimate(value, float(ordered[low - 1]), float(ordered[high - 1]), count, confidence, METHOD)


def cumulated(count: int, share: float) -> np.ndarray:
    """P(at most k of `count` values are below the quantile), for k from 0 to count."""
    k = np.arange(count + 1)
    logs = np.array([math.lgamma(each + 1) for each in range(count + 1)])
    law = logs[count] - logs[k] - logs[count - k] + k * math.log(share) + (count - k) * math.log1p(-share)
    return np.cumsum(np.exp(law))


def least_calls(share: float, confidence: float = 0.95) -> int:
    """How many measurements an interval of a quantile takes.

    >>> least_calls(0.99)
    368
    """
    return math.ceil(math.log((1 - confidence) / 2) / math.log(max(share, 1 - share)))
