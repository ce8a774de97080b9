"""How far a window of traffic has moved from its reference: bins, histograms and the stability index."""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from taxiway.monitors.bins import Bins, Rule

MOST_CATEGORIES: Final = 50

Values = ArrayLike | Sequence[object]
Column = NDArray[np.object_] | NDArray[np.float64]


class NotEnoughValues(ValueError):
    """A reference column without a single value: nothing to cut bins from."""


class BinsDiffer(ValueError):
    """Two histograms that were not cut by the same bins."""


class NoRows(ValueError):
    """A histogram of no rows: it has no shares to compare."""


class NotNumbers(ValueError):
    """A column whose reference held numbers holds something else."""


def bin_edges(values: Values, bins: int = 10, rule: Rule | None = None) -> Bins:
    """The bins that a reference column suggests; store them, and cut every later window with them.

    values: shape (rows,); None and NaN are missing. rule: "quantile" puts about as many reference rows in
    each bin, "width" makes bins of one width, "category" counts names; without one, numbers are cut by
    quantile and anything else is a category. Equal quantiles fall together, so there may be fewer bins.
    A column with one value gets a bin below it, one for it, and one above, so that a change of a constant
    shows. At most 50 categories have a bin, the most frequent, first by name on ties.

    Raises NotEnoughValues when all values are missing, NotNumbers for times, and for names to cut as numbers.
    """
    if bins < 2:
        raise ValueError(f"{bins} bins show no change. Give two or more.")
    column = _column(values)
    if rule == "category" or (rule is None and column.dtype == object):
        return Bins("category", categories=_most_frequent(column))
    numbers = _numbers(column)
    finite = numbers[np.isfinite(numbers)]
    if finite.size == 0:
        raise NotEnoughValues(f"None of {numbers.size} values is a number. Take a reference that has some.")
    lowest, highest = float(finite.min()), float(finite.max())
    if lowest == highest:
        return Bins(rule or "quantile", edges=(lowest, math.nextafter(lowest, math.inf)))
    steps = np.arange(1, bins) / bins
    cuts = lowest * (1 - steps) + highest * steps if rule == "width" else np.quantile(finite, steps)
    edges = np.unique(cuts[(cuts > lowest) & (cuts <= highest)])
    if edges.size == 0:  # nearly all rows have the lowest value: the few above it get a bin
        edges = np.array([finite[finite > lowest].min()])
    return Bins(rule or "quantile", edges=tuple(float(edge) for edge in edges))


def histogram(values: Values, bins: Bins) -> NDArray[np.int64]:
    """Rows in each bin, in the bins' order, the missing ones last.

    Histograms of parts add up to that of the whole. Infinite numbers fall into the outer bins.
    Raises NotNumbers when the bins are of numbers and a value is not one.
    """
    column = _column(values)
    if bins.rule == "category":
        place = {name: index for index, name in enumerate(bins.categories)}
        missing, other = bins.count - 1, bins.count - 2
        codes = [missing if name is None else place.get(name, other) for name in _names(column)]
        return np.bincount(np.array(codes, dtype=np.intp), minlength=bins.count).astype(np.int64)
    numbers = _numbers(column)
    codes_of_numbers = np.searchsorted(np.array(bins.edges), numbers, side="right")
    codes_of_numbers[np.isnan(numbers)] = bins.count - 1
    return np.bincount(codes_of_numbers, minlength=bins.count).astype(np.int64)


def stability_index(expected: ArrayLike, observed: ArrayLike) -> float:
    """Population stability index of two histograms over the same bins, in nats.

    The sum over bins of ``(o - e) * ln(o / e)`` where e and o are shares of rows: the two-sided
    Kullback-Leibler divergence (Jeffreys, 1946). A bin that is empty on one side counts as half a row there,
    so the result is finite; one that is empty on both says nothing and is left out. 0 means equal shares;
    there is no upper bound. Above 0.1 people look, above 0.25 they act; few rows reach that by chance, about
    ``(bins - 1) * (1 / expected rows + 1 / observed rows)`` is expected without any change.

    expected, observed: counts of rows, shape (bins,), each >= 0.
    Raises BinsDiffer when the shapes differ, NoRows when one side has none.

    >>> round(stability_index([50, 50], [70, 30]), 3)
    0.169
    """
    e, o = (np.asarray(counts, dtype=np.float64) for counts in (expected, observed))
    if e.shape != o.shape:
        raise BinsDiffer(f"The histograms have {e.size} and {o.size} bins. Cut both with the reference's bins.")
    if e.sum() == 0 or o.sum() == 0:
        raise NoRows("A histogram without rows has no shares. Wait for rows, or take a longer window.")
    seen = (e > 0) | (o > 0)
    e, o = np.maximum(e[seen], 0.5), np.maximum(o[seen], 0.5)
    e, o = e / e.sum(), o / o.sum()
    return float(np.sum((o - e) * np.log(o / e)))


def stability_by_chance(bins: int, *, expected_rows: float, observed_rows: float, share: float = 0.001) -> float:
    """The stability index that a `share` of columns exceeds though nothing moved, with rows that come independently.

    The index over (1 / expected + 1 / observed rows) follows about a chi-square with bins - 1 degrees of freedom;
    its quantile is Wilson and Hilferty's (1931). Rows of one day resemble each other, so true chance reaches further.

    bins: those that hold a row on either side. Raises NoRows when one side has none.
    """
    if not expected_rows or not observed_rows:
        raise NoRows("A histogram without rows has no shares. Wait for rows, or take a longer window.")
    freedom = max(bins - 1, 1)
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread + NormalDist().inv_cdf(1 - share) * math.sqrt(spread)) ** 3
    return (1 / expected_rows + 1 / observed_rows) * quantile


def _column(values: Values) -> Column:
    """The column as floats when all that is there are numbers, else as objects; True and False are names."""
    raw = np.asarray(values)
    if raw.dtype.kind in "mM":
        raise NotNumbers("Times and durations have no bins. Give a number, such as the hour or the minutes.")
    if raw.dtype.kind in "iuf":
        return raw.ravel().astype(np.float64)
    items = np.asarray(values, dtype=object).ravel()
    if items.size and all(_is_number(item) or _is_missing(item) for item in items) and any(map(_is_number, items)):
        return np.array([math.nan if _is_missing(item) else float(item) for item in items])
    return items


def _is_number(item: object) -> bool:
    return isinstance(item, (int, float, np.integer, np.floating)) and not isinstance(item, bool | np.bool_)


def _is_missing(item: object) -> bool:
    """None, NaN, or a data frame's own missing value."""
    if isinstance(item, (float, np.floating)):
        return math.isnan(item)
    return item is None or type(item).__name__ in ("NAType", "NaTType")


def _numbers(column: Column) -> NDArray[np.float64]:
    if column.dtype != object:
        return np.asarray(column, dtype=np.float64)
    odd = [item for item in column if not _is_missing(item) and not _is_number(item)]
    if odd:
        raise NotNumbers(f"{len(odd)} of {column.size} values are no numbers, such as {odd[0]!r}.")
    return np.array([math.nan if _is_missing(item) else float(item) for item in column], dtype=np.float64)


def _names(column: Column) -> list[str | None]:
    return [None if _is_missing(item) else str(item) for item in column.tolist()]


def _most_frequent(column: Column) -> tuple[str, ...]:
    names, counts = np.unique([name for name in _names(column) if name is not None], return_counts=True)
    if names.size == 0:
        raise NotEnoughValues(f"All of {column.size} values are missing. Take a reference that has some.")
    most = sorted(zip(-counts, names, strict=True))[:MOST_CATEGORIES]
    return tuple(sorted(str(name) for _, name in most))
