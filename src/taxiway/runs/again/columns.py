"""Two tables of predictions held against each other, column by column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from taxiway.kernel.numbers import to_wire
from taxiway.runs.again.sameness import Gap


def columns_apart(name: str, column: str, first: bytes, again: bytes) -> Gap:
    """How far a column of two Parquet tables is apart, row by row.

    Numbers by their largest difference; of anything else, how many rows differ.
    """
    try:
        one, other = (read_column(data, column) for data in (first, again))
    except (pa.ArrowInvalid, KeyError, OSError) as e:
        return Gap(name, is_equal=False, largest="Infinity", note=f"it cannot be read: {e}")
    if len(one) != len(other):
        return Gap(name, is_equal=False, largest="Infinity", note=f"{len(other):,} rows, not {len(one):,}")
    if one.equals(other):
        return Gap(name, is_equal=True)
    if not all(is_numeric(each.type) for each in (one, other)):
        count = sum(a != b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True))
        return Gap(name, is_equal=count == 0, largest="Infinity" if count else 0.0, note=f"{count:,} rows differ")
    largest = furthest(one, other)
    return Gap(name, is_equal=largest == 0, largest=to_wire(largest))


def read_column(data: bytes, column: str) -> Any:
    array = pq.read_table(pa.BufferReader(data), columns=[column])[column].combine_chunks()
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def is_numeric(kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def furthest(one: Any, other: Any) -> float:
    """The largest difference of two columns of numbers, relative to the larger where that is above 1."""
    a, b = (np.asarray(each.cast(pa.float64()).to_numpy(zero_copy_only=False)) for each in (one, other))
    is_same = (a == b) | (np.isnan(a) & np.isnan(b))
    if not np.all(is_same | (np.isfinite(a) & np.isfinite(b))):
        return float("inf")
    with np.errstate(invalid="ignore"):
        apart = np.abs(a - b) / np.maximum(1.0, np.maximum(np.abs(a), np.abs(b)))
    return float(np.max(np.where(is_same, 0.0, apart), initial=0.0))
