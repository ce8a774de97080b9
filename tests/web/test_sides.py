"""Things side by side: one precision in a row, and what is better only where that is known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.web.sides import of_numbers, of_texts, texts_of, way

numbers = st.floats(allow_nan=False, allow_infinity=False, min_value=1e-3, max_value=1e6)


@given(st.lists(numbers, min_size=2, max_size=5))
def test_every_number_of_a_row_has_the_same_decimals(values: list[float]) -> None:
    texts, _ = texts_of(values)

    assert len({len(text.partition(".")[2]) for text in texts}) == 1


def test_different_values_look_different() -> None:
    line = of_numbers("accuracy", [0.85123451, 0.85123457], is_different=True)

    assert [cell.text for cell in line.cells] == ["0.8512345", "0.8512346"]


def test_whole_numbers_stay_whole_and_what_is_missing_is_a_dash() -> None:
    line = of_numbers("rows", [1989.0, None, math.nan], is_different=True)

    assert [cell.text for cell in line.cells] == ["1,989", "–", "NaN"]


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("accuracy", [0.8, 0.9], "better"),
        ("val/log_loss", [0.8, 0.9], "worse"),
        ("approved_black", [0.8, 0.9], "higher"),
        ("size", [0.9, 0.8], "lower"),
    ],
)
def test_a_change_is_judged_only_where_the_name_says_what_is_better(name: str, values: list[float], kind: str) -> None:
    line = of_numbers(name, values, is_different=True)

    assert line.change is not None
    assert line.change.kind == kind


def test_of_several_sides_the_best_is_marked() -> None:
    line = of_numbers("rmse", [3.0, 1.0, 2.0], is_different=True)

    assert [cell.is_best for cell in line.cells] == [False, True, False]
    assert line.change is None


def test_of_several_texts_those_that_are_not_the_first_are_marked() -> None:
    line = of_texts("solver", ["lbfgs", "saga", "lbfgs"], is_different=True)

    assert [cell.is_other for cell in line.cells] == [False, True, False]


def test_a_name_that_says_both_says_nothing() -> None:
    assert way("accuracy_loss") == 0


def test_a_column_lines_up_on_its_points() -> None:
    rows, loss = (of_numbers(name, [value, 1.0], is_different=True) for name, value in (("rows", 9.0), ("loss", 0.25)))
    longest = loss.cells[0].part

    assert [cell.part + len(cell.pad(longest)) for cell in (rows.cells[0], loss.cells[0])] == [4, 4]
