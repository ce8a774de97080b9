"""Whether a version treats groups alike enough: the widest gap between them, judged by its whole interval."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from taxiway.gates import fairness
from taxiway.gates.checks.performance import no_evaluation, require_confidence, threshold_of
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome, Verdict
from taxiway.gates.estimates import Estimate, GroupRate, undefined
from taxiway.gates.predictions import Predictions
from taxiway.gates.rules import judge
from taxiway.models.contract import Evaluation

Metric = Literal[
    "selection_rate_ratio", "selection_rate_difference", "equal_opportunity_difference", "equalized_odds_difference"
]
WORDS: dict[Metric, str] = {
    "selection_rate_ratio": "selection-rate ratio",
    "selection_rate_difference": "selection-rate difference",
    "equal_opportunity_difference": "equal-opportunity difference",
    "equalized_odds_difference": "equalized-odds difference",
}
WORST: tuple[Verdict, ...] = ("fail", "missing", "inconclusive", "pass")


class FairnessAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """attribute: the column that says whom a row is about; empty asks every such column, and the worst counts.

    min_rows: groups with fewer are shown and do not count. seed, resamples: of the interval's random draws.
    """

    metric: Metric = "selection_rate_ratio"
    attribute: str = ""
    at_least: float | None = None
    at_most: float | None = None
    confidence: float = 0.95
    min_rows: int = fairness.MIN_ROWS
    seed: int = 0
    resamples: int = fairness.RESAMPLES

    def __post_init__(self) -> None:
        threshold_of(self.at_least, self.at_most)
        require_confidence(self.confidence)
        if self.min_rows < 1:
            raise ValueError("a number of rows from 1 on as min_rows")
        if not 2_000 <= self.resamples <= 200_000:
            raise ValueError("from 2000 to 200000 resamples")
        if self.seed < 0:
            raise ValueError("a seed from 0 on")


class Fairness:
    """Passes when the whole interval of the widest gap lies on the good side of what is asked."""

    name = "fairness"
    parameters = FairnessAsks
    inputs: tuple[Input, ...] = ("evaluation",)
    is_live = False

    def title(self, parameters: FairnessAsks) -> str:
        about = parameters.attribute or "every group column"
        return f"{WORDS[parameters.metric]} by {about} {threshold_of(parameters.at_least, parameters.at_most)}"

    def ask(self, parameters: FairnessAsks, case: Case) -> Outcome:
        evaluation = case.version.evaluation
        if evaluation is None:
            return no_evaluation()
        asked = [parameters.attribute] if parameters.attribute else evaluation.groups
        if lacking := [name for name in asked or ["at least one column"] if name not in evaluation.groups]:
            known = ", ".join(evaluation.groups) or "none"
            return Outcome(
                "missing",
                f"The predictions name no group by {', '.join(lacking)}; the group columns are: {known}.",
                "Log predictions with groups=[…] and the model as a new version.",
            )
        outcomes = [by_attribute(parameters, name, evaluation, case.predictions()) for name in asked]
        return min(outcomes, key=lambda outcome: WORST.index(outcome.verdict))


def by_attribute(parameters: FairnessAsks, attribute: str, evaluation: Evaluation, predictions: Predictions) -> Outcome:
    words = f"{WORDS[parameters.metric]} by {attribute}"
    threshold = threshold_of(parameters.at_least, parameters.at_most)
    estimate, rates = measured(parameters, attribute, evaluation, predictions)
    judgement = judge(words, estimate, threshold, subject="fairness", groups=rates)
    advice = ""
    if judgement.verdict == "inconclusive":
        advice = "Evaluate on more rows, or log a mitigated model as a new version."
    elif judgement.verdict == "fail":
        advice = "Log a mitigated model as a new version."
    return Outcome(
        verdict=judgement.verdict,
        reason=judgement.reason,
        advice=advice,
        metric=words,
        estimate=estimate,
        threshold=threshold,
        rows_needed=judgement.rows_needed,
        groups=rates,
    )


def measured(
    parameters: FairnessAsks, attribute: str, evaluation: Evaluation, predictions: Predictions
) -> tuple[Estimate, list[GroupRate]]:
    """The gap's estimate and the selection rates; undefined, with the reason, where a column cannot be measured."""
    confidence, least = parameters.confidence, parameters.min_rows
    try:
        said, groups = predictions.values(evaluation.prediction), predictions.groups(attribute)
        rates = fairness.selection_rates(said, groups, confidence=confidence, min_rows=least)
        draws: dict[str, Any] = {"confidence": confidence, "seed": parameters.seed, "min_rows": least}
        match parameters.metric:
            case "selection_rate_ratio":
                ratio = fairness.selection_rate_ratio
                return ratio(said, groups, resamples=parameters.resamples, **draws), rates
            case "selection_rate_difference":
                difference = fairness.selection_rate_difference
                return difference(said, groups, resamples=parameters.resamples, **draws), rates
            case "equal_opportunity_difference":
                opportunity = fairness.equal_opportunity_difference
                return opportunity(predictions.values(evaluation.label), said, groups, **draws), rates
            case "equalized_odds_difference":
                odds = fairness.equalized_odds_difference
                return odds(predictions.values(evaluation.label), said, groups, **draws), rates
    except ValueError as e:  # the laws' refusals of data are ValueErrors
        return undefined(str(e), n=evaluation.rows, confidence=confidence, method="none"), []
