"""Whether a version treats groups alike enough: the widest gap between them, judged by its whole interval."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from taxiway.gates.checks.performance import (
    WORST,
    lacks,
    no_evaluation,
    require_confidence,
    require_draws,
    threshold_of,
)
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.checks.protected import readings, sentence
from taxiway.gates.contract import Compared, Outcome
from taxiway.gates.laws import fairness
from taxiway.gates.laws.estimates import GroupRate, undefined
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.laws.rules import Threshold, judge, verdict_on
from taxiway.gates.measuring.gaps import Columns, Gap, GapName, gap, holm
from taxiway.models.contract import Evaluation

WORDS: dict[GapName, str] = {
    "selection_rate_ratio": "selection-rate ratio",
    "selection_rate_difference": "selection-rate difference",
    "equal_opportunity_difference": "equal-opportunity difference",
    "equalized_odds_difference": "equalized-odds difference",
    "predictive_parity_difference": "predictive-parity difference",
    "calibration_difference": "calibration difference",
    "mean_error_difference": "mean-error difference",
    "mean_absolute_error_difference": "mean-absolute-error difference",
}
OF_DECISIONS = ("selection_rate_ratio", "selection_rate_difference")


class FairnessAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: the column that says whom a row is about; empty asks every such column. attributes: several of them.

    intersections: their crossing too, such as black × female. min_rows: groups with fewer are shown and do not count.
    reads_protected: whether a model may read such a column, or one of `protected`, to decide. decides_from: the
    decision threshold that the predictions must have been made with. weight: the column of the rows' weights. seed,
    resamples: of the interval's random draws.
    """

    metric: GapName = "selection_rate_ratio"
    attribute: str = ""
    at_least: float | None = None
    at_most: float | None = None
    confidence: float = 0.95
    min_rows: int = fairness.MIN_ROWS
    seed: int = 0
    resamples: int = fairness.RESAMPLES
    attributes: list[str] = []
    intersections: bool = False
    protected: list[str] = []
    reads_protected: Literal["refuse", "allow"] = "refuse"
    decides_from: float | None = None
    weight: str = ""

    def __post_init__(self) -> None:
        threshold_of(self.at_least, self.at_most)
        require_fair_side(self)
        require_confidence(self.confidence)
        require_draws(self.seed, self.resamples)
        if self.min_rows < 1:
            raise ValueError("a number of rows from 1 on as min_rows")
        if self.attribute and self.attributes:
            raise ValueError("either attribute or attributes")

    @property
    def threshold(self) -> Threshold:
        return threshold_of(self.at_least, self.at_most)

    def asked(self, evaluation: Evaluation) -> list[str]:
        return [self.attribute] if self.attribute else self.attributes or evaluation.groups


def require_fair_side(asks: FairnessAsks) -> None:
    """A bound on the side where groups are alike: anything else would let an unfair model pass. Raises ValueError."""
    bound = threshold_of(asks.at_least, asks.at_most).value
    if asks.metric.endswith("_ratio"):
        if asks.at_least is None or not 0 < bound <= 1:
            raise ValueError("at_least for a ratio, above 0 and up to 1, such as 0.8")
    elif asks.at_most is None or bound < 0:
        raise ValueError("at_most for a difference, such as 0.1")
    elif bound > 1 and "error" not in asks.metric:
        raise ValueError("at_most up to 1 for a difference of rates, such as 0.1")


class Fairness:
    """Passes when the whole interval of the widest gap lies on the good side of what is asked, by every attribute, and
    the model reads none of them to decide."""

    name = "fairness"
    parameters = FairnessAsks
    inputs: tuple[Input, ...] = ("evaluation", "datasets", "bundle")
    is_live = False

    def inputs_of(self, parameters: FairnessAsks) -> tuple[Input, ...]:
        """Where the model may read what it likes, it is not looked at."""
        return self.inputs if parameters.reads_protected == "refuse" else self.inputs[:1]

    def title(self, parameters: FairnessAsks) -> str:
        about = parameters.attribute or ", ".join(parameters.attributes) or "every group column"
        crossed = " and crossed" if parameters.intersections else ""
        return f"{WORDS[parameters.metric]} by {about}{crossed} {parameters.threshold}"

    def ask(self, parameters: FairnessAsks, case: Case) -> Outcome:
        evaluation = case.version.evaluation
        if evaluation is None:
            return no_evaluation()
        asked = parameters.asked(evaluation)
        if lacking := [name for name in asked or ["at least one column"] if name not in evaluation.groups]:
            known = ", ".join(evaluation.groups) or "none"
            return Outcome(
                "missing",
                f"The predictions name no group by {', '.join(lacking)}; the group columns are: {known}.",
                "Log predictions with groups=[…] and the model as a new version.",
            )
        predictions = case.predictions()
        if refusal := lacks(predictions, parameters.weight) or other_threshold(parameters, evaluation, case):
            return refusal
        outcome = by_attributes(parameters, asked, evaluation, predictions)
        if parameters.reads_protected == "allow":
            return outcome
        return with_readings(outcome, case, [*asked, *parameters.protected])


def by_attributes(
    parameters: FairnessAsks, asked: list[str], evaluation: Evaluation, predictions: Predictions
) -> Outcome:
    """Passes where every attribute does. That one fails is said only if it still does for being one of several."""
    groups = {name: predictions.groups(name) for name in asked}
    if parameters.intersections and len(asked) > 1:
        groups[" × ".join(asked)] = fairness.crossed(list(groups.values()))
    found = {name: measured(parameters, each, evaluation, predictions) for name, each in groups.items()}
    tested = [name for name, each in found.items() if each.p is not None]
    adjusted = dict(zip(tested, holm([p for name in tested if (p := found[name].p) is not None]), strict=True))
    outcomes, comparisons = [], []
    for name, each in found.items():
        outcome = judged(parameters, name, each, adjusted.get(name), len(tested))
        rates = selection_rates(parameters, groups[name], evaluation, predictions)
        outcomes.append(replace(outcome, groups=rates))
        comparisons += compared(parameters, name, each, outcome, adjusted.get(name))
    worst = min(outcomes, key=lambda outcome: WORST.index(outcome.verdict))
    count = f" {len(found)} attributes were compared, and Holm's correction holds for all together."
    return replace(worst, comparisons=comparisons, reason=worst.reason + (count if len(found) > 1 else ""))


def judged(parameters: FairnessAsks, name: str, found: Gap, adjusted: float | None, tested: int) -> Outcome:
    words = f"{WORDS[parameters.metric]} by {name}"
    judgement = judge(words, found.estimate, parameters.threshold, subject="fairness", groups=found.values)
    verdict, reason, advice = judgement.verdict, judgement.reason, ""
    if verdict == "fail" and adjusted is not None and tested > 1 and adjusted > 1 - parameters.confidence:
        verdict = "inconclusive"
        reason += f" As one of {tested} comparisons that may be chance (Holm-adjusted p {adjusted:.3f})."
    if verdict == "inconclusive":
        advice = "Evaluate on more rows, or log a mitigated model as a new version."
    elif verdict == "fail":
        advice = "Log a mitigated model as a new version."
    return Outcome(
        verdict=verdict,
        reason=reason,
        advice=advice,
        metric=words,
        estimate=found.estimate,
        threshold=parameters.threshold,
        rows_needed=judgement.rows_needed,
    )


def compared(
    parameters: FairnessAsks, name: str, found: Gap, outcome: Outcome, adjusted: float | None
) -> list[Compared]:
    """The widest gap by an attribute, and below it each group against the one that all are held against."""
    asked = parameters.threshold
    widest = Compared(f"widest by {name}", found.estimate, asked.value, outcome.verdict, adjusted)
    signs = 1 if parameters.metric == "selection_rate_ratio" else -1  # a difference to the highest is below 0
    return [widest] + [
        Compared(
            what,
            estimate,
            asked.value * signs,
            verdict_on(estimate, Threshold("at_least", asked.value * signs)) if is_counted else None,
            is_counted=is_counted,
        )
        for what, estimate, is_counted in found.pairs
    ]


def with_readings(outcome: Outcome, case: Case, protected: list[str]) -> Outcome:
    """Fails what reads a protected column, whatever the numbers are."""
    found = readings(case, list(dict.fromkeys(protected)))
    if not found:
        return outcome
    reason = f"{sentence(found)} That is refused here, whatever the numbers say. {outcome.reason}"
    advice = "Log a model that decides without it as a new version; a path may allow it with `reads_protected: allow`."
    return replace(outcome, verdict="fail", reason=reason, advice=advice, rows_needed=None)


def other_threshold(parameters: FairnessAsks, evaluation: Evaluation, case: Case) -> Outcome | None:
    """The answer where decisions were not made with the threshold that the path pins, or that the model decides by."""
    pinned, decides = parameters.decides_from, case.version.threshold
    if pinned is not None and evaluation.score:
        scores = case.predictions().values(evaluation.score)
        said = case.predictions().values(evaluation.prediction)
        with np.errstate(invalid="ignore"):
            other = int(np.sum((scores >= pinned) != (said == 1)))
        if other:
            reason = f"{other:,} of {evaluation.rows:,} pinned decisions are not those of the threshold {pinned:g}."
            return Outcome("fail", reason, f"Decide from {pinned:g} on, and log it as a new version.")
    asked = evaluation.threshold if pinned is None else pinned
    if decides is None or not evaluation.score or decides == asked:
        return None
    reason = f"It was judged on decisions from {asked:g} on, and it decides from {decides:g} on."
    return Outcome("fail", reason, "Pin the decisions of the threshold that the model has, as a new version.")


def measured(parameters: FairnessAsks, groups: NDArray[Any], evaluation: Evaluation, predictions: Predictions) -> Gap:
    """The widest gap; undefined, with the reason, where a column cannot be measured."""
    try:
        draws = fairness.Draws(confidence=parameters.confidence, seed=parameters.seed, resamples=parameters.resamples)
        columns = Columns(
            labels=None if parameters.metric in OF_DECISIONS else predictions.values(evaluation.label),
            predictions=predictions.values(evaluation.prediction),
            groups=groups,
            scores=predictions.values(evaluation.score) if evaluation.score else None,
            weights=predictions.values(parameters.weight) if parameters.weight else None,
        )
        return gap(parameters.metric, columns, draws, threshold=parameters.threshold, min_rows=parameters.min_rows)
    except ValueError as e:  # the laws' refusals of data are ValueErrors
        estimate = undefined(str(e), n=evaluation.rows, confidence=parameters.confidence, method="none")
        return Gap(estimate, None, [], [])


def selection_rates(
    parameters: FairnessAsks, groups: NDArray[Any], evaluation: Evaluation, predictions: Predictions
) -> list[GroupRate]:
    """The share decided positively in each group; none where decisions are no yes or no."""
    try:
        said = predictions.values(evaluation.prediction)
        return fairness.selection_rates(said, groups, confidence=parameters.confidence, min_rows=parameters.min_rows)
    except ValueError:
        return []
