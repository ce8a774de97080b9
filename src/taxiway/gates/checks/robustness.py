"""Whether a model's answers hold when rows come a little otherwise than they should."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct

from taxiway.gates.checks.performance import require_confidence
from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome, Verdict
from taxiway.gates.laws.estimates import Estimate
from taxiway.gates.laws.intervals import mean, wilson
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.probing import perturbing
from taxiway.gates.probing.judging import SIDES, is_share, sentence, verdict_of, worst
from taxiway.gates.probing.perturbing import Inputs, Perturbed
from taxiway.gates.showing.drawings import Bars, Measure
from taxiway.gates.working.rows import NoRows, Rows
from taxiway.models.predicting.predictor import Prediction
from taxiway.models.predicting.signature import InputMismatch, Signature

Measured = Literal["decisions", "accuracy"]
MOST_UNITS = 40
MOST_SHOWN = 12
WEAK = "Train with such rows, or check them before they reach the model; log it as a new version."


class Lost(Struct, frozen=True, forbid_unknown_fields=True):
    """share: of the values of each column that may have gaps. tolerance: None shows it and asks nothing."""

    share: float = 0.1
    tolerance: float | None = None


class Noise(Struct, frozen=True, forbid_unknown_fields=True):
    """share: of each column's standard deviation."""

    share: float = 0.05
    tolerance: float | None = None


class Units(Struct, frozen=True, forbid_unknown_fields=True):
    """factors: each column of numbers in turn as if it came in another unit."""

    factors: list[float] = msgspec.field(default_factory=lambda: [10.0, 1000.0])
    tolerance: float | None = None


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of one column that should move few answers: times `factor`, plus `add`."""

    column: str
    tolerance: float | None = None
    factor: float = 1.0
    add: float = 0.0


class RobustnessAsks(Struct, frozen=True, forbid_unknown_fields=True):
    """Each perturbation has its own tolerance. measure: the share of decisions that change (of numbers the mean
    distance, in their spread), or the drop of accuracy. rows: at most so many are asked. seed: of all draws.
    """

    missing: Lost | None = None
    noise: Noise | None = None
    units: Units | None = None
    changes: list[Change] = msgspec.field(default_factory=list)
    measure: Measured = "decisions"
    rows: int = 1_000
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        asked = [each for each in (self.missing, self.noise, self.units, *self.changes) if each is not None]
        if not any(each.tolerance is not None for each in asked):
            raise ValueError("at least one perturbation with a tolerance, such as noise: {share: 0.05, tolerance: 0.1}")
        if any(each.tolerance is not None and each.tolerance < 0 for each in asked):
            raise ValueError("tolerances from 0 on")
        if any(not is_share(each.share) for each in (self.missing, self.noise) if each is not None):
            raise ValueError("shares from 0 to 1")
        if not 30 <= self.rows <= 100_000:
            raise ValueError("from 30 to 100000 rows")


class Moved(Struct, frozen=True):
    """What one perturbation did."""

    what: str
    estimate: Estimate
    tolerance: float | None
    verdict: Verdict


class Robustness:
    """Passes when the whole interval of what every perturbation moves lies within its tolerance."""

    name = "robustness"
    parameters = RobustnessAsks
    inputs: tuple[Input, ...] = ("bundle", "evaluation", "datasets")
    is_live = False

    def title(self, parameters: RobustnessAsks) -> str:
        asked = {"missing values": parameters.missing, "noise": parameters.noise, "other units": parameters.units}
        names = [name for name, each in asked.items() if each is not None]
        return f"{unit_of(parameters)} hold with {', '.join(names + [each.column for each in parameters.changes])}"

    def ask(self, parameters: RobustnessAsks, case: Case) -> Outcome:
        try:
            rows = case.rows().sample(parameters.rows, parameters.seed)
        except NoRows as e:
            return Outcome("missing", str(e), "Log predictions with features=[…] and the model as a new version.")
        labels = labels_of(parameters, rows, case)
        if parameters.measure == "accuracy" and labels is None:
            reason = "No labels stand beside the rows, and a drop of accuracy is measured on them."
            return Outcome("missing", reason, "Log predictions with features=[…] and the model as a new version.")
        predictor, inputs, said = case.predictor(), rows.inputs(), []
        before = predictor.predict(inputs)
        found: list[Moved] = []
        for perturbed, tolerance in perturbations(parameters, predictor.signature, inputs):
            try:
                after = predictor.predict(perturbed.inputs)
            except InputMismatch as refusal:
                said.append(f"{perturbed.what}: refused before it is asked ({refusal})")
                continue
            estimate = measured(before, after, labels, parameters)
            asked = None if tolerance is None else Threshold("at_most", tolerance)
            found.append(Moved(perturbed.what, estimate, tolerance, verdict_of(estimate, asked)))
        return outcome_of(parameters, found, [*said, f"rows: {rows.said}; seed {parameters.seed}"])


def labels_of(parameters: RobustnessAsks, rows: Rows, case: Case) -> list[Any] | None:
    evaluation = case.version.evaluation
    if parameters.measure != "accuracy" or evaluation is None or not rows.is_aligned:
        return None
    labels: list[Any] = rows.table[evaluation.label].to_pylist()
    return labels


def perturbations(
    parameters: RobustnessAsks, signature: Signature, inputs: Inputs
) -> Iterator[tuple[Perturbed, float | None]]:
    """What is asked for and can be done to rows of this signature, each with its tolerance."""
    lost, noise, seed = parameters.missing, parameters.noise, parameters.seed
    if lost is not None and (made := perturbing.lost(signature, inputs, share=lost.share, seed=seed)):
        yield made, lost.tolerance
    if noise is not None and (made := perturbing.noisy(signature, inputs, share=noise.share, seed=seed)):
        yield made, noise.tolerance
    if (units := parameters.units) is not None:
        for factor in units.factors:
            for shifted in list(perturbing.in_units(signature, inputs, factor))[:MOST_UNITS]:
                yield shifted, units.tolerance
    for change in parameters.changes:
        if made := perturbing.declared(signature, inputs, change.column, factor=change.factor, add=change.add):
            yield made, change.tolerance


def measured(
    before: list[Prediction], after: list[Prediction], labels: list[Any] | None, parameters: RobustnessAsks
) -> Estimate:
    """What a perturbation moves, over rows, each against itself."""
    if labels is not None:
        was = np.array([each["prediction"] == label for each, label in zip(before, labels, strict=True)], dtype=float)
        now = np.array([each["prediction"] == label for each, label in zip(after, labels, strict=True)], dtype=float)
        return mean(was - now, parameters.confidence)
    moved, are_decisions = perturbing.shifts(before, after)
    if are_decisions:
        return wilson(int(sum(moved)), len(moved), parameters.confidence)
    return mean(moved, parameters.confidence)


def outcome_of(parameters: RobustnessAsks, found: list[Moved], details: list[str]) -> Outcome:
    """The worst of what is asked leads; the others are drawn and listed."""
    asked = [each for each in found if each.tolerance is not None]
    if not asked:
        details = [*details, "nothing that is asked could be done to rows of this signature"]
        return Outcome("missing", "No perturbation with a tolerance applies to this model's columns.", details=details)
    verdict = worst([each.verdict for each in asked])
    lead = max(
        (each for each in asked if each.verdict == verdict),
        key=lambda each: (each.estimate.value or 0.0) - (each.tolerance or 0.0),
    )
    assert lead.tolerance is not None
    threshold = Threshold("at_most", lead.tolerance)
    words = f"{measure_words(parameters)}, {lead.what}"
    passed = sum(each.verdict == "pass" for each in asked)
    said = f"{sentence(words, lead.estimate, threshold)} {SIDES.get(verdict, '')}".rstrip()
    shown = sorted(found, key=lambda each: -(each.estimate.value or 0.0))[:MOST_SHOWN]
    bars = [Measure(m.what, m.estimate.value or 0.0, m.estimate.low, m.estimate.high) for m in shown]
    tolerances = {each.tolerance for each in shown}
    limit = tolerances.pop() if len(tolerances) == 1 else None
    return Outcome(
        verdict=verdict,
        reason=f"{said} {passed} of {len(asked)} perturbations stay within their tolerance.",
        advice="" if verdict == "pass" else WEAK,
        metric=words,
        estimate=msgspec.structs.replace(lead.estimate, seed=parameters.seed),
        threshold=threshold,
        details=[*(line(each) for each in found if each.verdict != "pass"), *details],
        drawings=[Bars(title=f"What perturbations move: {measure_words(parameters)}", measures=bars, limit=limit)],
    )


def line(moved: Moved) -> str:
    asked = Threshold("at_most", moved.tolerance) if moved.tolerance is not None else None
    return f"{moved.verdict}: {sentence(moved.what, moved.estimate, asked)}"


def measure_words(parameters: RobustnessAsks) -> str:
    return "drop of accuracy" if parameters.measure == "accuracy" else "share of decisions that change"


def unit_of(parameters: RobustnessAsks) -> str:
    return "accuracy" if parameters.measure == "accuracy" else "decisions"
