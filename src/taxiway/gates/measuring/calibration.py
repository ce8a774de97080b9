"""Whether a probability of 0.7 comes true seven times in ten: slope, intercept, expected calibration error, curve.

Slope and intercept are those of a logistic regression of the labels on the logit of the scores (Cox, 1958): 1 and 0
where scores are probabilities; a slope below 1 says that they are too extreme. Their standard errors are the sandwich,
summed within clusters. The expected calibration error (Naeini, Cooper and Hauskrecht, 2015) takes bins of equally many
rows. It is biased upwards, for also a perfect model's bins miss by chance. So its interval is moved down by what chance
adds to a draw, once above and twice below, and begins at 0 where a perfect model would miss as much: it is wide rather
than wrong (docs/statistics.md has the measured coverage).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws.estimates import Estimate, undefined
from taxiway.gates.laws.intervals import Floats, cluster_codes, t_quantile, wilson
from taxiway.gates.laws.statistics import binary, brier_rows
from taxiway.gates.measuring.engine import Ways

BINS = 10
LEAST = 20  # rows of each class that a regression needs
CLIP = 1e-6
CHANCES = 4_000
STEPS = 50
SANDWICH = "logistic recalibration (Cox), sandwich, Student t"
DRAWN = "bins of equally many rows, bootstrap, moved by its bias"


@dataclass(frozen=True)
class Calibration:
    slope: Estimate
    intercept: Estimate
    error: Estimate
    curve: list[tuple[float, Estimate]]


def calibrate(labels: ArrayLike, scores: ArrayLike, ways: Ways, bins: int = BINS) -> Calibration:
    """Raises NotBinary, NotProbabilities, ValuesMissing and RowsDiffer."""
    brier_rows(labels, scores)  # refuses what is no label or no probability
    y, p = binary(labels, "labels"), np.asarray(scores, dtype=np.float64).ravel()
    slope, intercept = recalibration(y, p, ways)
    return Calibration(slope, intercept, expected_error(y, p, ways, bins), curve(y, p, ways.confidence, bins))


def recalibration(y: Floats, p: Floats, ways: Ways) -> tuple[Estimate, Estimate]:
    """Slope and intercept; undefined with few rows of a class, equal scores, or classes that the scores separate."""
    few = min(float(y.sum()), float((1 - y).sum())) < LEAST
    inside = np.clip(p, CLIP, 1 - CLIP)
    x = np.log(inside / (1 - inside))
    if few or np.ptp(x) < 1e-9:
        reason = f"It needs {LEAST} rows of each class." if few else "All scores are the same."
        return (nothing(reason, y.size, ways.confidence, SANDWICH),) * 2
    design = np.column_stack([x, np.ones_like(x)])
    found = fit(design, y)
    if found is None:
        return (
            nothing("The scores separate the classes, so no slope is finite.", y.size, ways.confidence, SANDWICH),
        ) * 2
    weights, inverse = found
    said = 1 / (1 + np.exp(-(design @ weights)))
    pulls = (design * (y - said)[:, None]) @ inverse
    count, codes = cluster_codes(np.arange(y.size) if ways.clusters is None else ways.clusters, rows=y.size)
    if count < 3:
        return (nothing("An interval needs three clusters.", y.size, ways.confidence, SANDWICH),) * 2
    summed = np.column_stack([np.bincount(codes, weights=each, minlength=count) for each in pulls.T])
    errors = np.sqrt((summed**2).sum(axis=0) * count / (count - 1))
    t = t_quantile(ways.confidence, count - 2)
    method = SANDWICH + ("" if ways.clusters is None else f", {count:,} clusters")
    slope, intercept = (
        Estimate(float(at), float(at - t * error), float(at + t * error), y.size, ways.confidence, method)
        for at, error in zip(weights, errors, strict=True)
    )
    return slope, intercept


def nothing(reason: str, n: int, confidence: float, method: str) -> Estimate:
    return undefined(reason, n=n, confidence=confidence, method=method)


def fit(design: Floats, y: Floats) -> tuple[Floats, Floats] | None:
    """The weights of a logistic regression and the inverse of its information; None where it does not converge."""
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        said = 1 / (1 + np.exp(-np.clip(design @ weights, -500, 500)))
        information = design.T @ (design * (said * (1 - said))[:, None])
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            return None
        step = inverse @ (design.T @ (y - said))
        weights = weights + step
        if not np.isfinite(weights).all() or np.abs(weights).max() > 1e3:
            return None
        if np.abs(step).max() < 1e-10:
            return weights, np.asarray(inverse, dtype=np.float64)
    return None


def edges(p: Floats, bins: int) -> Floats:
    """The bin of each row: equally many rows in each, equal scores together."""
    cuts = np.unique(np.quantile(p, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(cuts, p, side="left").astype(np.float64)


def expected_error(y: Floats, p: Floats, ways: Ways, bins: int = BINS) -> Estimate:
    """The mean distance of what was said from what came true, over bins of scores, weighted by their rows."""
    if y.size < 2 * bins:
        return nothing(f"It needs {2 * bins} rows for {bins} bins.", y.size, ways.confidence, DRAWN)
    codes = edges(p, bins).astype(np.intp)
    size = int(codes.max()) + 1
    count, of = cluster_codes(np.arange(y.size) if ways.clusters is None else ways.clusters, rows=y.size)
    if count < 2:
        return nothing("An interval needs two clusters.", y.size, ways.confidence, DRAWN)
    miss, squares, rows = np.zeros((count, size)), np.zeros((count, size)), np.zeros((count, size))
    np.add.at(miss, (of, codes), y - p)
    np.add.at(squares, (of, codes), (y - p) ** 2)
    np.add.at(rows, (of, codes), 1.0)
    value = float(np.abs(miss.sum(axis=0)).sum() / y.size)
    random = np.random.default_rng(ways.seed)
    drawn = np.empty(ways.resamples)
    chunk = max(4_000_000 // count, 1)
    for start in range(0, ways.resamples, chunk):
        stop = min(start + chunk, ways.resamples)
        times = random.multinomial(count, np.full(count, 1 / count), size=stop - start).astype(np.float64)
        drawn[start:stop] = np.abs(times @ miss).sum(axis=1) / (times @ rows).sum(axis=1)
    shift = max(float(drawn.mean()) - value, 0.0)  # what chance adds to a draw beyond these rows
    tail = (1 - ways.confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    chance = np.abs(misses_by_chance(p, codes, random)).sum(axis=1) / y.size
    is_chance = value <= float(np.quantile(chance, 1 - tail))
    bounds = 0.0 if is_chance else max(min(float(low) - 2 * shift, value), 0.0), max(float(high) - shift, value)
    return Estimate(value, *bounds, y.size, ways.confidence, DRAWN, ways.seed, ways.resamples)


def misses_by_chance(p: Floats, codes: NDArray[np.intp], random: np.random.Generator) -> Floats:
    """By how many rows each bin would miss if the scores were right, shape (draws, bins): about normal."""
    spread = np.sqrt(np.bincount(codes, weights=p * (1 - p)))
    return random.standard_normal((CHANCES, spread.size)) * spread


def curve(y: Floats, p: Floats, confidence: float, bins: int = BINS) -> list[tuple[float, Estimate]]:
    """For each bin the mean score, and the share that came true with Wilson's interval."""
    if not y.size:
        return []
    codes = edges(p, bins)
    found = []
    for code in np.unique(codes):
        inside = codes == code
        share = wilson(int(y[inside].sum()), int(inside.sum()), confidence)
        found.append((float(p[inside].mean()), share))
    return found
