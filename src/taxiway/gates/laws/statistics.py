"""What a model gets right, measured on labelled rows, each number with its interval."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import Floats, logit_interval, mean, normal_quantile, present, wilson

DELONG: Final = "DeLong, logit scale"
NEWCOMBE: Final = "Newcombe score (method 5)"


class RowsDiffer(ValueError):
    """Two columns that belong together have different numbers of rows."""


class NotBinary(ValueError):
    """A column that must hold 0 and 1 holds something else."""


class NotProbabilities(ValueError):
    """A column that must hold probabilities has values below 0 or above 1."""


def accuracy(labels: ArrayLike, predictions: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The share of rows predicted as labelled, with Wilson's interval; any number of classes.

    Raises ValuesMissing and RowsDiffer.
    """
    hits = hit_rows(labels, predictions)
    return wilson(int(hits.sum()), hits.size, confidence)


def log_loss(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The mean negative log-likelihood in nats, with the t interval of the mean; lower is better.

    labels: 0 and 1; probabilities: of 1. Raises NotBinary, NotProbabilities, ValuesMissing and RowsDiffer.
    """
    return mean(log_loss_rows(labels, probabilities), confidence)


def brier(labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The mean squared difference of probability and label, with the t interval of the mean; lower is better.

    labels: 0 and 1; probabilities: of 1. Raises NotBinary, NotProbabilities, ValuesMissing and RowsDiffer.
    """
    return mean(brier_rows(labels, probabilities), confidence)


def roc_auc(labels: ArrayLike, scores: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The probability that a positive row scores above a negative one, ties counting half.

    The interval is DeLong's (DeLong, DeLong and Clarke-Pearson, 1988) on the logit scale (Pepe, 2003), so
    that it stays between 0 and 1. Where DeLong's variance is 0, as when the classes separate, it is that of
    Newcombe (2006, part 2, method 5), which does not collapse. Undefined when one class is missing.

    labels: 0 and 1; scores: any numbers that rank. Raises NotBinary, ValuesMissing and RowsDiffer.
    """
    z = normal_quantile(confidence)
    positives, negatives = auc_components(labels, scores)
    n = positives.size + negatives.size
    if not positives.size or not negatives.size:
        return undefined("All rows are of one class.", n=n, confidence=confidence, method=DELONG)
    value = float(positives.mean())
    variance = _variance_of_mean(positives) + _variance_of_mean(negatives)
    if math.isfinite(variance) and variance > 1e-15 and 0 < value < 1:
        low, high = logit_interval(value, z * math.sqrt(variance))
        return Estimate(value, low, high, n, confidence, DELONG)
    low, high = _newcombe(value, positives.size, negatives.size, z)
    return Estimate(value, low, high, n, confidence, NEWCOMBE)


def hit_rows(labels: ArrayLike, predictions: ArrayLike) -> NDArray[np.bool_]:
    """Row by row, whether the prediction is the label."""
    truth, said = np.asarray(labels), np.asarray(predictions)
    for column in (truth, said):
        if column.dtype.kind == "f":
            present(column)
    require_equal_rows(labels=truth.size, predictions=said.size)
    return np.asarray(truth.ravel() == said.ravel(), dtype=np.bool_)


def log_loss_rows(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Row by row, the negative log-likelihood in nats.

    Probabilities of 0 and 1 are moved inwards by 2.2e-16, so that a confident mistake costs 36 nats and the
    mean stays finite; scikit-learn does the same.
    """
    y, p = _labels_and_probabilities(labels, probabilities)
    tiny = float(np.finfo(np.float64).eps)
    p = np.clip(p, tiny, 1 - tiny)
    return np.asarray(-np.where(y == 1, np.log(p), np.log1p(-p)))


def brier_rows(labels: ArrayLike, probabilities: ArrayLike) -> Floats:
    """Row by row, the squared difference of probability and label."""
    y, p = _labels_and_probabilities(labels, probabilities)
    return np.asarray((p - y) ** 2)


def auc_components(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """For every positive row the share of negatives it beats, for every negative the share that beat it.

    Both means are the AUC; ties count half. The arrays keep the order of rows within their class. From
    midranks, in O(n log n) (Sun and Xu, 2014). Both are empty or zero where the other class has no rows.
    """
    y, s = binary(labels, "labels"), present(scores)
    require_equal_rows(labels=y.size, scores=s.size)
    up, down = s[y == 1], s[y == 0]
    ranks = _midranks(s)
    beaten = (ranks[y == 1] - _midranks(up)) / max(down.size, 1)
    lost = 1 - (ranks[y == 0] - _midranks(down)) / max(up.size, 1)
    return beaten, lost


def binary(values: ArrayLike, column: str) -> Floats:
    """The values as 0.0 and 1.0. Raises NotBinary, naming the column and a value that is neither."""
    x = present(values)
    if (odd := x[(x != 0) & (x != 1)]).size:
        raise NotBinary(f"{column} hold {odd[0]:g} in {odd.size} of {x.size} rows. Give only 0 and 1.")
    return x


def require_equal_rows(**sizes: int) -> None:
    """Raises RowsDiffer, naming the columns, unless all sizes are equal."""
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise RowsDiffer(f"The columns have different numbers of rows: {told}. Give one value a row in each.")


def _labels_and_probabilities(labels: ArrayLike, probabilities: ArrayLike) -> tuple[Floats, Floats]:
    y, p = binary(labels, "labels"), present(probabilities)
    require_equal_rows(labels=y.size, probabilities=p.size)
    if (odd := p[(p < 0) | (p > 1)]).size:
        raise NotProbabilities(f"{odd.size} of {p.size} rows are no probabilities, such as {odd[0]:g}. Give 0 to 1.")
    return y, p


def _midranks(values: Floats) -> Floats:
    """Ranks from 1 on; equal values share the mean of their ranks."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[codes], dtype=np.float64)


def _variance_of_mean(values: Floats) -> float:
    return float(values.var(ddof=1)) / values.size if values.size > 1 else math.inf


def _newcombe(value: float, positives: int, negatives: int, z: float) -> tuple[float, float]:
    """The two AUCs whose distance from the observed one is z of their own standard errors."""
    half_rows = (positives + negatives) / 2 - 1

    def beyond(auc: float) -> float:
        spread = 1 + half_rows * ((1 - auc) / (2 - auc) + auc / (1 + auc))
        return (auc - value) ** 2 - z * z * auc * (1 - auc) * spread / (positives * negatives)

    return _zero_towards(beyond, value, 0.0), _zero_towards(beyond, value, 1.0)


def _zero_towards(function: Callable[[float], float], inside: float, outside: float) -> float:
    """Bisects from a point where the function is at most 0 to one where it is at least 0.

    At an observed 0 or 1 the observed end is its own limit, and the bisection stays there.
    """
    if inside == outside:
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if function(middle) <= 0 else (inside, middle)
    return (inside + outside) / 2
