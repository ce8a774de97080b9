"""Whether a version is good enough: a metric on its pinned predictions, judged by its whole interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from taxiway.gates import statistics
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.estimates import Estimate, undefined
from taxiway.gates.intervals import present
from taxiway.gates.predictions import Predictions
from taxiway.gates.rules import Threshold, judge
from taxiway.models.contract import Evaluation

Metric = Literal["accuracy", "roc_auc", "log_loss", "brier"]
WORDS: dict[Metric, str] = {
    "accuracy": "accuracy",
    "roc_auc": "area under the ROC curve",
    "log_loss": "log loss",
    "brier": "Brier score",
}
OF_SCORES: dict[Metric, Callable[[Any, Any, float], Estimate]] = {
    "roc_auc": statistics.roc_auc,
    "log_loss": statistics.log_loss,
    "brier": statistics.brier,
}
CURVE_POINTS = 120


def threshold_of(at_least: float | None, at_most: float | None) -> Threshold:
    """The one of two that is given. Raises ValueError, in the words of a refusal, for none, both or no number."""
    if (at_least is None) == (at_most is None):
        raise ValueError("exactly one of at_least and at_most")
    if at_least is not None:
        return Threshold("at_least", at_least)
    assert at_most is not None
    return Threshold("at_most", at_most)


class PerformanceAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """metric: on the evaluation's predictions. confidence: of the two-sided interval."""

    metric: Metric
    at_least: float | None = None
    at_most: float | None = None
    confidence: float = 0.95

    def __post_init__(self) -> None:
        threshold_of(self.at_least, self.at_most)
        require_confidence(self.confidence)


def require_confidence(confidence: float) -> None:
    if not 0.5 <= confidence < 1:
        raise ValueError("a confidence from 0.5 to below 1, such as 0.95")


class Performance:
    """Passes when the whole interval of the metric lies on the good side of what is asked."""

    name = "performance"
    parameters = PerformanceAsks
    inputs: tuple[Input, ...] = ("evaluation",)
    is_live = False

    def title(self, parameters: PerformanceAsks) -> str:
        return f"{WORDS[parameters.metric]} {threshold_of(parameters.at_least, parameters.at_most)}"

    def ask(self, parameters: PerformanceAsks, case: Case) -> Outcome:
        evaluation = case.version.evaluation
        if evaluation is None:
            return no_evaluation()
        words = WORDS[parameters.metric]
        if parameters.metric != "accuracy" and not evaluation.score:
            reason = f"The predictions have no score, and {words} is measured on scores."
            return Outcome("missing", reason, "Log predictions with score=… and the model as a new version.")
        threshold = threshold_of(parameters.at_least, parameters.at_most)
        predictions = case.predictions()
        estimate = measured(parameters, evaluation, predictions)
        judgement = judge(words, estimate, threshold, subject="performance")
        return Outcome(
            verdict=judgement.verdict,
            reason=judgement.reason,
            advice=advice(judgement.verdict),
            metric=words,
            estimate=estimate,
            threshold=threshold,
            rows_needed=judgement.rows_needed,
            curve=curve(evaluation, predictions),
        )


def no_evaluation() -> Outcome:
    return Outcome(
        "missing",
        "The version has no pinned predictions to judge it by.",
        "Log them with run.log_predictions and give them to run.log_model, as a new version.",
    )


def advice(verdict: str) -> str:
    if verdict == "inconclusive":
        return "Evaluate on more rows, or log a better model as a new version."
    return "Log a better model as a new version." if verdict == "fail" else ""


def measured(parameters: PerformanceAsks, evaluation: Evaluation, predictions: Predictions) -> Estimate:
    """The metric's estimate; undefined, with the reason, where a column cannot be measured (NaN, odd values)."""
    try:
        labels = predictions.values(evaluation.label)
        if parameters.metric == "accuracy":
            return statistics.accuracy(labels, predictions.values(evaluation.prediction), parameters.confidence)
        scores = predictions.values(evaluation.score)
        return OF_SCORES[parameters.metric](labels, scores, parameters.confidence)
    except ValueError as e:  # the laws' refusals of data are ValueErrors
        return undefined(str(e), n=evaluation.rows, confidence=parameters.confidence, method="none")


def curve(evaluation: Evaluation, predictions: Predictions) -> list[tuple[float, float]]:
    """The ROC curve, thinned; empty where labels are not 0 and 1 or there are no scores."""
    if not evaluation.score:
        return []
    try:
        labels = statistics.binary(predictions.values(evaluation.label), "labels")
        scores = present(predictions.values(evaluation.score))
    except ValueError:
        return []
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), scores.size - 1)  # rows of equal score move together
    hits, misses = np.cumsum(labels[order])[ends], np.cumsum(1 - labels[order])[ends]
    if not scores.size or hits[-1] == 0 or misses[-1] == 0:
        return []
    kept = np.unique(np.linspace(0, ends.size - 1, min(ends.size, CURVE_POINTS)).astype(int))
    points = zip(misses[kept] / misses[-1], hits[kept] / hits[-1], strict=True)
    return [(0.0, 0.0), *((round(float(x), 5), round(float(y), 5)) for x, y in points)]
