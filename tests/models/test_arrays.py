"""Blocks of columns are taken and refused as their rows are, one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.adapters.sklearn_predictor import pandas_column
from taxiway.models.predicting.arrays import check_block, mismatches
from taxiway.models.predicting.signature import Column, InputMismatch, check_columns

NUMBERS = st.sampled_from([0.0, 1.0, -3.0, 2.5, float("nan"), float("inf"), 2.0**60, 1e308])


def outcome(check: object, column: Column, values: object) -> object:
    """The values as numbers, NaN for a gap, or what is refused."""
    try:
        found = check([column], {"x": values})["x"]  # type: ignore[operator]
    except InputMismatch as e:
        return e.row, e.field, e.value, e.expected
    return [str(float("nan") if each is None else float(each)) for each in found]


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.booleans(), st.sampled_from(["number", "integer"]))
def test_an_array_fits_where_its_values_do(values: list[float], nullable: bool, kind: str) -> None:
    column = Column(name="x", type=kind, nullable=nullable)  # type: ignore[arg-type]

    assert outcome(check_block, column, np.array(values)) == outcome(check_columns, column, values)


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.booleans())
def test_each_row_that_does_not_fit_is_found_and_no_other(values: list[float], nullable: bool) -> None:
    columns = [Column(name="x", type="number", nullable=nullable), Column(name="y", type="integer")]
    found = mismatches(columns, {"x": np.array(values), "y": np.array(values)})

    alone = {}
    for row, value in enumerate(values):
        try:
            check_columns(columns, {"x": [value], "y": [value]})
        except InputMismatch as e:
            alone[row] = e.field
    assert {row: each.field for row, each in found.items()} == alone


def test_a_block_is_refused_for_a_field_that_nobody_knows_and_for_unequal_lengths() -> None:
    columns = [Column(name="x", type="number")]

    with pytest.raises(InputMismatch, match="unknown field"):
        check_block(columns, {"x": np.zeros(2), "z": np.zeros(2)})
    with pytest.raises(InputMismatch, match="2 rows"):
        check_block([*columns, Column(name="y", type="number")], {"x": np.zeros(2), "y": np.zeros(1)})


def test_an_array_becomes_the_pandas_column_that_its_list_becomes() -> None:
    whole = Column(name="x", type="integer", nullable=True)

    assert pandas_column(whole, np.array([1, 2])).dtype == pandas_column(whole, [1, 2]).dtype == np.int64
    assert pandas_column(whole, np.array([1.0, np.nan])).dtype == pandas_column(whole, [1, None]).dtype == np.float64
