"""How alike several rankings are: Spearman's correlation between all pairs, with a jackknife interval. Pure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import t_quantile

METHOD = "mean Spearman correlation of all pairs, jackknife over draws with t"
Floats = NDArray[np.float64]


def ranks(values: Floats) -> Floats:
    """Ranks from 1 on; equals share the mean of theirs."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + 1 + ends) / 2)[places]


def stability(importances: Floats, confidence: float = 0.95) -> Estimate:
    """Of importances with a row for each draw and a column for each input."""
    draws, columns = importances.shape
    if columns < 2:
        reason = "A model of one column has no ranking of columns."
        return undefined(reason, n=draws, confidence=confidence, method=METHOD)
    ranked = np.array([ranks(row) for row in importances])
    if np.any(ranked.std(axis=1) == 0):
        reason = "Every column is as important as every other in some draw, which is no ranking."
        return undefined(reason, n=draws, confidence=confidence, method=METHOD)
    pairs = np.corrcoef(ranked)
    value = mean_of_pairs(pairs)
    without = np.array([mean_of_pairs(np.delete(np.delete(pairs, i, 0), i, 1)) for i in range(draws)])
    error = math.sqrt((draws - 1) / draws * float(((without - without.mean()) ** 2).sum()))
    reach = t_quantile(confidence, draws - 1) * error
    return Estimate(value, max(value - reach, -1.0), min(value + reach, 1.0), draws, confidence, METHOD)


def mean_of_pairs(pairs: Floats) -> float:
    upper = pairs[np.triu_indices(len(pairs), 1)]
    return float(upper.mean())
