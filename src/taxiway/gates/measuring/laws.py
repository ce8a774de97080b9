"""Metrics that are smooth functions of means over rows: each gives its rows, and its value from their means.

That is all an interval needs: rows can be weighted, summed within clusters, drawn again and held against another
model's without the metric knowing. The values are scikit-learn's to 1e-12.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws.intervals import Floats, present
from taxiway.gates.laws.statistics import binary, brier_rows, hit_rows, log_loss_rows, require_equal_rows

Takes = Literal["prediction", "score"]
Better = Literal["higher", "lower"]
Scale = Literal["share", "positive", "signed", "correlation"]
Values = NDArray[Any]
TINY = float(np.finfo(np.float64).eps)  # what scikit-learn divides by at least


class NotNumbers(ValueError):
    """A column that must hold numbers holds texts."""


class Undefined(ValueError):
    """These rows do not define the metric."""


@dataclass(frozen=True)
class Law:
    """A metric. takes: which column is held against the labels. better: which way. scale: what its values can be.

    rows: from labels and the column to one row of numbers each, shape (rows, parts). of: from their means, shape
    (..., parts), to the value; built of arithmetic alone, so that its slope can be taken. why_not: why means define
    no value, in a sentence; empty where they do.
    """

    words: str
    takes: Takes
    better: Better
    scale: Scale
    rows: Callable[[Values, Values], Floats]
    of: Callable[[Values], Values]
    why_not: Callable[[Floats], str] = lambda means: ""


def first(means: Values) -> Values:
    return np.asarray(means[..., 0])


def root(means: Values) -> Values:
    return np.sqrt(means[..., 0])


def column(law: Callable[[Any, Any], Any]) -> Callable[[Values, Values], Floats]:
    """A law of one number a row, as a table of one column."""
    return lambda labels, other: np.asarray(law(labels, other), dtype=np.float64)[:, None]


# --- classification ---


def table_rows(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Of 0 and 1, row by row: true positive, labelled 1, predicted 1."""
    y, said = binary(labels, "labels"), binary(predictions, "predictions")
    require_equal_rows(labels=y.size, predictions=said.size)
    return np.column_stack([y * said, y, said])


def f1(means: Values) -> Values:
    return np.asarray(2 * means[..., 0] / (means[..., 1] + means[..., 2]))


def precision(means: Values) -> Values:
    return np.asarray(means[..., 0] / means[..., 2])


def recall(means: Values) -> Values:
    return np.asarray(means[..., 0] / means[..., 1])


def specificity(means: Values) -> Values:
    return np.asarray(1 - (means[..., 2] - means[..., 0]) / (1 - means[..., 1]))


def matthews(means: Values) -> Values:
    both, label, said = means[..., 0], means[..., 1], means[..., 2]
    return np.asarray((both - label * said) / np.sqrt(label * (1 - label) * said * (1 - said)))


def no_positives(means: Floats) -> str:
    return "" if means[1] > 0 else "No row is labelled 1."


def no_negatives(means: Floats) -> str:
    return "" if means[1] < 1 else "No row is labelled 0."


def nothing_predicted(means: Floats) -> str:
    return "" if means[2] > 0 else "No row is predicted 1."


def neither(means: Floats) -> str:
    return "" if means[1] + means[2] > 0 else "No row is labelled or predicted 1."


def one_class(means: Floats) -> str:
    return "" if 0 < means[1] < 1 and 0 < means[2] < 1 else "All rows are labelled, or predicted, alike."


def class_rows(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """For each class that is labelled, row by row: found, and labelled. Any number of classes."""
    truth, said = np.asarray(labels).ravel(), np.asarray(predictions).ravel()
    hits = hit_rows(truth, said)
    names = np.unique(truth)
    of_class = (truth[:, None] == names[None, :]).astype(np.float64)
    return np.concatenate([of_class * hits[:, None], of_class], axis=1)


def balanced(means: Values) -> Values:
    classes = means.shape[-1] // 2
    return np.asarray((means[..., :classes] / means[..., classes:]).mean(axis=-1))


# --- regression ---


def pair(labels: ArrayLike, predictions: ArrayLike) -> tuple[Floats, Floats]:
    for name, given in (("labels", labels), ("predictions", predictions)):
        if np.asarray(given).dtype.kind not in "fiub":
            raise NotNumbers(f"{name} are texts. A metric of errors needs numbers.")
    y, said = present(labels), present(predictions)
    require_equal_rows(labels=y.size, predictions=said.size)
    return y, said


def squared(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    y, said = pair(labels, predictions)
    return np.asarray((y - said) ** 2)


def absolute(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    y, said = pair(labels, predictions)
    return np.abs(y - said)


def signed(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Row by row, how much is predicted too much."""
    y, said = pair(labels, predictions)
    return np.asarray(said - y)


def relative(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    y, said = pair(labels, predictions)
    return np.asarray(np.abs(y - said) / np.maximum(np.abs(y), TINY))


def explained_rows(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Row by row: squared error, label and its square, centred so that little is lost in subtraction."""
    y, said = pair(labels, predictions)
    centred = y - (y.mean() if y.size else 0.0)
    return np.column_stack([(y - said) ** 2, centred, centred**2])


def determination(means: Values) -> Values:
    return np.asarray(1 - means[..., 0] / (means[..., 2] - means[..., 1] ** 2))


def all_alike(means: Floats) -> str:
    return "" if means[2] - means[1] ** 2 > 0 else "All labels are the same."


def pinball(quantile: float) -> Callable[[Any, Any], Floats]:
    """Row by row, the loss that a predicted quantile makes smallest."""

    def rows(labels: ArrayLike, predictions: ArrayLike) -> Floats:
        y, said = pair(labels, predictions)
        return np.asarray(np.where(y >= said, quantile * (y - said), (1 - quantile) * (said - y)))

    return rows


def covered(labels: ArrayLike, predictions: ArrayLike) -> Floats:
    """Row by row, whether the label lies at most at the predicted quantile."""
    y, said = pair(labels, predictions)
    return np.asarray(y <= said, dtype=np.float64)


def quantile_loss(quantile: float) -> Law:
    return Law(f"quantile loss ({quantile:g})", "prediction", "lower", "positive", column(pinball(quantile)), first)


LAWS: dict[str, Law] = {
    "accuracy": Law("accuracy", "prediction", "higher", "share", column(hit_rows), first),
    "balanced_accuracy": Law("balanced accuracy", "prediction", "higher", "share", class_rows, balanced),
    "f1": Law("F1", "prediction", "higher", "share", table_rows, f1, neither),
    "precision": Law("precision", "prediction", "higher", "share", table_rows, precision, nothing_predicted),
    "recall": Law("recall", "prediction", "higher", "share", table_rows, recall, no_positives),
    "specificity": Law("specificity", "prediction", "higher", "share", table_rows, specificity, no_negatives),
    "matthews": Law("Matthews correlation", "prediction", "higher", "correlation", table_rows, matthews, one_class),
    "log_loss": Law("log loss", "score", "lower", "positive", column(log_loss_rows), first),
    "brier": Law("Brier score", "score", "lower", "positive", column(brier_rows), first),
    "rmse": Law("root mean squared error", "prediction", "lower", "positive", column(squared), root),
    "mse": Law("mean squared error", "prediction", "lower", "positive", column(squared), first),
    "mae": Law("mean absolute error", "prediction", "lower", "positive", column(absolute), first),
    "mape": Law("mean absolute percentage error", "prediction", "lower", "positive", column(relative), first),
    "mean_error": Law("mean error", "prediction", "lower", "signed", column(signed), first),
    "r2": Law("R²", "prediction", "higher", "signed", explained_rows, determination, all_alike),
}
