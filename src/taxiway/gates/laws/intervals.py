"""Intervals for shares and means, and the quantiles they need, without scipy."""

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.gates.laws.estimates import Estimate, undefined

WILSON = "Wilson score"
T_MEAN = "Student t of the mean"
CLUSTERED_MEAN = "Student t of the mean, cluster-robust (CR1)"
NEWCOMBE_DIFFERENCE = "Newcombe hybrid score (method 10)"
KATZ = "log ratio (Katz), continuity-corrected"

Floats = NDArray[np.float64]


class BadConfidence(ValueError):
    """A confidence that is no share between 0 and 1."""


class ValuesMissing(ValueError):
    """Some rows have no value (NaN or nothing), so a metric over all rows does not exist."""


def normal_quantile(confidence: float) -> float:
    """The z of a two-sided interval: 1.96 for 0.95.

    Raises BadConfidence outside of 0 < confidence < 1.
    """
    if not 0 < confidence < 1:
        raise BadConfidence(f"A confidence of {confidence} is not possible. Give a share such as 0.95.")
    return NormalDist().inv_cdf((1 + confidence) / 2)


@lru_cache(maxsize=1024)
def t_quantile(confidence: float, freedom: int) -> float:
    """The t of a two-sided interval with `freedom` (>= 1) degrees of freedom: 2.262 for 0.95 and 9.

    Up to 200 degrees the exact finite sums for whole degrees (Abramowitz and Stegun, 26.7.3 and 26.7.4),
    inverted by bisection; beyond them the expansion around the normal quantile (26.7.5), whose error is
    then below 1e-9 for the usual confidences.
    """
    z = normal_quantile(confidence)
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom are too few. An interval needs two rows or clusters.")
    if freedom > 200:
        return _expanded_t(z, freedom)
    # In the angle atan(t / sqrt(freedom)) the search is bounded, however heavy the tails are.
    low, high = 0.0, math.pi / 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_share(middle, freedom) < confidence else (low, middle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def wilson(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """The share of successes in n rows with Wilson's score interval (1927); undefined without rows."""
    z = normal_quantile(confidence)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} rows is not possible. Count again.")
    if n == 0:
        return undefined("There are no rows.", n=0, confidence=confidence, method=WILSON)
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = 0.0 if successes == 0 else middle - half
    high = 1.0 if successes == n else middle + half
    return Estimate(share, low, high, n, confidence, WILSON)


def share_difference(of_one: tuple[int, int], of_other: tuple[int, int], confidence: float = 0.95) -> Estimate:
    """One share less another, each (successes, rows), from the Wilson limits of both (Newcombe, 1998, method 10)."""
    one, other = wilson(*of_one, confidence), wilson(*of_other, confidence)
    n = one.n + other.n
    if one.value is None or other.value is None:
        return undefined("There are no rows.", n=n, confidence=confidence, method=NEWCOMBE_DIFFERENCE)
    assert one.low is not None
    assert one.high is not None
    assert other.low is not None
    assert other.high is not None
    value = one.value - other.value
    below = math.hypot(one.value - one.low, other.high - other.value)
    above = math.hypot(one.high - one.value, other.value - other.low)
    return Estimate(value, max(value - below, -1.0), min(value + above, 1.0), n, confidence, NEWCOMBE_DIFFERENCE)


def share_ratio(of_one: tuple[int, int], of_other: tuple[int, int], confidence: float = 0.95) -> Estimate:
    """One share over another, each (successes, rows), on the log scale (Katz, Baptista, Azen and Pike, 1978).

    Half a success is added on both sides (Walter, 1975), so that no count of 0 makes the limits infinite; the value
    itself is the plain ratio. Undefined where nobody of the other is selected.
    """
    z = normal_quantile(confidence)
    (x, m), (y, n) = of_one, of_other
    if not (0 <= x <= m and 0 <= y <= n):
        raise ValueError(f"{x} of {m} and {y} of {n} rows are not possible. Count again.")
    if not m or not y:
        reason = "The group that is held against has no positive decision." if m and n else "There are no rows."
        return undefined(reason, n=m + n, confidence=confidence, method=KATZ)
    middle = math.log((x + 0.5) / (m + 0.5) * (n + 0.5) / (y + 0.5))
    spread = 1 / (x + 0.5) - 1 / (m + 0.5) + 1 / (y + 0.5) - 1 / (n + 0.5)
    half = z * math.sqrt(max(spread, 0.0))
    value = x * n / (m * y)
    low, high = math.exp(middle - half), math.exp(middle + half)
    return Estimate(value, min(low, value), max(high, value), m + n, confidence, KATZ)


def mean(values: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The mean of independent rows with its Student t interval; undefined below two rows.

    values: shape (rows,). Raises ValuesMissing when some are NaN.
    """
    x = present(values)
    if x.size < 2:
        return undefined("A mean needs two rows for its interval.", n=x.size, confidence=confidence, method=T_MEAN)
    half = t_quantile(confidence, x.size - 1) * float(x.std(ddof=1)) / math.sqrt(x.size)
    value = float(x.mean())
    return Estimate(value, value - half, value + half, x.size, confidence, T_MEAN)


def clustered_mean(values: ArrayLike, clusters: ArrayLike, confidence: float = 0.95) -> Estimate:
    """The mean of rows that err together within a cluster, such as the flights of one day.

    The sandwich variance with the CR1 factor G / (G - 1) and t with G - 1 degrees of freedom, G being the
    number of clusters (Liang and Zeger, 1986; Cameron and Miller, 2015). With one row to a cluster it is
    `mean`. Undefined below two clusters.

    values: shape (rows,); clusters: one label a row. Raises ValuesMissing when some values are NaN.
    """
    x = present(values)
    count, codes = cluster_codes(clusters, rows=x.size)
    if count < 2:
        reason = "An interval over clusters needs two of them."
        return undefined(reason, n=x.size, confidence=confidence, method=CLUSTERED_MEAN)
    value = float(x.mean())
    error = clustered_error((x - value) / x.size, codes, count)
    half = t_quantile(confidence, count - 1) * error
    return Estimate(value, value - half, value + half, x.size, confidence, CLUSTERED_MEAN)


def clustered_error(influence: Floats, codes: NDArray[np.intp], count: int) -> float:
    """The standard error of a statistic whose rows pull it by `influence`, summed within clusters (CR1)."""
    pulls = np.bincount(codes, weights=influence, minlength=count)
    return math.sqrt(count / (count - 1) * float(pulls @ pulls))


def cluster_codes(clusters: ArrayLike, *, rows: int) -> tuple[int, NDArray[np.intp]]:
    """How many clusters there are, and the number of each row's own."""
    names, codes = np.unique(np.asarray(clusters), return_inverse=True)
    if codes.size != rows:
        raise ValueError(f"There are {rows} rows and {codes.size} cluster labels. Give one label a row.")
    return names.size, codes


def logit_interval(value: float, half: float) -> tuple[float, float]:
    """An interval of a share strictly between 0 and 1, reaching `half` to each side on the logit scale.

    So it never leaves 0 to 1 (the delta method).
    """
    middle = math.log(value / (1 - value))
    reach = half / (value * (1 - value))
    return _logistic(middle - reach), _logistic(middle + reach)


def present(values: ArrayLike) -> Floats:
    """The values as floats in one row; raises ValuesMissing when some are NaN."""
    x = np.asarray(values, dtype=np.float64).ravel()
    if missing := int(np.isnan(x).sum()):
        raise ValuesMissing(f"{missing} of {x.size} values are missing (NaN). Leave these rows out or fill them.")
    return x


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _t_share(angle: float, freedom: int) -> float:
    """The probability that |T| is below sqrt(freedom) * tan(angle)."""
    sine, square = math.sin(angle), math.cos(angle) ** 2
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = term if freedom > 1 else 0.0
    for step in range(2 + odd, freedom - 1, 2):
        term *= square * (step - 1) / step
        total += term
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


def _expanded_t(z: float, freedom: int) -> float:
    """Abramowitz and Stegun, 26.7.5."""
    n = freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    fourth = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + first / n + second / n**2 + third / n**3 + fourth / n**4
