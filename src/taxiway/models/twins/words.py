"""Words as numbers: a twin takes doubles alone, so a word is its place among those that the model's encoder knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxiway.models.predicting.matrices import Matrix
from taxiway.models.predicting.signature import Column

UNKNOWN = -1.0
NO_SUCH_WORD = "no such word, said a twin"  # stands for any word that the encoder does not know
Words = Mapping[str, Sequence[str]]


def to_matrix(columns: Mapping[str, Any], words: Words, refused: Sequence[str] = ()) -> Matrix:
    """Checked columns as doubles, in the signature's order; gaps are NaN.

    Raises ValueError for a word that is not known in a column whose encoder refuses such.
    """
    if not words:
        return np.array(list(columns.values()), dtype=np.float64).T
    found = []
    for name, values in columns.items():
        if name not in words:
            found.append(np.array(values, dtype=np.float64))
            continue
        places: dict[object, float] = {word: float(at) for at, word in enumerate(words[name])}
        places[None] = np.nan
        coded = [places.get(value, UNKNOWN) for value in values]
        if name in refused and UNKNOWN in coded:
            unknown = sorted({value for value, code in zip(values, coded, strict=True) if code == UNKNOWN})
            raise ValueError(f"Found unknown categories {unknown[:5]} in column {name} during transform")
        found.append(np.array(coded))
    return np.column_stack(found)


def to_columns(matrix: Matrix, inputs: Sequence[Column], words: Words) -> dict[str, Any]:
    """The rows as columns that a model's own library takes."""
    return {column.name: _column(matrix[:, at], column, words) for at, column in enumerate(inputs)}


def _column(values: NDArray[np.float64], column: Column, words: Words) -> Any:
    if known := words.get(column.name):
        return [None if np.isnan(v) else NO_SUCH_WORD if v < 0 else known[int(v)] for v in values.tolist()]
    gaps = np.isnan(values)
    if column.type == "boolean":
        whole = np.where(gaps, 0, values) > 0
        return [None if gap else bool(v) for gap, v in zip(gaps, whole, strict=True)] if gaps.any() else whole
    if column.type == "integer" and not gaps.any():
        return values.astype(np.int64)
    return values
