"""Intervals of metrics that are smooth functions of means, over rows or whole clusters, alone or as a difference.

Rows are summed within their cluster; each row is its own where none is named. The value is `of` the mean. Two ways:

- **bootstrap-t** (Efron, 1979; Hall, 1988): clusters are drawn again with replacement, and each draw is divided by its
  own standard error, on a scale on which the metric is about normal (logit of a share, log of a loss). It corrects for
  skewness, which plain percentiles do not. With fewer than 30 clusters it is widened to the interval below;
- **delta method**: the cluster-robust standard error (CR1) with Student's t on that scale, where drawing would take
  long (more than `MOST_DRAWN` clusters) or a draw has no value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import Floats, cluster_codes, normal_quantile, present, t_quantile
from taxiway.gates.measuring.laws import Law, Scale, Values

STUDENTISED = "bootstrap-t"
DELTA = "delta method, Student t"
MOST_DRAWN = 20_000
FEW_CLUSTERS = 30
RESAMPLES = 2_000
CHUNK = 4_000_000  # numbers drawn at once: some tens of megabytes


class WeightsUnfit(ValueError):
    """Weights that are negative, not finite, or all zero."""


@dataclass(frozen=True)
class Ways:
    """How an interval is made. clusters, weights: one a row, None where each row stands for itself."""

    confidence: float = 0.95
    seed: int = 0
    resamples: int = RESAMPLES
    clusters: ArrayLike | None = None
    weights: ArrayLike | None = None


@dataclass(frozen=True)
class Sums:
    """Per cluster: the weighted sums of its rows, shape (clusters, parts), and its weight. n: rows."""

    parts: Floats
    weight: Floats
    n: int

    @property
    def means(self) -> Floats:
        return np.asarray(self.parts.sum(axis=0) / self.weight.sum(), dtype=np.float64)


def measured(law: Law, labels: ArrayLike, column: ArrayLike, ways: Ways) -> Estimate:
    """A metric with its interval. Raises the refusals of data of `laws`, ValuesMissing, RowsDiffer, WeightsUnfit."""
    rows = law.rows(np.asarray(labels), np.asarray(column))
    sums = summed(rows, ways)
    if not rows.shape[0]:
        return undefined("There are no rows.", n=0, confidence=ways.confidence, method=STUDENTISED)
    if reason := law.why_not(sums.means):
        return undefined(reason, n=sums.n, confidence=ways.confidence, method=STUDENTISED)
    return interval(sums, law.of, law.scale, ways)


def compared(law: Law, labels: ArrayLike, before: ArrayLike, after: ArrayLike, ways: Ways) -> Estimate:
    """How much a metric is larger after than before, both on the same rows: what they share drops out."""
    truth = np.asarray(labels)
    first, second = law.rows(truth, np.asarray(before)), law.rows(truth, np.asarray(after))
    sums = summed(np.concatenate([first, second], axis=1), ways)
    parts = first.shape[1]
    for means in (sums.means[:parts], sums.means[parts:]) if len(first) else ():
        if reason := law.why_not(means):
            return undefined(reason, n=sums.n, confidence=ways.confidence, method=STUDENTISED)

    def difference(means: Values) -> Values:
        return law.of(means[..., parts:]) - law.of(means[..., :parts])

    return interval(sums, difference, "signed", ways)


def summed(rows: Floats, ways: Ways) -> Sums:
    n = rows.shape[0]
    weights = np.ones(n) if ways.weights is None else present(ways.weights)
    if weights.size != n:
        raise WeightsUnfit(f"There are {n} rows and {weights.size} weights. Give one weight a row.")
    if n and (not np.isfinite(weights).all() or weights.min() < 0 or not weights.any()):
        raise WeightsUnfit("Weights must be 0 or more, and some must be above 0.")
    rows = rows * weights[:, None]
    if ways.clusters is None:
        return Sums(rows, weights, n)
    count, codes = cluster_codes(ways.clusters, rows=n)
    parts = np.column_stack([np.bincount(codes, weights=part, minlength=count) for part in rows.T])
    weight = np.bincount(codes, weights=weights, minlength=count).astype(np.float64)
    return Sums(parts.astype(np.float64), weight, n)


def interval(sums: Sums, of: Callable[[Values], Values], scale: Scale, ways: Ways) -> Estimate:
    """The value of the means with its interval; undefined below two clusters."""
    normal_quantile(ways.confidence)  # refuses an impossible confidence
    value, clusters = float(of(sums.means)), len(sums.weight)
    is_clustered = ways.clusters is not None
    if clusters < 2:
        reason = f"An interval needs two {'clusters' if is_clustered else 'rows'}."
        return undefined(reason, n=sums.n, confidence=ways.confidence, method=DELTA)
    error = errors(sums.parts.sum(axis=0)[None], sums.weight.sum()[None], moments(sums).sum(axis=0)[None], of, clusters)
    there = Transformed(scale, value, float(error[0]))
    unit = f", {clusters:,} clusters" if is_clustered else ""
    if clusters <= MOST_DRAWN and there.error > 0:
        drawn = studentised(sums, of, there, ways)
        finite = drawn[np.isfinite(drawn)]
        if finite.size >= 0.95 * ways.resamples:
            tail = (1 - ways.confidence) / 2
            low, high = np.quantile(finite, [tail, 1 - tail])
            ends = there.back(there.middle - high * there.error), there.back(there.middle - low * there.error)
            if clusters < FEW_CLUSTERS:  # draws of few clusters repeat each other, and are too narrow alone
                half = t_quantile(ways.confidence, clusters - 1) * there.error * math.sqrt(clusters / (clusters - 1))
                plain = there.back(there.middle - half), there.back(there.middle + half)
                ends = min(ends[0], plain[0]), max(ends[1], plain[1])
            bounds = min(ends[0], value), max(ends[1], value)
            method = f"{STUDENTISED}{' over clusters' if is_clustered else ''}{there.words}{unit}"
            return Estimate(value, *bounds, sums.n, ways.confidence, method, ways.seed, ways.resamples)
    half = t_quantile(ways.confidence, clusters - 1) * there.error
    ends = there.back(there.middle - half), there.back(there.middle + half)
    method = f"{DELTA}{', cluster-robust (CR1)' if is_clustered else ''}{there.words}{unit}"
    return Estimate(value, *ends, sums.n, ways.confidence, method)


@dataclass(frozen=True)
class Transformed:
    """A value on the scale on which its draws are about normal; a value at a limit of its scale stays as it is."""

    scale: Scale
    value: float
    plain_error: float

    @property
    def is_moved(self) -> bool:
        inside = {"share": 0 < self.value < 1, "positive": self.value > 0, "correlation": abs(self.value) < 1}
        return inside.get(self.scale, False)

    @property
    def words(self) -> str:
        named = {"share": ", logit scale", "positive": ", log scale", "correlation": ", Fisher's z"}
        return named.get(self.scale, "") if self.is_moved else ""

    @property
    def middle(self) -> float:
        return float(self.there(np.array(self.value)))

    @property
    def error(self) -> float:
        return self.plain_error * float(self.slope(np.array(self.value)))

    def there(self, values: Floats) -> Floats:
        if not self.is_moved:
            return values
        if self.scale == "share":
            return np.log(values / (1 - values))
        return np.log(values) if self.scale == "positive" else np.arctanh(values)

    def slope(self, values: Floats) -> Floats:
        if not self.is_moved:
            return np.ones_like(values)
        if self.scale == "share":
            return 1 / (values * (1 - values))
        return 1 / values if self.scale == "positive" else 1 / (1 - values**2)

    def back(self, there: float) -> float:
        if not self.is_moved:
            return float(there)
        if self.scale == "share":
            return 1 / (1 + math.exp(-there)) if there > -700 else 0.0
        return math.exp(min(there, 700.0)) if self.scale == "positive" else math.tanh(there)


def studentised(sums: Sums, of: Callable[[Values], Values], there: Transformed, ways: Ways) -> Floats:
    """Draws of the value's distance from the observed one, each in its own standard errors."""
    random, clusters = np.random.default_rng(ways.seed), len(sums.weight)
    table = np.column_stack([sums.parts, sums.weight, moments(sums)])
    parts = sums.parts.shape[1]
    found = []
    size = max(CHUNK // clusters, 1)
    even = np.full(clusters, 1 / clusters)
    for start in range(0, ways.resamples, size):
        times = random.multinomial(clusters, even, size=min(size, ways.resamples - start))
        drawn = times.astype(np.float64) @ table
        totals, weight, second = drawn[:, :parts], drawn[:, parts], drawn[:, parts + 1 :]
        with np.errstate(divide="ignore", invalid="ignore"):
            values = of(totals / weight[:, None])
            spread = errors(totals, weight, second, of, clusters) * there.slope(values)
            found.append((there.there(values) - there.middle) / spread)
    return np.concatenate(found)


def moments(sums: Sums) -> Floats:
    """Per cluster all products of two of its sums, its weight being the last of them, flat."""
    every = np.column_stack([sums.parts, sums.weight])
    return np.asarray((every[:, :, None] * every[:, None, :]).reshape(len(every), -1))


def errors(totals: Floats, weight: Floats, second: Floats, of: Callable[[Values], Values], clusters: int) -> Floats:
    """Standard errors of the value, one for each row of totals: by the slope at the means, summed within clusters."""
    means = totals / weight[:, None]
    slopes = gradient(of, means)
    pulls = np.concatenate([slopes, -(slopes * means).sum(axis=1, keepdims=True)], axis=1) / weight[:, None]
    size = pulls.shape[1]
    squares = np.einsum("ri,rij,rj->r", pulls, second.reshape(-1, size, size), pulls)
    return np.asarray(np.sqrt(np.maximum(squares, 0.0) * clusters / (clusters - 1)))


def gradient(of: Callable[[Values], Values], means: Floats) -> Floats:
    """The slope of the value along each part, by a complex step: exact to rounding (Squire and Trapp, 1998)."""
    step = 1e-30
    slopes = np.empty_like(means)
    for part in range(means.shape[1]):
        moved = means.astype(np.complex128)
        moved[:, part] += step * 1j
        slopes[:, part] = of(moved).imag / step
    return slopes
