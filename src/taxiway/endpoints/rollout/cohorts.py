"""Where two models disagree: groups of rows in which they differ more than elsewhere. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

from taxiway.endpoints.rollout.contract import Cohort
from taxiway.endpoints.rollout.guard import interval

LEAST_ROWS = 20
MOST_VALUES = 20
BINS = 5
MOST_COHORTS = 10
ERROR = 0.05  # chance that any cohort is listed where rows differ alike everywhere


def concentrated(inputs: Sequence[Mapping[str, Any]], differs: Sequence[bool]) -> list[Cohort]:
    """The cohorts whose share of differing rows is above that of all other rows, the farthest above first.

    A cohort is a value of a column, or a fifth of a numeric column's range of ranks. It has at least 20 rows, and the
    interval of the difference between its share and the rest's (Newcombe, 1998), widened for the number of cohorts
    that were looked at (Bonferroni), lies above 0.
    """
    groups = [
        (column, value, members)
        for column in dict.fromkeys(name for row in inputs for name in row)
        for value, members in grouped([row.get(column) for row in inputs])
        if LEAST_ROWS <= len(members) < len(inputs)
    ]
    if not groups:
        return []
    z = NormalDist().inv_cdf(1 - ERROR / (2 * len(groups)))
    total = sum(differs)
    found = [cohort_of(column, value, members, differs, total, z) for column, value, members in groups]
    above = [each for each in found if is_above(each, total, len(differs), z)]
    return sorted(above, key=lambda each: each.rest - each.low)[:MOST_COHORTS]


def cohort_of(column: str, value: str, members: Sequence[int], differs: Sequence[bool], total: int, z: float) -> Cohort:
    differing = sum(differs[index] for index in members)
    low, high = interval(differing, len(members), z)
    rest = (total - differing) / (len(differs) - len(members))
    share = differing / len(members)
    return Cohort(column, value, len(members), differing, *(round(each, 4) for each in (share, low, high, rest)))


def is_above(cohort: Cohort, total: int, rows: int, z: float) -> bool:
    """Whether a cohort's share lies above that of all other rows, with what chance does to both."""
    rest, of = total - cohort.differing, rows - cohort.rows
    low, _ = interval(cohort.differing, cohort.rows, z)
    _, high = interval(rest, of, z)
    share, other = cohort.differing / cohort.rows, rest / of
    return share - other > math.hypot(share - low, high - other)


def grouped(values: Sequence[Any]) -> Iterable[tuple[str, list[int]]]:
    """The rows of each group of a column: its bins where it is numeric, else its commonest values."""
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) == sum(value is not None for value in values) and len(set(numbers)) > BINS:
        yield from binned(values, numbers)
        return
    common = [value for value, _ in Counter(map(worded, values)).most_common(MOST_VALUES)]
    rows: dict[str, list[int]] = {value: [] for value in common}
    for index, value in enumerate(values):
        if worded(value) in rows:
            rows[worded(value)].append(index)
    yield from rows.items()


def binned(values: Sequence[Any], numbers: Sequence[float]) -> Iterable[tuple[str, list[int]]]:
    """A numeric column in up to five bins of about as many rows, and the rows without a value."""
    ordered = sorted(numbers)
    edges = sorted({ordered[len(ordered) * at // BINS] for at in range(1, BINS)} - {ordered[0]})
    lows, highs = [ordered[0], *edges], [*edges, ordered[-1]]
    for at, (low, high) in enumerate(zip(lows, highs, strict=True)):
        is_last = at == len(edges)
        members = [
            index
            for index, value in enumerate(values)
            if value is not None and low <= value and (value <= high if is_last else value < high)
        ]
        yield f"{low:g} to {high:g}" if is_last else f"{low:g} to below {high:g}", members
    yield "nothing", [index for index, value in enumerate(values) if value is None]


def worded(value: Any) -> str:
    """
    >>> worded(True), worded(None), worded("north"), worded(3)
    ('true', 'nothing', 'north', '3')
    """
    if value is None:
        return "nothing"
    return str(value).lower() if isinstance(value, bool) else str(value)
