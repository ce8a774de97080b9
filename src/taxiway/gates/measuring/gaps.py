"""The widest gap between groups in any rate or mean, the values behind it, and what a test of several gaps allows.

`fairness` says how the widest of several gaps gets its interval; here are the families of values that it is taken
over: rates (drawn from their Jeffreys distributions) and means (from Student's t around what was seen).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from taxiway.gates.laws.estimates import Estimate, GroupRate, undefined
from taxiway.gates.laws.fairness import JEFFREYS, Counts, Draws, by_label, coded, counts_of, widest_gap
from taxiway.gates.laws.intervals import (
    Floats,
    present,
    share_difference,
    share_ratio,
    t_quantile,
    wilson,
)
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.laws.statistics import binary
from taxiway.gates.measuring import laws

STUDENT = "Student t draws per group, percentiles over all pairs"
WEIGHTED = ", weighted rows at their effective number (Kish)"
WELCH = "Welch's t"
GapName = Literal[
    "selection_rate_ratio",
    "selection_rate_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
    "calibration_difference",
    "mean_error_difference",
    "mean_absolute_error_difference",
]
GAPS = get_args(GapName)
RATIO = "selection_rate_ratio"


@dataclass(frozen=True)
class Columns:
    """What a gap is measured on, row by row. scores: only calibration needs them. weights: None where all are alike."""

    labels: ArrayLike | None
    predictions: ArrayLike
    groups: ArrayLike
    scores: ArrayLike | None = None
    weights: ArrayLike | None = None


@dataclass(frozen=True)
class Family:
    """A value for each group. n: rows behind each, weighted at their effective number. hits: of a rate.

    errors: the standard error of each mean; None for rates.
    """

    words: str
    names: list[str]
    n: Floats
    values: Floats
    errors: Floats | None = None

    def counted(self, min_rows: int) -> Family:
        """The groups with so many rows."""
        keep = self.n >= max(min_rows, 1 if self.errors is None else 2)
        names = [name for name, kept in zip(self.names, keep, strict=True) if kept]
        return Family(
            self.words, names, self.n[keep], self.values[keep], None if self.errors is None else self.errors[keep]
        )

    def draws(self, draws: Draws) -> Floats:
        """Random values, shape (groups, resamples)."""
        if self.errors is None:
            return draws.rates(Counts(self.names, self.n, self.values * self.n))
        freedom = np.maximum(self.n - 1, 1)[:, None]
        drawn = draws.random.standard_t(freedom, size=(self.n.size, draws.resamples))
        return np.asarray(self.values[:, None] + self.errors[:, None] * drawn)

    def estimates(self, confidence: float) -> list[Estimate]:
        """Each group's own value with its interval."""
        if self.errors is None:
            counts = zip(self.values, self.n, strict=True)
            return [wilson(round(value * n), round(n), confidence) for value, n in counts]
        return [
            Estimate(value, value - half, value + half, round(n), confidence, "Student t of the mean")
            if n >= 2
            else undefined("A mean needs two rows for its interval.", n=round(n), confidence=confidence, method="none")
            for value, n, error in zip(self.values.tolist(), self.n.tolist(), self.errors.tolist(), strict=True)
            for half in [t_quantile(confidence, max(int(n) - 1, 1)) * error]
        ]


@dataclass(frozen=True)
class Gap:
    """estimate: of the widest gap. p: of its being within what is asked. pairs: each counted group against the one that
    all are held against, with words. values: of each group, in the family that the gap is widest in."""

    estimate: Estimate
    p: float | None
    pairs: list[tuple[str, Estimate, bool]]
    values: list[GroupRate]


def gap(metric: GapName, columns: Columns, draws: Draws, *, threshold: Threshold, min_rows: int) -> Gap:
    """Raises the laws' refusals of data, which are ValueErrors."""
    every = families(metric, columns)
    counted = [family.counted(min_rows) for family in every]
    n = round(sum(float(family.n.sum()) for family in counted))
    method = (JEFFREYS if every[0].errors is None else STUDENT) + (WEIGHTED if columns.weights is not None else "")
    is_ratio = metric == RATIO
    pairs = [pair for family in every for pair in held_against(family, min_rows, draws.confidence, is_ratio=is_ratio)]
    widest = max(every, key=lambda family: spread(family.counted(min_rows)))
    values = [
        GroupRate(name, estimate, bool(rows >= min_rows))
        for name, estimate, rows in zip(widest.names, widest.estimates(draws.confidence), widest.n, strict=True)
    ]
    if reason := why_not(counted, min_rows, is_ratio=is_ratio):
        return Gap(undefined(reason, n=n, confidence=draws.confidence, method=method), None, pairs, values)
    told = (n, draws.confidence, method, draws.seed, draws.resamples)
    if is_ratio:
        [family] = counted
        with np.errstate(divide="ignore"):  # a rate of 0 is minus infinity here, and the ratio is 0
            observed = np.log(family.values)
        most = -math.log(threshold.value) if threshold.value > 0 else math.inf
        wide, low, high, p = widest_gap([(observed, np.log(family.draws(draws)))], draws, most)
        estimate = Estimate(math.exp(-wide), math.exp(-high), math.exp(-low), *told)
        return Gap(estimate, p if threshold.direction == "at_least" else None, pairs, values)
    drawn = [(family.values, family.draws(draws)) for family in counted]
    wide, low, high, p = widest_gap(drawn, draws, threshold.value)
    return Gap(Estimate(wide, low, high, *told), p if threshold.direction == "at_most" else None, pairs, values)


def why_not(counted: Sequence[Family], min_rows: int, *, is_ratio: bool) -> str:
    for family in counted:
        if len(family.names) < 2:
            found = f"only {family.names[0]} has" if family.names else "none has"
            among = f" ({family.words})" if len(counted) > 1 else ""
            return f"Two groups with at least {min_rows} rows are needed{among}; {found} as many."
    return "No group has a positive decision." if is_ratio and not counted[0].values.any() else ""


def families(metric: GapName, columns: Columns) -> list[Family]:
    """The values that a gap is the widest of."""
    said, groups, weights = columns.predictions, columns.groups, columns.weights
    if metric in ("selection_rate_ratio", "selection_rate_difference"):
        return [rates("selection rate", counts_of(said, groups, weights))]
    labels = columns.labels
    if labels is None:
        raise laws.Undefined("There are no labels.")
    if metric in ("equal_opportunity_difference", "equalized_odds_difference"):
        negatives, positives = by_label(labels, said, groups, weights)
        both = [rates("false positive rate", negatives), rates("true positive rate", positives)]
        return both[1:] if metric == "equal_opportunity_difference" else both
    if metric == "predictive_parity_difference":
        positive = binary(said, "predictions") == 1
        truth, named = np.asarray(labels).ravel()[positive], np.asarray(groups, dtype=object).ravel()[positive]
        worth = None if weights is None else present(weights)[positive]
        return [rates("precision", counts_of(truth, named, worth))]
    return [means(metric, columns)]


def rates(words: str, counts: Counts) -> Family:
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(counts.rows > 0, counts.hits / counts.rows, 0.0)
    return Family(words, counts.names, counts.rows, values)


ROWS: dict[str, tuple[str, Callable[[ArrayLike, ArrayLike], Floats]]] = {
    "calibration_difference": ("observed less said", lambda labels, scores: -laws.signed(labels, scores)),
    "mean_error_difference": ("mean error", laws.signed),
    "mean_absolute_error_difference": ("mean absolute error", laws.absolute),
}


def means(metric: GapName, columns: Columns) -> Family:
    words, rows = ROWS[metric]
    held = columns.predictions
    if metric == "calibration_difference":
        if columns.scores is None:
            raise laws.Undefined("The predictions have no score, and calibration is measured on scores.")
        held = columns.scores
    assert columns.labels is not None
    values = rows(columns.labels, held)
    names, codes = coded(columns.groups, rows=values.size)
    weights = np.ones(values.size) if columns.weights is None else present(columns.weights)
    size = len(names)
    total = np.bincount(codes, weights=weights, minlength=size)
    squares = np.bincount(codes, weights=weights**2, minlength=size)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(total > 0, np.bincount(codes, weights=weights * values, minlength=size) / total, 0.0)
        pulls = np.bincount(codes, weights=(weights * (values - mean[codes])) ** 2, minlength=size)
        n = np.where(total > 0, total**2 / squares, 0.0)
        errors = np.where(n > 1, np.sqrt(pulls * n / np.maximum(n - 1, 1e-9)) / total, 0.0)
    return Family(words, names, n, mean, errors)


def spread(family: Family) -> float:
    return float(family.values.max() - family.values.min()) if family.values.size else 0.0


def held_against(
    family: Family, min_rows: int, confidence: float, *, is_ratio: bool
) -> list[tuple[str, Estimate, bool]]:
    """Every group against the counted one with the highest value: a ratio, or a difference."""
    counted = family.counted(min_rows)
    if not counted.names:
        return []
    best = family.names.index(counted.names[int(np.argmax(counted.values))])
    found = []
    for at, name in enumerate(family.names):
        if at == best:
            continue
        words = f"{name} {'/' if is_ratio else '−'} {family.names[best]}"
        pair = of_pair(family, at, best, confidence, is_ratio=is_ratio)
        found.append((f"{family.words}, {words}", pair, bool(family.n[at] >= min_rows)))
    return found


def of_pair(family: Family, one: int, other: int, confidence: float, *, is_ratio: bool) -> Estimate:
    rows = [round(float(n)) for n in family.n]
    if family.errors is None:
        hits = [
            min(round(float(value * n)), rows[at])
            for at, (value, n) in enumerate(zip(family.values, family.n, strict=True))
        ]
        law = share_ratio if is_ratio else share_difference
        return law((hits[one], rows[one]), (hits[other], rows[other]), confidence)
    n = rows[one] + rows[other]
    if min(rows[one], rows[other]) < 2:
        return undefined("Two rows in each group are needed.", n=n, confidence=confidence, method=WELCH)
    value = float(family.values[one] - family.values[other])
    parts = [float(family.errors[at]) ** 2 for at in (one, other)]
    freedom = sum(parts) ** 2 / max(parts[0] ** 2 / (rows[one] - 1) + parts[1] ** 2 / (rows[other] - 1), 1e-300)
    half = t_quantile(confidence, max(int(freedom), 1)) * math.sqrt(sum(parts))
    return Estimate(value, value - half, value + half, n, confidence, WELCH)


def holm(ps: Sequence[float]) -> list[float]:
    """Each p adjusted for being one of several (Holm, 1979), in the order given."""
    adjusted, highest = [0.0] * len(ps), 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda at: ps[at])):
        highest = max(highest, min((len(ps) - rank) * ps[index], 1.0))
        adjusted[index] = highest
    return adjusted
