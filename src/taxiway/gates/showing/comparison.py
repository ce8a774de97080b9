"""Pinned predictions held against each other: each metric with its interval, differences row by row where they can be.

Pure: it takes predictions that were read, and knows no version and no run.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.gates.checks.performance import curve
from taxiway.gates.laws import fairness, statistics
from taxiway.gates.laws.estimates import Estimate, GroupRate
from taxiway.gates.laws.intervals import mean, normal_quantile
from taxiway.gates.laws.predictions import Predictions
from taxiway.models.contract import Evaluation
from taxiway.web.numbers import fixed, interval, share

T = TypeVar("T")
Array = NDArray[np.generic]

CONFIDENCE = 0.95
ACCURACY, AREA = "accuracy", "area under the ROC curve"
OF_SCORES = {AREA: statistics.roc_auc, "log loss": statistics.log_loss, "Brier score": statistics.brier}
ROWS = {"log loss": statistics.log_loss_rows, "Brier score": statistics.brier_rows}


class Columns(Struct, frozen=True):
    """The columns of an evaluation, read once. score: None where there is none. dataset: whose rows they are."""

    label: Array
    prediction: Array
    score: Array | None
    dataset: str


class Measured(Struct, frozen=True):
    """What was measured on one side. A metric that its data do not define is left out.

    decides_at: the false and true positive rates of its decisions. rates, ratios: by group column, the selection rate
    of each group, and the lowest over the highest.
    """

    columns: Columns
    metrics: dict[str, Estimate]
    curve: list[tuple[float, float]]
    decides_at: tuple[float, float] | None
    rates: dict[str, list[GroupRate]]
    ratios: dict[str, Estimate]


def measure(evaluation: Evaluation, predictions: Predictions) -> Measured:
    """Every metric that the columns define, with 95 % intervals."""
    columns = Columns(
        label=predictions.values(evaluation.label),
        prediction=predictions.values(evaluation.prediction),
        score=predictions.values(evaluation.score) if evaluation.score else None,
        dataset=evaluation.dataset,
    )
    rates: dict[str, list[GroupRate]] = {}
    ratios: dict[str, Estimate] = {}
    for name in evaluation.groups:
        groups = predictions.groups(name)
        found = attempt(fairness.selection_rates, columns.prediction, groups)
        ratio = attempt(fairness.selection_rate_ratio, columns.prediction, groups)
        if found is not None and ratio is not None:
            rates[name], ratios[name] = found, ratio
    return Measured(
        columns=columns,
        metrics=metrics_of(columns),
        curve=curve(evaluation, predictions),
        decides_at=decision_point(columns),
        rates=rates,
        ratios=ratios,
    )


def attempt(law: Callable[[Array, Array], T], one: Array, other: Array) -> T | None:
    """The law's answer, or None where the data do not define it: its refusals of data are ValueErrors."""
    try:
        return law(one, other)
    except ValueError:
        return None


def metrics_of(columns: Columns) -> dict[str, Estimate]:
    found = {ACCURACY: attempt(statistics.accuracy, columns.label, columns.prediction)}
    if columns.score is not None:
        found |= {name: attempt(law, columns.label, columns.score) for name, law in OF_SCORES.items()}
    return {name: each for name, each in found.items() if each is not None and each.value is not None}


def decision_point(columns: Columns) -> tuple[float, float] | None:
    """Where on the ROC square the decisions are; None where labels or decisions are not 0 and 1."""
    try:
        label, said = statistics.binary(columns.label, "labels"), statistics.binary(columns.prediction, "predictions")
    except ValueError:
        return None
    if not 0 < label.sum() < label.size:
        return None
    return float(said[label == 0].mean()), float(said[label == 1].mean())


def difference(metric: str, before: Measured, after: Measured) -> Estimate | None:
    """How much a metric changes, from the same rows judged twice: paired, so that shared luck drops out.

    None where the two do not judge the same rows, or the metric is not there on both sides.
    """
    one, other = before.columns, after.columns
    if metric not in before.metrics or metric not in after.metrics or not are_paired(one, other):
        return None
    if metric == ACCURACY:
        hits = [statistics.hit_rows(each.label, each.prediction).astype(float) for each in (one, other)]
        return mean(hits[1] - hits[0], CONFIDENCE)
    if one.score is None or other.score is None:
        return None
    if metric == AREA:
        return area_difference(one.label, one.score, other.score)
    return mean(ROWS[metric](other.label, other.score) - ROWS[metric](one.label, one.score), CONFIDENCE)


def are_paired(one: Columns, other: Columns) -> bool:
    """Whether both judge the same rows in the same order, as far as their data and labels say."""
    return bool(one.dataset) and one.dataset == other.dataset and np.array_equal(one.label, other.label)


def area_difference(labels: Array, before: Array, after: Array) -> Estimate:
    """The difference of two areas under the ROC curve on the same rows (DeLong, DeLong and Clarke-Pearson, 1988)."""
    first, second = statistics.auc_components(labels, before), statistics.auc_components(labels, after)
    moved = [late - early for early, late in zip(first, second, strict=True)]
    value = float(moved[0].mean())
    variance = sum(float(each.var(ddof=1)) / each.size for each in moved if each.size > 1)
    half = normal_quantile(CONFIDENCE) * math.sqrt(variance)
    n = sum(each.size for each in moved)
    return Estimate(value, value - half, value + half, n, CONFIDENCE, "DeLong, paired")


def is_certain(change: Estimate | None) -> bool:
    """Whether a change is more than chance: its whole interval lies on one side of nothing."""
    if change is None or change.low is None or change.high is None:
        return False
    return change.low > 0 or change.high < 0


def names_of(sides: Sequence[Measured]) -> list[str]:
    """The metrics that any side has, in the order in which they are shown."""
    return [name for name in (ACCURACY, *OF_SCORES) if any(name in side.metrics for side in sides)]


def price(before: Measured, after: Measured, *, names: tuple[str, str]) -> str:
    """What fairness costs, in a sentence: how the widest ratio moves between two sides, and accuracy with it.

    names: what the sides are called, such as "version 1". Empty where there is nothing to weigh.
    """
    shared = [name for name in before.ratios if name in after.ratios]
    moves = [(name, before.ratios[name], after.ratios[name]) for name in shared]
    moves = [(name, one, other) for name, one, other in moves if one.value is not None and other.value is not None]
    if not moves or ACCURACY not in before.metrics or ACCURACY not in after.metrics:
        return ""
    attribute, was, becomes = max(moves, key=lambda move: abs(gain(move[1], move[2])))
    head = (
        f"{names[1][:1].upper()}{names[1][1:]} {'raises' if gain(was, becomes) >= 0 else 'lowers'} the selection-rate "
        f"ratio by {attribute} from {spoken(was)} to {spoken(becomes)}"
    )
    one, other = before.metrics[ACCURACY], after.metrics[ACCURACY]
    points = gain(one, other) * 100
    if abs(points) < 0.05:
        return f"{head}, at the same accuracy ({share(one.value)})."
    way = "costs" if points < 0 else "gains"
    told = f"{head}. It {way} {abs(points):.1f} points of accuracy, {share(one.value)} to {share(other.value)}"
    change = difference(ACCURACY, before, after)
    if change is None or change.low is None or change.high is None:
        return f"{told}."
    if not is_certain(change):
        return f"{told}; on the same rows that may be chance."
    ends = sorted(abs(end) * 100 for end in (change.low, change.high))
    return f"{told}; on the same rows between {ends[0]:.1f} and {ends[1]:.1f} points, with 95 % confidence."


def gain(before: Estimate, after: Estimate) -> float:
    return (after.value or 0.0) - (before.value or 0.0)


def spoken(estimate: Estimate) -> str:
    return f"{fixed(estimate.value, 2)} {interval(estimate.low, estimate.high, 2)}"
