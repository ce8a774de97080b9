"""Metrics of a ranking, on rows that may be weighted, lie in clusters, or be held against another model's scores.

The area under the ROC curve has DeLong's variance from each row's share of pairs won, summed within clusters
(DeLong, DeLong and Clarke-Pearson, 1988; Obuchowski, 1997). Average precision has no such form: clusters are drawn
again with replacement, and their spread gives the standard error on the logit scale, with Student's t. With few
clusters the area's comes from leaving out one cluster after the other (the jackknife), as the sandwich is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws import statistics
from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import (
    Floats,
    cluster_codes,
    clustered_error,
    logit_interval,
    normal_quantile,
    present,
    t_quantile,
)
from taxiway.gates.measuring.engine import CHUNK, Ways

Rows = NDArray[np.intp]
CLUSTERED_DELONG = "DeLong over clusters (Obuchowski), logit scale, Student t"
PAIRED_DELONG = "DeLong, paired"
LEFT_OUT = "jackknife over clusters, logit scale, Student t"
SPREAD = "bootstrap standard error, logit scale, Student t"
PAIRED_SPREAD = "bootstrap standard error of the paired difference, Student t"
MOST_ALONE = 10_000  # rows that are drawn one by one
FEW = 50  # clusters below which the sandwich is too narrow, and leaving out one after the other is not
ONE_CLASS = "All rows are of one class."


def roc_auc(labels: ArrayLike, scores: ArrayLike, ways: Ways) -> Estimate:
    """As `statistics.roc_auc`; over clusters or weighted where the ways say so."""
    if ways.clusters is None and ways.weights is None:
        return statistics.roc_auc(labels, scores, ways.confidence)
    y, s, w = prepared(labels, scores, ways)
    if not has_both(y, w):
        return undefined(ONE_CLASS, n=y.size, confidence=ways.confidence, method=CLUSTERED_DELONG)
    value, pulls = area_pulls(y, s, w)
    half, unit = reach(pulls, ways)
    method = f"{CLUSTERED_DELONG}{unit}"
    if ways.clusters is not None and 0 < value < 1:
        count, codes = cluster_codes(ways.clusters, rows=y.size)
        if 2 <= count <= FEW and (left := areas_without(y, s, w, codes, count)) is not None:
            half = t_quantile(ways.confidence, count - 1) * float(left.std()) * math.sqrt(count - 1)
            half *= value * (1 - value)  # from the logit scale
            method = f"{LEFT_OUT}{unit}"
    if not math.isfinite(half) or half == 0 or not 0 < value < 1:
        reason = "The classes separate, and clustered rows give no interval then."
        return undefined(reason, n=y.size, confidence=ways.confidence, method=method)
    low, high = logit_interval(value, half)
    return Estimate(value, low, high, y.size, ways.confidence, method)


def roc_auc_difference(labels: ArrayLike, before: ArrayLike, after: ArrayLike, ways: Ways) -> Estimate:
    """How much larger the area is after than before, on the same rows."""
    y, first, w = prepared(labels, before, ways)
    _, second, _ = prepared(labels, after, ways)
    if not has_both(y, w):
        return undefined(ONE_CLASS, n=y.size, confidence=ways.confidence, method=PAIRED_DELONG)
    one, pulls_of_one = area_pulls(y, first, w)
    other, pulls_of_other = area_pulls(y, second, w)
    half, unit = reach(pulls_of_other - pulls_of_one, ways)
    value = other - one
    return Estimate(value, value - half, value + half, y.size, ways.confidence, f"{PAIRED_DELONG}{unit}")


def average_precision(labels: ArrayLike, scores: ArrayLike, ways: Ways) -> Estimate:
    """Precision averaged over the recalls at which it is reached, as scikit-learn sums it."""
    return drawn([scores], labels, ways, lambda values: values[0], SPREAD)


def average_precision_difference(labels: ArrayLike, before: ArrayLike, after: ArrayLike, ways: Ways) -> Estimate:
    return drawn([before, after], labels, ways, lambda values: values[1] - values[0], PAIRED_SPREAD)


def drawn(
    scores: list[ArrayLike], labels: ArrayLike, ways: Ways, of: Callable[[list[Floats]], Floats], method: str
) -> Estimate:
    """What `of` makes of the average precisions of some scores, with the spread of it over draws of clusters."""
    found = [prepared(labels, each, ways) for each in scores]
    y, _, w = found[0]
    if not has_both(y, w):
        return undefined(ONE_CLASS, n=y.size, confidence=ways.confidence, method=method)
    laws = [Precisions(y, s) for _, s, _ in found]
    value = float(of([law(w[None]) for law in laws])[0])
    random = np.random.default_rng(ways.seed)
    clusters = ways.clusters
    if clusters is None:  # rows of a large table are drawn in blocks, which takes as little as few rows would
        clusters = np.arange(y.size) if y.size <= MOST_ALONE else random.integers(0, MOST_ALONE, y.size)
    count, codes = cluster_codes(clusters, rows=y.size)
    size, draws = max(CHUNK // (4 * y.size), 1), []
    for start in range(0, ways.resamples, size):
        times = random.multinomial(count, np.full(count, 1 / count), size=min(size, ways.resamples - start))
        weights = times[:, codes] * w
        draws.append(of([law(weights) for law in laws]))
    values = np.concatenate(draws)
    values = values[np.isfinite(values)]
    unit = "" if ways.clusters is None else f", {count:,} clusters"
    if count < 2 or values.size < 2:
        return undefined("An interval needs two clusters.", n=y.size, confidence=ways.confidence, method=method)
    t = t_quantile(ways.confidence, count - 1)
    if len(scores) > 1 or not 0 < value < 1:
        half = t * float(values.std(ddof=1))
        low, high = value - half, value + half
    else:
        inside = np.clip(values, 1e-9, 1 - 1e-9)
        half = t * float(np.log(inside / (1 - inside)).std(ddof=1)) * value * (1 - value)
        low, high = logit_interval(value, half)
    return Estimate(value, low, high, y.size, ways.confidence, method + unit, ways.seed, ways.resamples)


class Precisions:
    """Average precision for many weightings of the same rows: sorted once, summed along the order."""

    def __init__(self, labels: Floats, scores: Floats) -> None:
        self.order = np.argsort(-scores, kind="stable")
        self.labels = labels[self.order]
        self.ends = np.append(np.flatnonzero(np.diff(scores[self.order])), scores.size - 1)

    def __call__(self, weights: Floats) -> Floats:
        """weights: shape (draws, rows); NaN where a draw has no positive row."""
        ordered = weights[:, self.order]
        found = np.cumsum(ordered * self.labels, axis=1)[:, self.ends]
        said = np.cumsum(ordered, axis=1)[:, self.ends]
        with np.errstate(divide="ignore", invalid="ignore"):
            precision = np.where(said > 0, found / said, 0.0)
            steps = np.diff(found / found[:, -1:], axis=1, prepend=0.0)
        return np.asarray((steps * precision).sum(axis=1))


def prepared(labels: ArrayLike, scores: ArrayLike, ways: Ways) -> tuple[Floats, Floats, Floats]:
    y, s = statistics.binary(labels, "labels"), present(scores)
    statistics.require_equal_rows(labels=y.size, scores=s.size)
    weights = np.ones(y.size) if ways.weights is None else present(ways.weights)
    statistics.require_equal_rows(labels=y.size, weights=weights.size)
    return y, s, weights


def has_both(labels: Floats, weights: Floats) -> bool:
    return bool((weights * labels).sum() > 0 and (weights * (1 - labels)).sum() > 0)


def area_pulls(labels: Floats, scores: Floats, weights: Floats) -> tuple[float, Floats]:
    """The area, and how much each row pulls it: its share of pairs won less the area, over its class's weight."""
    up = labels == 1
    won = np.empty(labels.size)
    won[up] = share_below(scores[up], scores[~up], weights[~up])
    won[~up] = 1 - share_below(scores[~up], scores[up], weights[up])
    area = float((won[up] * weights[up]).sum() / weights[up].sum())
    totals = np.where(up, weights[up].sum(), weights[~up].sum())
    return area, (won - area) * weights / totals


def areas_without(labels: Floats, scores: Floats, weights: Floats, codes: Rows, count: int) -> Floats | None:
    """The area's logit without each cluster in turn; None where one of them holds all of a class, or all mistakes."""
    found = []
    for cluster in range(count):
        kept = codes != cluster
        if not has_both(labels[kept], weights[kept]):
            return None
        area, _ = area_pulls(labels[kept], scores[kept], weights[kept])
        if not 0 < area < 1:
            return None
        found.append(math.log(area / (1 - area)))
    return np.array(found)


def share_below(scores: Floats, others: Floats, weights: Floats) -> Floats:
    """For each score the weighted share of the others below it, ties counting half."""
    order = np.argsort(others)
    cumulated = np.append(0.0, np.cumsum(weights[order]))
    below = cumulated[np.searchsorted(others[order], scores, side="left")]
    upto = cumulated[np.searchsorted(others[order], scores, side="right")]
    return np.asarray((below + upto) / 2 / cumulated[-1])


def reach(pulls: Floats, ways: Ways) -> tuple[float, str]:
    """Half of an interval, from what each row pulls, and what it was summed over."""
    if ways.clusters is None:
        size = pulls.size
        return normal_quantile(ways.confidence) * math.sqrt(size / (size - 1) * float(pulls @ pulls)), ""
    count, codes = cluster_codes(ways.clusters, rows=pulls.size)
    if count < 2:
        return math.inf, ", 1 cluster"
    return t_quantile(ways.confidence, count - 1) * clustered_error(pulls, codes, count), f", {count:,} clusters"
