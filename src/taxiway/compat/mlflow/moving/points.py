"""Rows of points as they stand in another store, made arrays and looked at; none is dropped without a word. Pure."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from taxiway.compat.mlflow.moving.source import Series
from taxiway.runs.points import times

LARGEST = sys.float_info.max


class Columns(Struct, frozen=True):
    """Points of one run as their store has them; moments in milliseconds. is_nan: where values have no NaN."""

    keys: Sequence[Any]
    steps: Sequence[Any]
    at: Sequence[Any]
    values: Sequence[Any]
    is_nan: Sequence[Any] | None = None

    def only(self, which: Sequence[int]) -> Columns:
        parts = (self.keys, self.steps, self.at, self.values, self.is_nan)
        return Columns(*(None if part is None else [part[i] for i in which] for part in parts))  # type: ignore[arg-type]


class Split(Struct, frozen=True):
    """The series in some rows. infinities: how many values stood for one as the largest number there is."""

    series: list[Series]
    problems: list[str]
    infinities: int


def split(columns: Columns, *, has_infinities: bool = False) -> Split:
    """Series by key, each by step, time and value.

    has_infinities: the store keeps infinities as they are; MLflow's SQL stores keep ±1.7976931348623157e308 instead.
    """
    problems: list[str] = []
    arrays = plain_arrays(columns)
    if arrays is None:
        # SQLite keeps whatever was written into a column: one value of another kind, and each has to be looked at.
        odd = [i for i in range(len(columns.keys)) if not is_point(columns, i)]
        problems = [told(columns, i) for i in odd]
        columns = columns.only(sorted(set(range(len(columns.keys))) - set(odd)))
        values = [0.0 if value is None else value for value in columns.values]
        arrays = np.array(columns.steps, np.int64), np.array(columns.at, np.int64), np.array(values, np.float64)
    steps, at, found = arrays[0], times.array_from_ms(arrays[1]), arrays[2].astype(np.float64)
    infinities = 0 if has_infinities else put_infinities_back(found)
    if columns.is_nan is not None:
        found[np.array(columns.is_nan).astype(bool)] = np.nan
    numbers = {key: number for number, key in enumerate(dict.fromkeys(columns.keys))}
    which = np.fromiter(map(numbers.__getitem__, columns.keys), np.intp, len(columns.keys))
    order = np.lexsort((found, times.unsigned(at), steps, which))
    bounds = np.searchsorted(which[order], np.arange(len(numbers) + 1))
    series = [
        Series(key, steps[part], at[part], found[part])
        for key, start, end in zip(numbers, bounds[:-1], bounds[1:], strict=True)
        for part in [order[start:end]]
    ]
    return Split(series, problems, infinities)


def plain_arrays(columns: Columns) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None:
    """Steps, moments and values where every row holds a point, seen from the columns as a whole; else None."""
    steps, at, values = (np.array(part) for part in (columns.steps, columns.at, columns.values))
    is_plain = (
        steps.dtype == at.dtype == np.int64
        and values.dtype in (np.float64, np.int64)
        and at.min() >= 0
        and all(type(key) is str for key in set(columns.keys))
    )
    return (steps, at, values) if is_plain else None


def is_point(columns: Columns, i: int) -> bool:
    step, at, value = columns.steps[i], columns.at[i], columns.values[i]
    is_nan = columns.is_nan is not None and columns.is_nan[i] in (1, True)
    return (
        isinstance(columns.keys[i], str)
        and type(step) is int
        and -(2**63) <= step < 2**63
        and type(at) is int
        and 0 <= at <= times.MOST_MS
        and (type(value) is float or (type(value) is int and abs(value) < 2**1023) or (value is None and is_nan))
    )


def told(columns: Columns, i: int) -> str:
    key, step, at, value = (repr(part[i])[:100] for part in (columns.keys, columns.steps, columns.at, columns.values))
    return f"metric {key}, step {step}, timestamp {at}, value {value}: this is no point"


def put_infinities_back(values: NDArray[np.float64]) -> int:
    """Makes infinities of the largest numbers there are; how many."""
    is_high, is_low = values == LARGEST, values == -LARGEST
    values[is_high], values[is_low] = np.inf, -np.inf
    return int(is_high.sum() + is_low.sum())
