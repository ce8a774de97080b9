"""How differently a model treats groups: rates by group, and the widest ratio or gap with its interval.

Which groups lie farthest apart is not known beforehand, so the interval speaks about all pairs at once:

- the rate of each group is drawn from its Jeffreys distribution, Beta(successes + 1/2, failures + 1/2), whose
  percentiles are limits with good coverage for one share (Brown, Cai and DasGupta, 2001) and for ratios and
  differences of two (Agresti and Min, 2005). Groups are independent, which makes this a stratified bootstrap,
  but one that does not collapse at a rate of 0 or 1;
- every ordered pair has limits of its own. The widest gap is at most the largest upper limit: that needs no
  correction, for the truly widest pair is among them (intersection-union). It is at least the largest lower
  limit, and there each pair that could be the widest is one more chance to be wrong: the tail is divided
  among the pairs that can tie for the widest, at most floor(groups**2 / 4). Up to three groups that is the
  plain tail: where two pairs tie, the other end's error shrinks by what this one's grows;
- that some gap exists at all is claimed only if a pair shows it after Bonferroni's correction over all pairs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws.estimates import Estimate, GroupRate, undefined
from taxiway.gates.laws.intervals import Floats, normal_quantile, present, wilson
from taxiway.gates.laws.statistics import binary, require_equal_rows

JEFFREYS: Final = "Jeffreys draws per group, percentiles over all pairs"
MIN_ROWS: Final = 30
RESAMPLES: Final = 10_000


class GroupsMissing(ValueError):
    """Some rows belong to no group, and leaving them out silently could hide the worst treated."""


class TooFewResamples(ValueError):
    """So few random draws that the interval's ends would be chance."""


class Draws:
    """How the random draws are made, so that an interval can be made again: seed, number, confidence."""

    def __init__(self, *, confidence: float, seed: int, resamples: int) -> None:
        normal_quantile(confidence)  # refuses an impossible confidence
        if resamples < 2_000:
            raise TooFewResamples(f"{resamples} resamples are too few for an interval. Give 2000 or more.")
        self.confidence, self.seed, self.resamples = confidence, seed, resamples
        self.random = np.random.default_rng(seed)

    def rates(self, counts: "Counts") -> Floats:
        """Random rates, shape (groups, resamples), each group from its Jeffreys distribution."""
        shape = (counts.rows.size, self.resamples)
        hits, misses = counts.hits[:, None] + 0.5, (counts.rows - counts.hits)[:, None] + 0.5
        return np.maximum(self.random.beta(hits, misses, size=shape), np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Counts:
    """For each group, by name: its rows, and those with the outcome; of weighted rows as many as they are worth."""

    names: list[str]
    rows: Floats
    hits: Floats

    @property
    def observed(self) -> Floats:
        """The share of rows with the outcome, by group."""
        return np.asarray(self.hits / self.rows, dtype=np.float64)

    def of_at_least(self, min_rows: int) -> "Counts":
        """The groups that have so many rows."""
        keep = self.rows >= max(min_rows, 1)
        names = [name for name, kept in zip(self.names, keep, strict=True) if kept]
        return Counts(names, self.rows[keep], self.hits[keep])


def selection_rates(
    predictions: ArrayLike, groups: ArrayLike, *, confidence: float = 0.95, min_rows: int = MIN_ROWS
) -> list[GroupRate]:
    """The share of positive decisions in each group, with Wilson's interval, by the group's name.

    predictions: 0 and 1; groups: one name a row. Groups below `min_rows` are there, marked as not counted.
    Raises NotBinary, ValuesMissing, GroupsMissing and RowsDiffer.
    """
    counts = counts_of(predictions, groups)
    return [
        GroupRate(name, wilson(round(hits), round(rows), confidence), bool(rows >= min_rows))
        for name, rows, hits in zip(counts.names, counts.rows, counts.hits, strict=True)
    ]


def lowest_and_highest(rates: list[GroupRate]) -> tuple[str, str] | None:
    """The counted groups with the lowest and the highest rate, the first by name on ties; None below two."""
    counted = [(each.rate.value, each.group) for each in rates if each.is_counted and each.rate.value is not None]
    if len(counted) < 2:
        return None
    return min(counted)[1], min(counted, key=lambda pair: (-pair[0], pair[1]))[1]


def selection_rate_ratio(
    predictions: ArrayLike,
    groups: ArrayLike,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
    min_rows: int = MIN_ROWS,
) -> Estimate:
    """The lowest group's selection rate over the highest's, 0 to 1: the measure of the four-fifths rule.

    29 CFR 1607.4 D; fairlearn calls it the demographic parity ratio. Only groups of at least `min_rows`
    count; undefined with fewer than two of them, and when nobody is selected. `n` is the counted rows.
    Raises NotBinary, ValuesMissing, GroupsMissing, RowsDiffer and TooFewResamples.
    """
    draws = Draws(confidence=confidence, seed=seed, resamples=resamples)
    counts = counts_of(predictions, groups).of_at_least(min_rows)
    if reason := _too_few(counts, min_rows) or _nobody_selected(counts):
        return _undefined(reason, [counts], draws)
    with np.errstate(divide="ignore"):  # a rate of 0 is minus infinity here, and the ratio is 0
        observed = np.log(counts.observed)
    gap, low, high, _ = widest_gap([(observed, np.log(draws.rates(counts)))], draws)
    return _estimate(float(np.exp(-gap)), float(np.exp(-high)), float(np.exp(-low)), [counts], draws)


def selection_rate_difference(
    predictions: ArrayLike,
    groups: ArrayLike,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    resamples: int = RESAMPLES,
    min_rows: int = MIN_ROWS,
) -> Estimate:
    """The highest group's selection rate less the lowest's, 0 to 1 (demographic parity difference).

    Groups, errors and undefined cases as in `selection_rate_ratio`.
    """
    draws = Draws(confidence=confidence, seed=seed, resamples=resamples)
    counts = counts_of(predictions, groups).of_at_least(min_rows)
    return _gap_of([counts], draws, min_rows)


def equal_opportunity_difference(
    labels: ArrayLike,
    predictions: ArrayLike,
    groups: ArrayLike,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    min_rows: int = MIN_ROWS,
) -> Estimate:
    """The widest gap between groups' true positive rates, 0 to 1 (Hardt, Price and Srebro, 2016).

    Among rows labelled 1; a group counts with at least `min_rows` such rows.
    """
    draws = Draws(confidence=confidence, seed=seed, resamples=RESAMPLES)
    _, positives = by_label(labels, predictions, groups)
    return _gap_of([positives.of_at_least(min_rows)], draws, min_rows)


def equalized_odds_difference(
    labels: ArrayLike,
    predictions: ArrayLike,
    groups: ArrayLike,
    *,
    confidence: float = 0.95,
    seed: int = 0,
    min_rows: int = MIN_ROWS,
) -> Estimate:
    """The wider of the gaps between groups' true positive and false positive rates, 0 to 1.

    Each rate counts the groups with at least `min_rows` rows of its label; both must have two such groups.
    """
    draws = Draws(confidence=confidence, seed=seed, resamples=RESAMPLES)
    both = [counts.of_at_least(min_rows) for counts in by_label(labels, predictions, groups)]
    return _gap_of(both, draws, min_rows)


def _gap_of(families: list[Counts], draws: Draws, min_rows: int) -> Estimate:
    for counts in families:
        if reason := _too_few(counts, min_rows):
            return _undefined(reason, families, draws)
    gap, low, high, _ = widest_gap([(counts.observed, draws.rates(counts)) for counts in families], draws)
    return _estimate(gap, low, high, families, draws)


def widest_gap(
    families: list[tuple[Floats, Floats]], draws: Draws, most: float = math.inf
) -> tuple[float, float, float, float]:
    """The widest gap within any family of groups, its limits (see the module's docstring), and its p.

    families: observed values, shape (groups,), and their random draws, shape (groups, resamples). p: two-sided, of the
    gap being no wider than `most`; below 1 - confidence exactly where the lower limit is above it.
    """
    alpha = 1 - draws.confidence
    sizes = [observed.size for observed, _ in families]
    ties = max(2, sum(size * size // 4 for size in sizes))
    pairs = sum(size * (size - 1) // 2 for size in sizes)
    tails = [alpha / ties, alpha / (2 * pairs), 1 - alpha / 2]
    limits, below = [], 1.0
    for _, drawn in families:
        for one, other in permutations(range(len(drawn)), 2):
            apart = drawn[one] - drawn[other]
            limits.append(np.quantile(apart, tails))
            below = min(below, float((np.count_nonzero(apart <= most) + 1) / (apart.size + 1)))
    gap = max(float(observed.max() - observed.min()) for observed, _ in families)
    low, shown, high = (float(limit) for limit in np.max(limits, axis=0))
    return gap, min(low, gap) if shown > 0 and low > 0 else 0.0, max(high, gap), min(below * ties, 1.0)


def _estimate(value: float, low: float, high: float, families: list[Counts], draws: Draws) -> Estimate:
    n = sum(int(counts.rows.sum()) for counts in families)
    return Estimate(value, low, high, n, draws.confidence, JEFFREYS, draws.seed, draws.resamples)


def _undefined(reason: str, families: list[Counts], draws: Draws) -> Estimate:
    n = sum(int(counts.rows.sum()) for counts in families)
    return undefined(reason, n=n, confidence=draws.confidence, method=JEFFREYS)


def _too_few(counts: Counts, min_rows: int) -> str:
    if len(counts.names) >= 2:
        return ""
    found = f"only {counts.names[0]} has" if counts.names else "none has"
    return f"Two groups with at least {min_rows} rows are needed; {found} as many."


def _nobody_selected(counts: Counts) -> str:
    return "" if counts.hits.any() else "No group has a positive decision."


def by_label(
    labels: ArrayLike, predictions: ArrayLike, groups: ArrayLike, weights: ArrayLike | None = None
) -> tuple[Counts, Counts]:
    """The counts among rows labelled 0 and among rows labelled 1."""
    y, said, named = binary(labels, "labels"), binary(predictions, "predictions"), np.asarray(groups)
    require_equal_rows(labels=y.size, predictions=said.size, groups=named.size)
    worth = None if weights is None else present(weights)
    negatives, positives = (
        counts_of(said[y == label], named.ravel()[y == label], None if worth is None else worth[y == label])
        for label in (0, 1)
    )
    return negatives, positives


def counts_of(predictions: ArrayLike, groups: ArrayLike, weights: ArrayLike | None = None) -> Counts:
    """The rows of each group and those with the outcome.

    With weights a group counts as many rows as its weights are worth (Kish, 1965), at its weighted rate.
    """
    said = binary(predictions, "predictions")
    names, codes = coded(groups, rows=said.size)
    if weights is None:
        rows = np.bincount(codes, minlength=len(names)).astype(np.float64)
        return Counts(names, rows, np.bincount(codes, weights=said, minlength=len(names)).astype(np.float64))
    worth = present(weights)
    require_equal_rows(predictions=said.size, weights=worth.size)
    total = np.bincount(codes, weights=worth, minlength=len(names))
    squares = np.bincount(codes, weights=worth**2, minlength=len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = np.where(total > 0, total**2 / squares, 0.0)
        share = np.where(total > 0, np.bincount(codes, weights=said * worth, minlength=len(names)) / total, 0.0)
    return Counts(names, rows, np.minimum(share, 1.0) * rows)


def coded(groups: ArrayLike, *, rows: int) -> tuple[list[str], NDArray[np.intp]]:
    """The groups by name, and the number of each row's own. Raises GroupsMissing, RowsDiffer."""
    raw = np.asarray(groups, dtype=object).ravel()
    require_equal_rows(predictions=rows, groups=raw.size)
    if missing := sum(map(_is_missing, raw)):
        raise GroupsMissing(f"{missing} of {raw.size} rows have no group. Name one for them, such as 'unknown'.")
    names, codes = np.unique(np.array([str(name) for name in raw], dtype=str), return_inverse=True)
    return [str(name) for name in names], codes


def crossed(attributes: Sequence[ArrayLike]) -> NDArray[Any]:
    """The groups of several attributes at once: "black × female". A row that lacks one lacks its group."""
    columns = [np.asarray(each, dtype=object).ravel() for each in attributes]
    require_equal_rows(**{f"attribute {number}": each.size for number, each in enumerate(columns, start=1)})
    return np.array(
        [None if any(map(_is_missing, row)) else " × ".join(map(str, row)) for row in zip(*columns, strict=True)],
        dtype=object,
    )


def _is_missing(group: object) -> bool:
    """Nothing, an empty name, NaN, or a data frame's own missing value."""
    if isinstance(group, float):
        return math.isnan(group)
    return group is None or type(group).__name__ in ("NAType", "NaTType") or group == ""
