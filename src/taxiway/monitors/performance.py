"""How well a model does in a window whose rows err together by block (a day's weather), and when that is news."""

import math
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import cluster_codes, clustered_error, clustered_mean, logit_interval, t_quantile
from taxiway.gates.laws.statistics import auc_components, binary, brier_rows, hit_rows, log_loss_rows
from taxiway.monitors.terms import HIGHER_IS_BETTER, METRIC_WORDS, MIN_CLUSTERS, Metric, State, WindowPerformance

CLUSTERED_AUC: Final = "DeLong, cluster-robust (Obuchowski), logit scale"


class BadBaseline(ValueError):
    """A baseline or tolerance that nothing can be compared with."""


def performance(
    metric: Metric, labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike, *, confidence: float = 0.95
) -> WindowPerformance:
    """The metric over one window's labelled rows, its interval clustered by block.

    labels: 0 and 1; scores: probabilities of 1 (accuracy counts 0.5 and above as 1); clusters: the block of
    each row, such as its day. Undefined below two blocks, and for AUC when one class is missing.
    Raises NotBinary, NotProbabilities, ValuesMissing and RowsDiffer.
    """
    count = int(np.unique(np.asarray(clusters)).size)
    if metric == "roc_auc":
        return WindowPerformance(metric, clustered_auc(labels, scores, clusters, confidence=confidence), count)
    if metric == "log_loss":
        rows: ArrayLike = log_loss_rows(labels, scores)
    elif metric == "brier":
        rows = brier_rows(labels, scores)
    else:
        rows = hit_rows(binary(labels, "labels"), np.asarray(scores, dtype=np.float64) >= 0.5)
    return WindowPerformance(metric, clustered_mean(rows, clusters, confidence), count)


def clustered_auc(labels: ArrayLike, scores: ArrayLike, clusters: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """The AUC of rows that err together within a cluster.

    DeLong's components summed within clusters (Obuchowski, 1997), t with clusters - 1 degrees of freedom, on
    the logit scale. Undefined below two clusters, when one class is missing, and when the classes separate,
    for then the clusters do not vary.
    """
    positives, negatives = auc_components(labels, scores)
    y = binary(labels, "labels")
    count, codes = cluster_codes(clusters, rows=y.size)
    reason = ""
    if not positives.size or not negatives.size:
        reason = "All rows are of one class."
    elif count < 2:
        reason = "An interval over clusters needs two of them."
    elif not 0 < positives.mean() < 1:
        reason = "The scores separate the classes, which leaves an interval over clusters nothing to rest on."
    if reason:
        return undefined(reason, n=y.size, confidence=confidence, method=CLUSTERED_AUC)
    value = float(positives.mean())
    influence = np.empty(y.size, dtype=np.float64)
    influence[y == 1] = (positives - value) / positives.size
    influence[y == 0] = (negatives - value) / negatives.size
    half = t_quantile(confidence, count - 1) * clustered_error(influence, codes, count)
    low, high = logit_interval(value, half)
    return Estimate(value, low, high, y.size, confidence, CLUSTERED_AUC)


def difference_from_baseline(
    window: WindowPerformance, *, baseline: float, tolerance: float = 0.0, min_clusters: int = MIN_CLUSTERS
) -> State:
    """Whether the window is news: "alert" when the whole interval is worse than the baseline by the tolerance.

    Worse is lower for accuracy and AUC and higher for losses. With fewer than `min_clusters` blocks, or an
    undefined estimate, the answer is "not enough yet", never "ok".
    Raises BadBaseline for a baseline that is no number or a negative tolerance.
    """
    if not math.isfinite(baseline) or not (math.isfinite(tolerance) and tolerance >= 0):
        raise BadBaseline(
            f"A baseline of {baseline} with a tolerance of {tolerance} alerts never or always. "
            "Give a number, and a tolerance of 0 or more."
        )
    low, high = window.estimate.low, window.estimate.high
    if window.clusters < min_clusters or low is None or high is None:
        return "not enough yet"
    if HIGHER_IS_BETTER[window.metric]:
        return "alert" if high < baseline - tolerance else "ok"
    return "alert" if low > baseline + tolerance else "ok"


def state_in_words(
    window: WindowPerformance, *, baseline: float, tolerance: float = 0.0, min_clusters: int = MIN_CLUSTERS
) -> str:
    """The state as a sentence for the alert, the page and the CLI."""
    state = difference_from_baseline(window, baseline=baseline, tolerance=tolerance, min_clusters=min_clusters)
    estimate, name = window.estimate, METRIC_WORDS[window.metric]
    if estimate.value is None:
        return f"The {name} of this window cannot be measured yet. {estimate.undefined}"
    told = (
        f"The {name} is {estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] over {estimate.n:,} "
        f"labelled rows in {window.clusters} blocks; the baseline is {baseline:.3f}, the tolerance {tolerance:g}."
    )
    if state == "alert":
        return f"{told} The whole interval is worse than that."
    if state == "ok":
        return f"{told} It is not shown to be worse than that."
    return f"{told} {min_clusters} blocks are needed before this counts."
