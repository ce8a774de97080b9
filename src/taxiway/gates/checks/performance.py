"""Whether a version is good enough: a metric on its pinned predictions, judged by its whole interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.checks.rivals import Rival, rival_of
from taxiway.gates.contract import Compared, Outcome, Verdict
from taxiway.gates.laws import statistics
from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import present
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.laws.rules import Threshold, judge
from taxiway.gates.measuring import metrics, splits
from taxiway.gates.measuring.engine import RESAMPLES, Ways
from taxiway.gates.measuring.splits import Split
from taxiway.models.contract import Evaluation

CURVE_POINTS = 120
FOLD = "fold"
MetricName = Annotated[str, Meta(extra_json_schema={"enum": list(metrics.NAMES)})]
WORST: tuple[Verdict, ...] = ("fail", "missing", "inconclusive", "pass")


def threshold_of(at_least: float | None, at_most: float | None) -> Threshold:
    """The one of two that is given. Raises ValueError, in the words of a refusal, for none, both or no number."""
    if (at_least is None) == (at_most is None):
        raise ValueError("exactly one of at_least and at_most")
    if at_least is not None:
        return Threshold("at_least", at_least)
    assert at_most is not None
    return Threshold("at_most", at_most)


class PerformanceAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """metric: on the evaluation's predictions. confidence: of the two-sided interval.

    not_worse_than: the champion, judged on the same rows; `by` is how much worse still counts as not worse. cluster:
    the column by which rows err together, such as the day or the customer. weight: the column of the rows' weights.
    split: how the evaluation must have been kept apart from the training rows. quantile: of `quantile_loss` alone.
    seed, resamples: of the interval's random draws, where it draws.
    """

    metric: MetricName
    at_least: float | None = None
    at_most: float | None = None
    not_worse_than: Literal["champion"] | None = None
    by: float | None = None
    confidence: float = 0.95
    cluster: str = ""
    weight: str = ""
    split: Split | None = None
    quantile: float = 0.5
    seed: int = 0
    resamples: int = RESAMPLES

    def __post_init__(self) -> None:
        if self.metric not in metrics.NAMES:
            raise ValueError(
                f"metric: one of {', '.join(metrics.OWN)}, or another of scikit-learn's names, such as f1_macro"
            )
        if self.not_worse_than is None:
            bound = threshold_of(self.at_least, self.at_most).value
            if self.metric in metrics.SHARES and not 0 <= bound <= 1:
                raise ValueError(f"a share from 0 to 1 for {self.metric}, such as 0.85")
            if self.by is not None:
                raise ValueError("`by` only beside not_worse_than")
        elif self.at_least is not None or self.at_most is not None:
            raise ValueError("exactly one of at_least, at_most and not_worse_than")
        elif self.by is None or not 0 < self.by < float("inf"):
            raise ValueError("beside not_worse_than how much worse still counts as not worse, such as by: 0.01")
        require_confidence(self.confidence)
        require_draws(self.seed, self.resamples)
        if not 0 < self.quantile < 1:
            raise ValueError("a quantile between 0 and 1, such as 0.9")

    @property
    def of(self) -> metrics.Metric:
        return metrics.Metric(self.metric, self.quantile)

    @property
    def threshold(self) -> Threshold:
        """What is asked of the metric, or of its difference to the champion's."""
        if self.by is None:
            return threshold_of(self.at_least, self.at_most)
        return Threshold("at_least", -self.by) if self.of.is_higher_better else Threshold("at_most", self.by)


def require_confidence(confidence: float) -> None:
    if not 0.5 <= confidence < 1:
        raise ValueError("a confidence from 0.5 to below 1, such as 0.95")


def require_draws(seed: int, resamples: int) -> None:
    if not 2_000 <= resamples <= 200_000:
        raise ValueError("from 2000 to 200000 resamples")
    if seed < 0:
        raise ValueError("a seed from 0 on")


class Performance:
    """Passes when the whole interval of the metric lies on the good side of what is asked."""

    name = "performance"
    parameters = PerformanceAsks
    inputs: tuple[Input, ...] = ("evaluation", "datasets", "bundle", "champion")
    is_live = False

    def inputs_of(self, parameters: PerformanceAsks) -> tuple[Input, ...]:
        """The champion matters only to who is held against it."""
        return self.inputs if parameters.not_worse_than else self.inputs[:2]

    def title(self, parameters: PerformanceAsks) -> str:
        by = f", rows clustered by {parameters.cluster}" if parameters.cluster else ""
        if parameters.by is not None:
            return f"{parameters.of.words} not worse than the champion's by more than {parameters.by:g}{by}"
        return f"{parameters.of.words} {parameters.threshold}{by}"

    def ask(self, parameters: PerformanceAsks, case: Case) -> Outcome:
        evaluation = case.version.evaluation
        if evaluation is None:
            return no_evaluation()
        if parameters.of.takes == "score" and not evaluation.score:
            reason = f"The predictions have no score, and {parameters.of.words} is measured on scores."
            return Outcome("missing", reason, "Log predictions with score=… and the model as a new version.")
        predictions = case.predictions()
        if lacking := lacks(predictions, parameters.cluster, parameters.weight):
            return lacking
        if parameters.not_worse_than:
            outcome = against_champion(parameters, evaluation, case)
        else:
            estimate = measured(parameters, evaluation, predictions)
            outcome = judged(parameters, parameters.of.words, estimate)
        outcome = msgspec.structs.replace(outcome, curve=curve(evaluation, predictions))
        return with_split(parameters, outcome, evaluation, case)


def judged(parameters: PerformanceAsks, words: str, estimate: Estimate) -> Outcome:
    judgement = judge(words, estimate, parameters.threshold, subject="performance")
    return Outcome(
        verdict=judgement.verdict,
        reason=judgement.reason,
        advice=advice(judgement.verdict),
        metric=words,
        estimate=estimate,
        threshold=parameters.threshold,
        rows_needed=judgement.rows_needed,
    )


def against_champion(parameters: PerformanceAsks, evaluation: Evaluation, case: Case) -> Outcome:
    """Both models on the same rows, so that what these rows have of luck drops out."""
    champion = case.champion()
    metric = parameters.of
    if champion is None:
        return Outcome("pass", "No version stands in production, so there is no champion to be worse than.")
    name = champion.version.ref.removeprefix("model:")
    try:
        rival = rival_of(case, champion, metric.takes)
    except ValueError as e:
        return Outcome("missing", f"It cannot be held against {name}: {e}", "Judge both on the same pinned dataset.")
    own = measured(parameters, evaluation, case.predictions())
    ways = ways_of(parameters, case.predictions())
    try:
        labels = case.predictions().values(evaluation.label)
        theirs = metric.measure(labels, rival.column, ways)
        change = metric.compare(labels, rival.column, own_column(metric, evaluation, case.predictions()), ways)
    except ValueError as e:
        change = undefined(str(e), n=evaluation.rows, confidence=parameters.confidence, method="none")
        theirs = change
    outcome = judged(parameters, f"{metric.words} less that of {name} on the same rows", change)
    asked = parameters.threshold.value
    comparisons = [
        Compared(case.version.ref.removeprefix("model:"), own),
        Compared(name, theirs),
        Compared(f"less {name}", change, asked, outcome.verdict),
    ]
    return msgspec.structs.replace(outcome, comparisons=comparisons, warnings=warnings_of(rival))


def warnings_of(rival: Rival) -> list[str]:
    if rival.is_pinned:
        return []
    return ["The champion was asked anew on these rows; whether it was trained on some of them is not known."]


def own_column(metric: metrics.Metric, evaluation: Evaluation, predictions: Predictions) -> NDArray[Any]:
    return predictions.values(evaluation.score if metric.takes == "score" else evaluation.prediction)


def lacks(predictions: Predictions, *named: str) -> Outcome | None:
    """The answer where a column that a gate names was not pinned."""
    missing = [each for each in named if each and each not in predictions.columns]
    if not missing:
        return None
    return Outcome(
        "missing",
        f"The predictions have no column {', '.join(missing)}; they have {', '.join(predictions.columns)}.",
        "Log predictions with others=[…] and the model as a new version.",
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


def ways_of(parameters: PerformanceAsks, predictions: Predictions) -> Ways:
    return Ways(
        confidence=parameters.confidence,
        seed=parameters.seed,
        resamples=parameters.resamples,
        clusters=texts(predictions, parameters.cluster) if parameters.cluster else None,
        weights=predictions.values(parameters.weight) if parameters.weight else None,
    )


def texts(predictions: Predictions, column: str) -> NDArray[Any]:
    """A column's values as names, so that whatever it holds can be told apart."""
    return np.array([str(each) for each in predictions.groups(column)], dtype=str)


def measured(parameters: PerformanceAsks, evaluation: Evaluation, predictions: Predictions) -> Estimate:
    """The metric's estimate; undefined, with the reason, where a column cannot be measured (NaN, odd values)."""
    try:
        labels = predictions.values(evaluation.label)
        column = own_column(parameters.of, evaluation, predictions)
        return parameters.of.measure(labels, column, ways_of(parameters, predictions))
    except ValueError as e:  # the laws' refusals of data are ValueErrors
        return undefined(str(e), n=evaluation.rows, confidence=parameters.confidence, method="none")


def with_split(parameters: PerformanceAsks, outcome: Outcome, evaluation: Evaluation, case: Case) -> Outcome:
    """The outcome with what is to be said of the rows it rests on; a split that was not kept is the worse verdict."""
    predictions, said = case.predictions(), [*outcome.warnings]
    if parameters.cluster:
        clusters = len(set(texts(predictions, parameters.cluster)))
        if clusters < metrics.FEW_CLUSTERS:
            few = (
                f"Only {clusters} values of {parameters.cluster}: with few clusters an interval may be too narrow still"
            )
            said.append(f"{few}; {metrics.FEW_CLUSTERS} or more are sound.")
    split = parameters.split
    if split is None or split.by != "time":
        times = predictions.groups(evaluation.time) if evaluation.time else None
        trained = columns_of(case, evaluation, evaluation.time) if times is not None else {}
        if warning := splits.warn_of_random(times, evaluation.split, trained, evaluation.time):
            said.append(warning)
    if split is None:
        return told(outcome, said)
    if lacking := lacks(predictions, split.column):
        return lacking
    folds = predictions.groups(FOLD) if FOLD in predictions.columns else None
    trained = columns_of(case, evaluation, split.column)
    found = splits.verify(split, predictions.groups(split.column), trained, folds)
    verdict = min((outcome.verdict, found.verdict), key=WORST.index)
    how = outcome.advice
    if found.verdict != "pass":
        how = f"Judge it on rows kept apart by {split.column}, and log it as a new version."
    reason = f"{found.reason} {outcome.reason}" if found.verdict != "pass" else f"{outcome.reason} {found.reason}"
    return told(msgspec.structs.replace(outcome, verdict=verdict, reason=reason, advice=how), said)


def told(outcome: Outcome, warnings: list[str]) -> Outcome:
    """The outcome with its warnings, which are said with its reason."""
    if not warnings:
        return outcome
    return msgspec.structs.replace(outcome, warnings=warnings, reason=" ".join([outcome.reason, *warnings]))


def columns_of(case: Case, evaluation: Evaluation, column: str) -> Mapping[str, NDArray[Any]]:
    """A column of the training datasets that have it, but of the one that the evaluation is of."""
    return {
        ref: np.array(table[column].to_pylist(), dtype=object)
        for ref, table in case.training().items()
        if column in table.column_names and ref != evaluation.dataset
    }


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
