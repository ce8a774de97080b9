"""How far an estimate may lie from the truth at each of many looks, so that all of them together err rarely enough.

Looking after every new cluster and stopping at the first bound that is crossed is what makes a naive test call equal
models different. Here a total error rate is spent little by little (Lan and DeMets, "Discrete sequential boundaries
for clinical trials", Biometrika 1983): by the time of `k` whole clusters at most ``spent(k)`` of it is gone. What is
spent has no end, ``alpha * (1 - first / (2 k))``: half at the first look, the rest over all looks that may ever follow,
so nobody must say beforehand how long a canary runs, and no number of looks makes it invalid.

A confidence sequence for every sample size at once (Howard and others, 2021; Waudby-Smith and others, 2024) would allow
looks at any row, which whole clusters have no use for, and its interval at 14 clusters is about 1.4 times as wide: days
of harm more before a bad candidate goes.

The bounds are of a Gaussian walk, found by recursive integration (Armitage, McPherson and Rowe, 1969), and each is then
read as a one-sided significance level for Student's t with as many degrees of freedom as there are clusters
(Jennison and Turnbull, "Group Sequential Methods", 2000, section 11.5), since with 14 clusters a spread is an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from taxiway.gates.laws.intervals import t_quantile

Floats = NDArray[np.float64]
EVERY = 200  # up to so many clusters each is looked at; from there on each 2 % more
GROWTH = 1.02
STEPS = 25  # of the integration's grid, in a standard deviation of the first look
REACH = 8.0  # standard deviations that the grid spans


def looks(first: int, clusters: int) -> list[int]:
    """The numbers of whole clusters at which there is a look, up to how many there are.

    >>> looks(14, 17), looks(14, 13)
    ([14, 15, 16, 17], [])
    """
    found: list[int] = []
    at = first
    while at <= clusters:
        found.append(at)
        at = at + 1 if at < EVERY else math.ceil(at * GROWTH)
    return found


def spent(clusters: int, *, first: int, alpha: float) -> float:
    """How much of the error rate is gone by the look at so many clusters.

    >>> spent(14, first=14, alpha=0.05), round(spent(140, first=14, alpha=0.05), 4)
    (0.025, 0.0475)
    """
    return alpha * (1 - first / (2 * clusters))


def level(clusters: int, *, first: int, alpha: float) -> float:
    """The one-sided significance level of the look at so many clusters, after those before it."""
    at = looks(first, clusters)
    if not at or at[-1] != clusters:
        raise ValueError(f"{clusters} clusters are no look. The looks from {first} on are those of `looks`.")
    return ahead(first, alpha, max(64, 1 << len(at).bit_length()))[len(at) - 1]


@lru_cache(maxsize=64)
def ahead(first: int, alpha: float, count: int) -> tuple[float, ...]:
    """The levels of the first so many looks at once: those that follow change none that came before."""
    most = first + count if first + count < EVERY else math.ceil(EVERY * GROWTH ** (count + 1))
    at = looks(first, most)[:count]
    return levels(tuple(at), tuple(spent(k, first=first, alpha=alpha) for k in at))


def reach(clusters: int, freedom: int, *, first: int, alpha: float) -> float:
    """How many standard errors the interval of a look reaches to each side, half of `alpha` for each.

    freedom: degrees of it that the error has, at least 1.
    """
    return t_quantile(1 - 2 * level(clusters, first=first, alpha=alpha / 2), max(freedom, 1))


def levels(at: tuple[int, ...], total: tuple[float, ...]) -> tuple[float, ...]:
    """The one-sided levels of looks at these amounts of information, when so much is spent by each; at least 1e-12."""
    return tuple(steps(at, total))


def steps(at: Sequence[int], total: Sequence[float]) -> list[float]:
    """Each look's level. The density of the walk that has crossed nothing yet is on a grid that does not move."""
    h = math.sqrt(at[0]) / STEPS
    size = math.ceil(REACH * math.sqrt(at[-1]) / h)
    grid = np.asarray(h * np.arange(-size, size + 1), dtype=np.float64)
    normal = NormalDist(0, math.sqrt(at[0]))
    density = np.asarray(np.exp(-(grid**2) / (2 * at[0])) / math.sqrt(2 * math.pi * at[0]), dtype=np.float64)
    found: list[float] = []
    before, last = 0.0, 0
    for information, gone in zip(at, total, strict=True):
        if last:
            density = spread(density, math.sqrt(information - last), h)
        bound = normal.inv_cdf(1 - gone) if not last else crossing(grid, density, h, max(gone - before, 0.0))
        found.append(max(NormalDist().cdf(-bound / math.sqrt(information)), 1e-12))
        density = np.asarray(density * np.clip((bound - grid) / h + 0.5, 0.0, 1.0), dtype=np.float64)
        before, last = gone, information
    return found


def spread(density: Floats, deviation: float, h: float) -> Floats:
    """The density one normal step later."""
    half = max(math.ceil(REACH * deviation / h), 1)
    kernel = np.exp(-((h * np.arange(-half, half + 1)) ** 2) / (2 * deviation**2))
    return np.asarray(np.convolve(density, kernel / kernel.sum(), mode="same"), dtype=np.float64)


def crossing(grid: Floats, density: Floats, h: float, share: float) -> float:
    """Above which value so much of the density lies."""
    above = np.cumsum(density[::-1])[::-1] * h - density * h / 2  # above each point, by the trapezoid rule
    at = int(np.searchsorted(-above, -share))  # the first point with at most `share` above it
    if at == 0 or at >= grid.size:
        return float(grid[min(at, grid.size - 1)])
    upper, lower = above[at - 1], above[at]
    part = (upper - share) / (upper - lower) if upper > lower else 1.0
    return float(grid[at - 1] + part * h)
