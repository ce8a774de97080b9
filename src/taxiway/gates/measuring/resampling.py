"""Drawing rows or whole clusters again, for statistics of which nothing is known but how to compute them."""

from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from taxiway.gates.laws.intervals import Floats
from taxiway.gates.measuring.engine import Ways

BLOCKS = 100  # of the jackknife behind the acceleration
NORMAL = NormalDist()

Rows = NDArray[np.intp]
Statistic = Callable[[Rows], float]


def bca(statistic: Statistic, codes: Rows, count: int, observed: float, ways: Ways) -> tuple[float, float]:
    """The bias-corrected and accelerated limits of a statistic of rows (Efron, 1987); NaN where draws define none.

    codes: each row's cluster, of `count`. The acceleration is a jackknife over at most `BLOCKS` blocks of clusters.
    """
    random = np.random.default_rng(ways.seed)
    values = np.array([statistic(rows) for rows in draws(codes, count, ways.resamples, random)])
    finite = values[np.isfinite(values)]
    if finite.size < 0.95 * values.size:
        return float("nan"), float("nan")
    share = ((finite < observed).mean() + (finite <= observed).mean()) / 2
    bias = NORMAL.inv_cdf(float(np.clip(share, 1 / (2 * finite.size), 1 - 1 / (2 * finite.size))))
    bend = acceleration(statistic, codes, count, random)
    z = NORMAL.inv_cdf((1 + ways.confidence) / 2)
    tails = [moved(bias, bend, end) for end in (-z, z)]
    low, high = np.quantile(finite, tails)
    return float(low), float(high)


def draws(codes: Rows, count: int, resamples: int, random: np.random.Generator) -> list[Rows]:
    """The rows of each draw. Where each row is its own cluster, drawing is one call."""
    if count == codes.size:
        return list(random.integers(0, count, size=(resamples, count)))
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes, minlength=count))[:-1])
    return [
        np.concatenate([members[each] for each in chosen]) for chosen in random.integers(0, count, (resamples, count))
    ]


def acceleration(statistic: Statistic, codes: Rows, count: int, random: np.random.Generator) -> float:
    blocks = min(count, BLOCKS)
    block_of = random.permutation(np.arange(count) % blocks)[codes]
    every = np.arange(codes.size)
    left: Floats = np.array([statistic(every[block_of != block]) for block in range(blocks)])
    left = left[np.isfinite(left)]
    off = left.mean() - left if left.size else left
    spread = float((off**2).sum())
    return float((off**3).sum()) / (6 * spread**1.5) if spread > 0 else 0.0


def moved(bias: float, bend: float, end: float) -> float:
    """The share of draws below a limit, corrected for bias and skewness."""
    reach = bias + end
    return NORMAL.cdf(bias + reach / max(1 - bend * reach, 1e-9))
