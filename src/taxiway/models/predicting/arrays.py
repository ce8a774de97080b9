"""Columns as arrays: what `signature` checks value by value, checked a block at a time, with the same outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from taxiway.models.predicting.predictor import Predictor
from taxiway.models.predicting.signature import Column, InputMismatch, check_columns, check_shape

Array: TypeAlias = NDArray[Any]
Block = Mapping[str, Array | Sequence[object]]
Arrays = dict[str, Array]

EXACT_INTEGERS = 2**53  # above it a float may stand for several whole numbers


@runtime_checkable
class ArrayPredictor(Protocol):
    """A predictor that answers blocks without an object for each row."""

    def predict_arrays(self, columns: Block) -> Arrays:
        """As `predict`: the answers' fields, each an array as long as the columns. Raises InputMismatch."""
        ...


def predict_arrays(predictor: Predictor, columns: Block) -> Arrays:
    """The answers to a block as arrays, from any predictor. Raises InputMismatch, and what the model raises."""
    if isinstance(predictor, ArrayPredictor):
        return predictor.predict_arrays(columns)
    answers: list[Mapping[str, Any]] = [*predictor.predict({name: as_list(each) for name, each in columns.items()})]
    fields = list(answers[0]) if answers else []
    return {field: np.array([answer.get(field) for answer in answers]) for field in fields}


def check_block(inputs: Sequence[Column], columns: Block) -> dict[str, Any]:
    """As `check_columns`, for columns that may be arrays; what fits stays an array, gaps being NaN in it.

    Raises InputMismatch for the first field in the signature's order that has a value which does not fit.
    """
    check_shape(inputs, columns)
    checked: dict[str, Any] = {}
    height = len(next(iter(columns.values()), ()))
    for column in inputs:
        values = columns.get(column.name)
        fitting: Any = fit(column, values) if isinstance(values, np.ndarray) else None
        if fitting is None:
            given = [None] * height if values is None else as_list(values)
            fitting = check_columns([column], {column.name: given})[column.name]
        checked[column.name] = fitting
    return checked


def fit(column: Column, values: Array) -> Array | None:
    """The array in its column's type, where every value plainly fits; None where each has to be looked at."""
    match column.type, values.dtype.kind:
        case "boolean", "b":
            return values
        case ("number", "i") | ("integer", "i"):
            return values
        case "number", "f":
            return values if gaps_fit(column, values) else None
        case "integer", "f":
            whole = np.abs(values) < EXACT_INTEGERS
            whole &= values == np.floor(values)
            if whole.all():
                return values.astype(np.int64)
            return values if column.nullable and bool((whole | np.isnan(values)).all()) else None
        case _:
            return None


def gaps_fit(column: Column, values: Array) -> bool:
    """Whether all are finite numbers, or NaN where the column may have gaps."""
    if np.isfinite(values).all():
        return True
    return column.nullable and not np.isinf(values).any()


def as_list(values: Array | Sequence[object]) -> list[object]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def mismatches(inputs: Sequence[Column], columns: Block) -> dict[int, InputMismatch]:
    """For each row that does not fit its first field that does not, as the row alone would be refused."""
    found: dict[int, InputMismatch] = {}
    height = len(next(iter(columns.values()), ()))
    for column in inputs:
        values = columns.get(column.name)
        if isinstance(values, np.ndarray) and fit(column, values) is not None:
            continue
        given = [None] * height if values is None else as_list(values)
        for row, value in enumerate(given):
            try:
                check_columns([column], {column.name: [value]})
            except InputMismatch as mismatch:
                found.setdefault(row, mismatch)
    return found
