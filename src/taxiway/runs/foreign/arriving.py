"""Points that come from another system: each is added once, however often it comes. Pure, but for what is compared."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from taxiway.runs.points.segments import History


class Columns(Struct, frozen=True):
    """Points of one metric. at: microseconds since 1970. before: how many came before these."""

    key: str
    steps: NDArray[np.int64]
    at: NDArray[np.int64]
    values: NDArray[np.float64]
    before: int = 0

    def history(self) -> History:
        return History(self.steps, self.at, self.values)


def distinct(columns: Columns) -> Columns:
    """Each point once: the other system counts points that are alike as one."""
    steps, at, values = columns.steps, columns.at, columns.values
    if steps.size < 2 or (np.diff(steps) > 0).all():
        return columns
    order = np.lexsort((values, at, steps))
    steps, at, bits = steps[order], at[order], bits_of(values[order])
    differs = (np.diff(steps) != 0) | (np.diff(at) != 0) | (np.diff(bits) != 0)
    if differs.all():
        return columns
    is_first = np.zeros(steps.size, bool)
    is_first[order[np.concatenate(([True], differs))]] = True
    return take(columns, is_first)


def missing(columns: Columns, there: History) -> Columns:
    """The points that a series does not have yet."""
    known = set(zip(there.steps.tolist(), there.at.tolist(), bits_of(there.values).tolist(), strict=True))
    given = zip(columns.steps.tolist(), columns.at.tolist(), bits_of(columns.values).tolist(), strict=True)
    return take(columns, np.fromiter((point not in known for point in given), bool, columns.steps.size))


def take(columns: Columns, which: NDArray[np.bool_]) -> Columns:
    return replace(columns, steps=columns.steps[which], at=columns.at[which], values=columns.values[which])


def bits_of(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Values as what tells them apart: every NaN is the same, and zero has no sign."""
    return (np.where(np.isnan(values), np.nan, values) + 0.0).view(np.int64)
