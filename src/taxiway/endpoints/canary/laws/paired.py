"""Two models that scored the same rows: the mean difference of their losses, with an error that whole clusters give.

Rows of one day err together (its weather, its campaign), so rows count for nothing here but their cluster's two totals:
the sum of differences and the number of rows.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MOST_KINSHIP = 0.8
HALF_ERROR = 0.5
STRAIGHT = 1e-6


class Paired(NamedTuple):
    """A difference per row over clusters, and how sure it is; arrays where the sums had more axes than one.

    difference: of losses, candidate less champion: above 0 the candidate is worse. error: its standard error.
    effective: how many equal, unrelated clusters would tell as much. kinship: the correlation of neighbours.
    lean: the skewness of the clusters' residuals over the root of `effective`.
    """

    difference: Floats
    error: Floats
    effective: Floats
    kinship: Floats
    lean: Floats


def paired(sums: ArrayLike, rows: ArrayLike) -> Paired:
    """The mean difference over all rows of clusters in the order of their time, along the last axis, at least three.

    A ratio of two totals, so its error is that of the clusters' residuals ``sum - difference * rows`` (linearisation:
    Cochran, "Sampling Techniques", 1977, section 6.4; with the factor k / (k - 1) the CR1 of clustered errors).

    Days that follow one another are alike, too: the first autocorrelation r of the residuals widens the variance by
    (1 + r) / (1 - r), as of a first-order autoregression. It is corrected for its bias in short series by
    (1 + 3 r) / k (Kendall, 1954; Marriott and Pope, 1954), taken half a standard error too large, since one that is
    too small errs on the wrong side, and never below 0. Unequal clusters count as (sum n)^2 / sum n^2 (Kish, 1965),
    which, times (1 - r) / (1 + r), is how many there are in effect: less one, the degrees of freedom.

    >>> found = paired([2.0, -1.0, 3.0, 0.5], [10, 10, 10, 10])
    >>> round(float(found.difference), 4), round(float(found.error), 4)
    (0.1125, 0.0875)
    """
    s, n = np.asarray(sums, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    total = n.sum(axis=-1)
    difference = s.sum(axis=-1) / total
    residuals = s - difference[..., np.newaxis] * n
    return clustered(difference, residuals / total[..., np.newaxis], counted(n))


def clustered(difference: Floats, parts: Floats, effective: Floats) -> Paired:
    """A difference to whose error each cluster adds a part, in the order of their time.

    effective: how many equal clusters would tell as much, if they were unrelated.
    """
    k = parts.shape[-1]
    squares = (parts**2).sum(axis=-1)
    kinship = neighbours(parts, squares)
    related = (1 + kinship) / (1 - kinship)
    error = np.sqrt(k / (k - 1) * squares * related)
    lean = skewness(parts, squares) / np.sqrt(effective / related)
    return Paired(difference, error, effective / related, kinship, lean)


def counted(rows: Floats) -> Floats:
    """How many clusters of equal size tell as much as these (Kish, 1965)."""
    return np.asarray(rows.sum(axis=-1) ** 2 / (rows**2).sum(axis=-1))


def neighbours(residuals: Floats, squares: Floats) -> Floats:
    """The correlation of clusters that follow one another, rather too large than too small, from 0 to 0.8."""
    k = residuals.shape[-1]
    products = (residuals[..., 1:] * residuals[..., :-1]).sum(axis=-1)
    raw = ratio(products, squares)
    return np.asarray(np.clip(raw + (1 + 3 * raw) / k + HALF_ERROR / math.sqrt(k), 0.0, MOST_KINSHIP))


def skewness(residuals: Floats, squares: Floats) -> Floats:
    """The adjusted sample skewness; 0 where nothing varies."""
    k = residuals.shape[-1]
    third = (residuals**3).mean(axis=-1)
    return np.asarray(ratio(third, (squares / k) ** 1.5) * (math.sqrt(k * (k - 1)) / (k - 2)))


def ratio(one: Floats, other: Floats) -> Floats:
    return np.asarray(np.divide(one, other, out=np.zeros_like(np.asarray(other)), where=other > 0))


def reaches(usual: ArrayLike, lean: ArrayLike) -> tuple[Floats, Floats]:
    """How many errors an interval reaches down and up, where skewed clusters pull it to one side.

    The inverse of Hall's transformation of Student's statistic (Hall, "On the removal of skewness by transformation",
    1992): rare days on which a candidate is far better make all others look as if it were worse, and the lower end must
    lie deeper. Only ever farther than `usual`, never nearer.

    >>> [round(float(end), 2) for end in reaches(2.16, -0.3)], [round(float(end), 2) for end in reaches(2.16, 0.0)]
    ([3.04, 2.16], [2.16, 2.16])
    """
    t, a = np.asarray(usual, dtype=np.float64), np.asarray(lean, dtype=np.float64)
    is_straight = np.abs(a) < STRAIGHT
    a = np.where(is_straight, STRAIGHT, a)
    ends = [3 / a * (np.cbrt(1 + a * (sign * t - a / 6)) - 1) for sign in (1, -1)]
    down, up = np.maximum(t, ends[0]), np.maximum(t, -ends[1])
    return np.where(is_straight, t, down), np.where(is_straight, t, up)


def freedom(effective: float) -> int:
    """Degrees of freedom of the spread; at least 2, below which Student's t says nothing useful.

    >>> freedom(14.0), freedom(5.9), freedom(1.2)
    (13, 4, 2)
    """
    return max(int(effective + 1e-9) - 1, 2)
