"""A signature shows what a table holds, whatever library the table is of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from taxiway.models.predicting.infer import NoSignature, infer_signature
from taxiway.models.predicting.signature import Column

NUMBERS = pd.DataFrame({"a": [1.5, 2.5, 3.5], "b": [0.5, 0.25, 0.0], "c": [-1.0, 1.0, 2.0]})
MIXED = NUMBERS.assign(
    a=[1.5, np.nan, 3.5],
    town=["Lyon", "Oslo", "Lyon"],
    size=pd.Categorical(["big", "small", "big"]),
    rooms=[1, 2, 3],
    has_lift=[True, False, True],
)


def test_a_signature_shows_names_types_gaps_and_categories() -> None:
    signature = infer_signature(MIXED, outputs=())

    assert signature.inputs == (
        Column(name="a", type="number", nullable=True),
        Column(name="b", type="number"),
        Column(name="c", type="number"),
        Column(name="town", type="string"),
        Column(name="size", type="category", categories=("big", "small")),
        Column(name="rooms", type="integer"),
        Column(name="has_lift", type="boolean"),
    )


def test_arrow_and_arrays_show_the_same_signature_as_pandas() -> None:
    renamed = NUMBERS.rename(columns={"a": "x0", "b": "x1", "c": "x2"})
    from_pandas = infer_signature(renamed, outputs=())

    assert infer_signature(pa.Table.from_pandas(renamed), outputs=()) == from_pandas
    assert infer_signature(renamed.to_numpy(), outputs=()) == from_pandas
    gaps = MIXED.drop(columns=["size"])
    assert infer_signature(pa.Table.from_pandas(gaps), outputs=()) == infer_signature(gaps, outputs=())


def test_columns_may_be_said_to_have_gaps_that_the_example_lacks() -> None:
    signature = infer_signature(NUMBERS, outputs=(), nullable=["b"])

    assert [column.nullable for column in signature.inputs] == [False, True, False]
    with pytest.raises(NoSignature, match="beds"):
        infer_signature(NUMBERS, outputs=(), nullable=["beds"])


@pytest.mark.parametrize("example", [[1, 2], np.zeros(3), np.array([["a", object()]]), pd.DataFrame({"x": [{"a": 1}]})])
def test_what_is_no_table_shows_no_signature(example: Any) -> None:
    with pytest.raises(NoSignature):
        infer_signature(example, outputs=())
