"""Whether a version's probabilities come true: slope and intercept, expected calibration error, Brier score."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from taxiway.gates.checks.performance import (
    WORST,
    advice,
    lacks,
    no_evaluation,
    require_confidence,
    require_draws,
    texts,
)
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Bin, Compared, Outcome, Verdict
from taxiway.gates.laws import statistics
from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.laws.rules import Threshold, interval_words, judge
from taxiway.gates.measuring.calibration import BINS, calibrate
from taxiway.gates.measuring.engine import RESAMPLES, Ways
from taxiway.models.contract import Evaluation

LARGEST_ERROR = 0.05
SLOPE, ERROR, BRIER = "calibration slope", "expected calibration error", "Brier score"


class CalibrationAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """ece, brier: the most that they may be. slope: whether its interval must hold 1. What is named is asked, and
    nothing else; where none is, an error of at most 0.05 and the slope are.

    group: a column whose groups must each be calibrated; min_rows: smaller ones are shown and do not count. bins: of
    the error and the curve. cluster: the column by which rows err together. seed, resamples: of the random draws.
    """

    ece: float | None = None
    brier: float | None = None
    slope: bool | None = None
    group: str = ""
    min_rows: int = 100
    bins: int = BINS
    confidence: float = 0.95
    cluster: str = ""
    seed: int = 0
    resamples: int = RESAMPLES

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        require_draws(self.seed, self.resamples)
        if self.asked == (None, None, False):
            raise ValueError("something to ask: ece, brier or slope")
        if any(each is not None and not 0 < each <= 1 for each in (self.ece, self.brier)):
            raise ValueError("an error above 0 and up to 1, such as 0.05")
        if not 2 <= self.bins <= 100 or self.min_rows < 1:
            raise ValueError("from 2 to 100 bins, and min_rows from 1 on")

    @property
    def asked(self) -> tuple[float | None, float | None, bool]:
        """The most that the error and the Brier score may be, and whether the slope is asked for."""
        if self.ece is None and self.brier is None and self.slope is None:
            return LARGEST_ERROR, None, True
        return self.ece, self.brier, bool(self.slope)


class Calibration:
    """Passes when every error asked for is small enough by its whole interval, and the slope's interval holds 1."""

    name = "calibration"
    parameters = CalibrationAsks
    inputs: tuple[Input, ...] = ("evaluation",)
    is_live = False

    def title(self, parameters: CalibrationAsks) -> str:
        error, brier, slope = parameters.asked
        asked = [f"{words} at most {most:g}" for words, most in ((ERROR, error), (BRIER, brier)) if most is not None]
        asked += ["a slope of 1"] if slope else []
        return ", ".join(asked) + (f", by {parameters.group}" if parameters.group else "")

    def ask(self, parameters: CalibrationAsks, case: Case) -> Outcome:
        evaluation = case.version.evaluation
        if evaluation is None:
            return no_evaluation()
        if not evaluation.score:
            reason = "The predictions have no score, and calibration is measured on scores."
            return Outcome("missing", reason, "Log predictions with score=… and the model as a new version.")
        predictions = case.predictions()
        if refusal := lacks(predictions, parameters.group, parameters.cluster):
            return refusal
        found = [of_rows(parameters, evaluation, predictions, None, "")]
        if parameters.group:
            names = texts(predictions, parameters.group)
            found += [
                of_rows(parameters, evaluation, predictions, names == name, str(name)) for name in np.unique(names)
            ]
        worst = min((each for each in found if each.counts), key=lambda each: WORST.index(each.outcome.verdict))
        small = [each.name for each in found if not each.counts]
        said = worst.outcome.reason + (f" Too small to count: {', '.join(small)}." if small else "")
        return replace(
            worst.outcome,
            reason=said,
            comparisons=[row for each in found for row in each.rows],
            bins=[bin_ for each in found for bin_ in each.bins],
        )


class OfRows(Struct, frozen=True):
    """What some rows say: the worst of what is asked, every number, and the curve. name: of the group."""

    name: str
    outcome: Outcome
    rows: list[Compared]
    bins: list[Bin]
    counts: bool


def of_rows(
    parameters: CalibrationAsks,
    evaluation: Evaluation,
    predictions: Predictions,
    inside: NDArray[np.bool_] | None,
    name: str,
) -> OfRows:
    """What is measured on the rows of a group, or on all of them."""
    largest, largest_brier, asks_slope = parameters.asked
    try:
        labels, scores = (chosen(predictions.values(each), inside) for each in (evaluation.label, evaluation.score))
        clusters = chosen(texts(predictions, parameters.cluster), inside) if parameters.cluster else None
        ways = Ways(parameters.confidence, parameters.seed, parameters.resamples, clusters)
        found = calibrate(labels, scores, ways, parameters.bins)
        brier = statistics.brier(labels, scores, parameters.confidence)
    except ValueError as e:  # the laws' refusals of data are ValueErrors
        nothing = undefined(str(e), n=evaluation.rows, confidence=parameters.confidence, method="none")
        outcome = judged(ERROR, nothing, Threshold("at_most", largest or largest_brier or 1.0))
        return OfRows(name, outcome, [], [], counts=True)
    counts = inside is None or int(inside.sum()) >= parameters.min_rows
    outcomes = [
        (each, judged(in_group(words, name), each, Threshold("at_most", most)))
        for words, each, most in ((ERROR, found.error, largest), (BRIER, brier, largest_brier))
        if most is not None
    ]
    if asks_slope:
        outcomes.append((found.slope, of_slope(found.slope, found.intercept, in_group(SLOPE, name))))
    verdicts = {id(each): outcome.verdict for each, outcome in outcomes}
    rows = [
        Compared(in_group(words, name), each, asked, verdicts.get(id(each)) if counts else None, is_counted=counts)
        for words, each, asked in (
            (ERROR, found.error, largest),
            (BRIER, brier, largest_brier),
            (SLOPE, found.slope, 1.0 if asks_slope else None),
            ("calibration intercept", found.intercept, None),
        )
    ]
    _, worst = min(outcomes, key=lambda pair: WORST.index(pair[1].verdict))
    bins = [Bin(said, share, name) for said, share in found.curve]
    return OfRows(name, worst, rows, bins, counts)


def chosen(values: NDArray[Any], inside: NDArray[np.bool_] | None) -> NDArray[Any]:
    return values if inside is None else values[inside]


def in_group(words: str, name: str) -> str:
    return f"{words}, {name}" if name else words


def judged(words: str, estimate: Estimate, threshold: Threshold) -> Outcome:
    judgement = judge(words, estimate, threshold, subject="performance")
    return Outcome(
        verdict=judgement.verdict,
        reason=judgement.reason,
        advice=advice(judgement.verdict),
        metric=words,
        estimate=estimate,
        threshold=threshold,
        rows_needed=judgement.rows_needed,
    )


def of_slope(slope: Estimate, intercept: Estimate, words: str) -> Outcome:
    """Passes where the slope may be 1. It is no proof of it: on few rows nearly every slope may."""
    if slope.value is None or slope.low is None or slope.high is None:
        reason = f"{words[:1].upper()}{words[1:]} could not be measured. {slope.undefined}"
        return Outcome("inconclusive", reason, advice("inconclusive"), words, slope)
    verdict: Verdict = "pass" if slope.low <= 1 <= slope.high else "fail"
    how = "too extreme" if slope.value < 1 else "too timid"
    means = "so 1 is not ruled out" if verdict == "pass" else f"so the scores are {how}"
    reason = (
        f"{words[:1].upper()}{words[1:]} {interval_words(slope)}, intercept {interval_words(intercept)} "
        f"({slope.n:,} rows), {means}."
    )
    recalibrate = "Recalibrate the scores, and log the model as a new version." if verdict == "fail" else ""
    return Outcome(verdict, reason, recalibrate, words, slope)
