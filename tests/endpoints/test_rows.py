"""Rows out of whatever a caller holds."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.endpoints.rows import as_rows, as_text, parse, value_of
from taxiway.endpoints.showing.trying import PREFIX, as_number, fields, row_of
from taxiway.kernel.errors import BadField
from taxiway.models.predicting.signature import Column, Signature, check_rows

INPUTS = (
    Column(name="income", type="number", nullable=True),
    Column(name="rooms", type="integer"),
    Column(name="married", type="boolean"),
    Column(name="area", type="category", categories=("north", "south")),
    Column(name="note", type="string", nullable=True),
)
PLAIN = {"income": 1.5, "rooms": 2, "married": True, "area": "north", "note": "x"}

plain_rows = st.fixed_dictionaries(
    {
        "income": st.none() | st.floats(allow_nan=False, allow_infinity=False, width=32),
        "rooms": st.integers(-(10**9), 10**9),
        "married": st.booleans(),
        "area": st.sampled_from(("north", "south")),
        "note": st.none() | st.text("abc ", min_size=1),
    }
)


@pytest.mark.parametrize("make", [pd.DataFrame, pa.Table.from_pylist])
def test_a_frame_gives_the_rows_that_it_was_made_of(make: Any) -> None:
    assert as_rows(make([PLAIN, {**PLAIN, "rooms": 3}])) == [PLAIN, {**PLAIN, "rooms": 3}]


def test_numbers_of_array_libraries_and_times_become_plain() -> None:
    row = {"a": np.float64(1.5), "b": np.int64(2), "c": np.bool_(True), "d": math.nan, "e": math.inf}

    assert as_rows(row) == [{"a": 1.5, "b": 2, "c": True, "d": None, "e": "Infinity"}]
    assert as_text(datetime(2013, 5, 1, 6, tzinfo=UTC)) == "2013-05-01T06:00:00Z"


@pytest.mark.parametrize("given", [3, "text", [1, 2], object()])
def test_what_is_no_row_is_refused(given: Any) -> None:
    with pytest.raises(BadField, match="rows"):
        as_rows(given)


def test_a_time_without_its_zone_is_refused() -> None:
    with pytest.raises(BadField, match="event_at"):
        as_text(datetime(2013, 5, 1))  # noqa: DTZ001  the point of the test


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"rooms": 2}'),
        ("a.json", '[{"rooms": 2}]'),
        ("a.json", '{"rows": [{"rooms": 2}]}'),
        ("a.jsonl", '{"rooms": 2}\n\n'),
        ("-", '{"rooms": 2}'),
        ("a.csv", "rooms\n2\n"),
        ("-", "rooms\n2\n"),
    ],
)
def test_every_form_of_a_file_says_the_same_row(name: str, text: str) -> None:
    assert parse(text, name, INPUTS) == [{"rooms": 2}]


def test_a_broken_line_is_named() -> None:
    with pytest.raises(BadField, match=r"a\.jsonl, line 2"):
        parse('{"rooms": 2}\n{"rooms": \n', "a.jsonl", INPUTS)


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("bad.json", '{"rooms": 2,\n "size": }\n', "bad.json, line 2"),
        ("bad.json", "rooms: 2\n", "bad.json, line 1"),
        ("bad.json", '[{"rooms": 2},\n\n', "bad.json, line"),
    ],
)
def test_json_that_cannot_be_read_is_said_with_its_line(name: str, text: str, where: str) -> None:
    with pytest.raises(BadField, match=where) as refused:
        parse(text, name, INPUTS)
    assert "JSON" in str(refused.value)


def test_a_text_that_does_not_fit_goes_on_as_it_is() -> None:
    assert [value_of(column, "much") for column in INPUTS[:3]] == ["much", "much", "much"]


@given(plain_rows)
def test_a_form_filled_with_an_example_says_the_example(row: dict[str, Any]) -> None:
    signature = Signature(inputs=INPUTS, outputs=())
    sent = {field.name: field.value for field in fields(signature, row, {})}

    said = check_rows(INPUTS, [row_of(signature, sent)])

    assert said == check_rows(INPUTS, [{k: float(as_number(v)) if isinstance(v, float) else v for k, v in row.items()}])
    assert set(sent) == {PREFIX + column.name for column in INPUTS}
