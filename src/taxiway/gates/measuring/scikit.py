"""Every other metric that scikit-learn has a name for, with an interval by drawing rows or clusters again.

Left out is what needs more than one column of answers (multi-label, top k, one against the rest), and `max_error`: no
draw from the same rows tells how far a maximum may lie.
Apart from the names nothing here needs scikit-learn until a metric is measured, which happens in a worker.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import Floats, cluster_codes, present
from taxiway.gates.measuring.engine import Ways
from taxiway.gates.measuring.laws import Takes
from taxiway.gates.measuring.resampling import bca

BCA = "bootstrap, bias-corrected and accelerated (BCa)"
HIGHER: dict[str, Takes] = {
    "adjusted_mutual_info_score": "prediction",
    "adjusted_rand_score": "prediction",
    "cohen_kappa_score": "prediction",
    "completeness_score": "prediction",
    "d2_absolute_error_score": "prediction",
    "d2_brier_score": "score",
    "d2_log_loss_score": "score",
    "d2_pinball_score": "prediction",
    "explained_variance": "prediction",
    "f1_macro": "prediction",
    "f1_micro": "prediction",
    "f1_weighted": "prediction",
    "fowlkes_mallows_score": "prediction",
    "homogeneity_score": "prediction",
    "jaccard": "prediction",
    "jaccard_macro": "prediction",
    "jaccard_micro": "prediction",
    "jaccard_weighted": "prediction",
    "matthews_corrcoef": "prediction",
    "mutual_info_score": "prediction",
    "normalized_mutual_info_score": "prediction",
    "precision_macro": "prediction",
    "precision_micro": "prediction",
    "precision_weighted": "prediction",
    "rand_score": "prediction",
    "recall_macro": "prediction",
    "recall_micro": "prediction",
    "recall_weighted": "prediction",
    "v_measure_score": "prediction",
    "neg_brier_score": "score",
    "neg_log_loss": "score",
    "neg_mean_absolute_error": "prediction",
    "neg_mean_absolute_percentage_error": "prediction",
    "neg_mean_gamma_deviance": "prediction",
    "neg_mean_poisson_deviance": "prediction",
    "neg_mean_squared_error": "prediction",
    "neg_mean_squared_log_error": "prediction",
    "neg_median_absolute_error": "prediction",
    "neg_root_mean_squared_error": "prediction",
    "neg_root_mean_squared_log_error": "prediction",
}
LOWER: dict[str, Takes] = {
    "brier_score_loss": "score",
    "hamming_loss": "prediction",
    "mean_absolute_error": "prediction",
    "mean_absolute_percentage_error": "prediction",
    "mean_gamma_deviance": "prediction",
    "mean_pinball_loss": "prediction",
    "mean_poisson_deviance": "prediction",
    "mean_squared_error": "prediction",
    "mean_squared_log_error": "prediction",
    "median_absolute_error": "prediction",
    "root_mean_squared_error": "prediction",
    "root_mean_squared_log_error": "prediction",
    "zero_one_loss": "prediction",
}
AVERAGES = ("macro", "micro", "weighted")
FUNCTIONS = {  # scorers whose function is called otherwise
    "brier_score": "brier_score_loss",
    "explained_variance": "explained_variance_score",
    "jaccard": "jaccard_score",
}
NAMES: dict[str, Takes] = HIGHER | LOWER
Metric = Callable[..., float]


class ScikitMissing(ValueError):
    """A metric that only scikit-learn has is asked for where it is not installed."""


def metric_of(name: str) -> Metric:
    """What a name stands for: a scorer's metric with its sign, or the function of that name. Raises ScikitMissing."""
    try:
        from sklearn import metrics
    except ModuleNotFoundError as e:
        raise ScikitMissing(f"{name} is scikit-learn's, which is not installed where checks run.") from e
    sign, plain = (-1.0, name.removeprefix("neg_")) if name.startswith("neg_") else (1.0, name)
    base, _, average = plain.rpartition("_")
    fixed = {"average": average} if average in AVERAGES else {}
    found: Metric = getattr(metrics, FUNCTIONS.get(plain) or (f"{base}_score" if fixed else plain))
    return lambda labels, column, **given: sign * float(found(labels, column, **fixed, **given))


def measured(name: str, labels: ArrayLike, column: ArrayLike, ways: Ways) -> Estimate:
    """A metric with its BCa interval. Raises ScikitMissing, ValuesMissing, and what scikit-learn refuses."""
    return drawn(metric_of(name), np.asarray(labels), [np.asarray(column)], ways)


def compared(name: str, labels: ArrayLike, before: ArrayLike, after: ArrayLike, ways: Ways) -> Estimate:
    """How much a metric is larger after than before, on the same rows."""
    return drawn(metric_of(name), np.asarray(labels), [np.asarray(before), np.asarray(after)], ways)


def drawn(metric: Metric, labels: NDArray[Any], columns: list[NDArray[Any]], ways: Ways) -> Estimate:
    n = labels.size
    for each in (labels, *columns):
        if each.dtype.kind == "f":
            present(each)
    weights = None if ways.weights is None else present(ways.weights)
    count, codes = cluster_codes(np.arange(n) if ways.clusters is None else ways.clusters, rows=n)

    def value(rows: NDArray[np.intp]) -> float:
        given = {} if weights is None else {"sample_weight": weights[rows]}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a draw may lack a class; the rows themselves do not
                found = [metric(labels[rows], column[rows], **given) for column in columns]
        except (ValueError, ZeroDivisionError):
            return float("nan")
        return found[-1] - (found[0] if len(found) > 1 else 0.0)

    method = BCA + ("" if ways.clusters is None else f" over clusters, {count:,} clusters")
    given = {} if weights is None else {"sample_weight": weights}
    for column in columns:
        try:
            metric(labels, column, **given)  # so that its refusal is told in its own words
        except TypeError as e:
            raise ValueError(f"This metric takes no weights ({e}).") from e
    if count < 2:
        return undefined("An interval needs two clusters.", n=n, confidence=ways.confidence, method=method)
    observed = value(np.arange(n))
    low, high = bca(value, codes, count, observed, ways)
    if not np.isfinite([observed, low, high]).all():
        reason = "It is not defined on too many draws of these rows."
        return undefined(reason, n=n, confidence=ways.confidence, method=method)
    ends: Floats = np.array([low, high])
    return Estimate(
        observed,
        min(float(ends[0]), observed),
        max(float(ends[1]), observed),
        n,
        ways.confidence,
        method,
        ways.seed,
        ways.resamples,
    )
