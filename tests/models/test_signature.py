"""Rows are checked against a signature, and a refusal says which row and which field."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.models.predicting.signature import Column, ColumnType, InputMismatch, Signature, check_columns, check_rows

INPUTS = (
    Column(name="income", type="number"),
    Column(name="rooms", type="integer", nullable=True),
    Column(name="house", type="category", categories=("flat", "villa")),
)
GOOD: dict[str, Any] = {"income": 1.5, "rooms": 2, "house": "flat"}


def test_rows_become_typed_columns_in_the_signatures_order() -> None:
    shuffled = {"house": "villa", "rooms": 3.0, "income": 2}

    assert check_rows(INPUTS, [GOOD, shuffled]) == {
        "income": [1.5, 2],
        "rooms": [2, 3],
        "house": ["flat", "villa"],
    }


@pytest.mark.parametrize("nothing", [{"rooms": None}, {"rooms": math.nan}, {"rooms": "NaN"}])
def test_null_and_nan_are_the_same_missing_value(nothing: dict[str, Any]) -> None:
    assert check_rows(INPUTS, [GOOD | nothing])["rooms"] == [None]


def test_a_nullable_field_may_be_absent() -> None:
    assert check_rows(INPUTS, [{"income": 1.0, "house": "flat"}])["rooms"] == [None]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("income", None, "a finite number"),
        ("income", math.nan, "a finite number"),
        ("income", "Infinity", "a finite number"),
        ("income", math.inf, "a finite number"),
        ("income", "12", "a finite number"),
        ("income", True, "a finite number"),
        ("income", 10**400, "a finite number"),
        ("rooms", 2.5, "a whole number of at most 64 bits or null"),
        ("rooms", 2**63, "a whole number of at most 64 bits or null"),
        ("house", "tent", "one of flat, villa"),
        ("house", 3, "one of flat, villa"),
        ("house", ["flat"], "one of flat, villa"),
        ("garden", 1, "only house, income, rooms"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_row(field: str, value: object, expected: str) -> None:
    with pytest.raises(InputMismatch) as refusal:
        check_rows(INPUTS, [GOOD, GOOD, GOOD | {field: value}])

    assert (refusal.value.row, refusal.value.field, refusal.value.expected) == (2, field, expected)


def test_a_row_that_is_no_object_is_named() -> None:
    rows: Any = [GOOD, [1, 2, 3]]

    with pytest.raises(InputMismatch, match="Row 1"):
        check_rows(INPUTS, rows)


def test_a_long_value_is_cut_in_the_message() -> None:
    with pytest.raises(InputMismatch) as refusal:
        check_rows(INPUTS, [GOOD | {"income": "x" * 10_000}])

    assert len(refusal.value.value) < 100


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(InputMismatch) as refusal:
        check_columns(INPUTS, {"income": [1.0, 2.0], "house": ["flat"]})

    assert (refusal.value.row, refusal.value.field) == (1, "house")


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(InputMismatch, match="garden"):
        check_columns(INPUTS, {"garden": [1.0]})


def test_a_time_without_its_offset_is_refused() -> None:
    when = Column(name="at", type="datetime")

    assert check_rows([when], [{"at": "2013-04-01T06:00:00Z"}]) == {"at": [datetime(2013, 4, 1, 6, tzinfo=UTC)]}
    with pytest.raises(InputMismatch, match="offset"):
        check_rows([when], [{"at": "2013-04-01T06:00:00"}])


def test_booleans_and_strings_are_taken_as_they_are() -> None:
    inputs = [Column(name="b", type="boolean"), Column(name="s", type="string", nullable=True)]

    assert check_rows(inputs, [{"b": True, "s": None}, {"b": False, "s": "x"}]) == {
        "b": [True, False],
        "s": [None, "x"],
    }
    with pytest.raises(InputMismatch, match="true or false"):
        check_rows(inputs, [{"b": 1, "s": "x"}])


def test_a_signature_survives_json() -> None:
    signature = Signature(inputs=INPUTS, outputs=(Column(name="prediction", type="integer"),))

    assert msgspec.json.decode(msgspec.json.encode(signature), type=Signature) == signature


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers(), max_size=2)
kinds: st.SearchStrategy[ColumnType] = st.sampled_from(["boolean", "integer", "number", "string", "category"])


@given(st.lists(values, min_size=1), kinds, st.booleans())
def test_a_batch_is_accepted_exactly_when_each_row_alone_is(batch: list[Any], kind: ColumnType, nullable: bool) -> None:
    column = Column(name="x", type=kind, nullable=nullable, categories=("", "a"))

    alone = [outcome(column, [value]) for value in batch]
    together = outcome(column, batch)

    refused = [index for index, result in enumerate(alone) if isinstance(result, InputMismatch)]
    expected = refused[0] if refused else [value for result in alone for value in as_list(result)]
    assert (together.row if isinstance(together, InputMismatch) else together) == expected


def outcome(column: Column, batch: list[Any]) -> list[Any] | InputMismatch:
    try:
        return check_rows([column], [{"x": value} for value in batch])["x"]
    except InputMismatch as refusal:
        return refusal


def as_list(result: list[Any] | InputMismatch) -> list[Any]:
    assert isinstance(result, list)
    return result
