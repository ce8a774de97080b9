"""Rows to answers: the short way for numbers gives what the long one gives, alone or in company."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from taxiway.adapters.sklearn import load, save
from taxiway.adapters.sklearn_predictor import SklearnPredictor
from taxiway.endpoints.blocks import Block, BlockRows, Told, ToldRows
from taxiway.endpoints.worker.answering import Answering, answers
from taxiway.endpoints.worker.probing import probes
from taxiway.endpoints.worker.process import holds_together
from taxiway.models.bundles.bundle import write_bundle
from taxiway.models.predicting.matrices import without_names
from taxiway.models.predicting.signature import Column, InputMismatch, Signature, check_rows

NAMES = ("income", "the debt", "children", "married")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> SklearnPredictor:
    """A logistic regression, behind a scaler, on columns of three types, one with gaps it never had to answer."""
    draw = np.random.default_rng(3)
    table = pd.DataFrame(draw.normal(size=(200, 2)), columns=list(NAMES[:2]))
    table["children"] = draw.integers(0, 5, 200)
    table["married"] = draw.random(200) < 0.5
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, table["income"] > table["children"] - 2)
    folder: Path = tmp_path_factory.mktemp("answering") / "bundle"
    return load(folder, write_bundle(folder, save(model, folder, table, name="m")).digest)


def asked(**fields: object) -> bytes:
    row = {"income": 0.5, "the debt": -1, "children": 2, "married": True}
    return msgspec.json.encode({**row, **fields})


def test_the_short_way_answers_as_the_long_one_bit_for_bit(predictor: SklearnPredictor) -> None:
    rows = probes(predictor.signature, [msgspec.json.decode(asked()), msgspec.json.decode(asked(income=9.0))], 40)

    assert predictor.takes_matrix
    assert Answering(predictor).answers(rows) == answers(predictor, [msgspec.json.decode(row) for row in rows])


def test_a_matrix_and_many_rows_are_answered_as_rows_are_bit_for_bit(predictor: SklearnPredictor) -> None:
    rows = probes(predictor.signature, [msgspec.json.decode(asked()), msgspec.json.decode(asked(income=9.0))], 40)
    answering = Answering(predictor)
    alone = answering.answers(rows)

    told = answering.of_block(block_of(rows))

    assert isinstance(told, Told)
    assert [*ToldRows(told)] == alone
    assert ToldRows(told)[:3] == alone[:3]
    assert answering.together(rows) == b"[" + b",".join(alone) + b"]"
    assert [*BlockRows(block_of(rows))] == [msgspec.json.encode(as_floats(row)) for row in rows]


@pytest.mark.parametrize(
    ("place", "value", "field"),
    [
        (0, math.nan, "income"),
        (1, math.inf, "the debt"),
        (2, 1.5, "children"),
        (2, 1e300, "children"),
        (3, 2, "married"),
    ],
)
def test_a_value_of_a_matrix_that_does_not_fit_is_named_with_its_row(
    predictor: SklearnPredictor, place: int, value: float, field: str
) -> None:
    block = block_of([asked()] * 20)
    values = bytearray(block.data)
    struct.pack_into("<d", values, 8 * (7 * len(NAMES) + place), value)

    with pytest.raises(InputMismatch) as refusal:
        Answering(predictor).of_block(msgspec.structs.replace(block, data=bytes(values)))

    assert (refusal.value.row, refusal.value.field) == (7, field)


def block_of(rows: list[bytes]) -> Block:
    """The same rows as a caller of binary tensors sends them."""
    values = [float(msgspec.json.decode(row)[name]) for row in rows for name in NAMES]
    return Block("FP64", len(rows), NAMES, struct.pack(f"<{len(values)}d", *values), (3,))


def as_floats(row: bytes) -> dict[str, object]:
    return {name: v if v is True or v is False else float(v) for name, v in msgspec.json.decode(row).items()}


def test_a_row_gets_the_same_bits_in_any_company(predictor: SklearnPredictor) -> None:
    rows = probes(predictor.signature, [msgspec.json.decode(asked()), msgspec.json.decode(asked(income=9.0))], 40)
    table = pd.DataFrame([msgspec.json.decode(row) for row in rows])[list(NAMES)]

    assert holds_together(Answering(predictor), rows)
    scores = [msgspec.json.decode(one)["score"] for one in Answering(predictor).answers(rows)]
    assert scores == predictor.model.predict_proba(table)[:, 1].tolist()


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (asked(income="much"), "income"),
        (asked(income=None), "income"),
        (asked(children=1.5), "children"),
        (asked(children=2**70), "children"),
        (asked(married=1), "married"),
        (asked(age=4), "age"),
        (asked().replace(b'"married":true', b'"married":true,"more":[1]'), "more"),
    ],
)
def test_what_does_not_fit_is_named_as_ever(predictor: SklearnPredictor, row: bytes, field: str) -> None:
    with pytest.raises(InputMismatch) as refusal:
        Answering(predictor).answers([asked(), row])

    assert (refusal.value.row, refusal.value.field) == (1, field)


def test_two_rows_where_one_belongs_are_no_two_answers(predictor: SklearnPredictor) -> None:
    with pytest.raises(msgspec.DecodeError):
        Answering(predictor).answers([asked() + b"," + asked()])


def test_a_whole_number_with_a_point_is_one(predictor: SklearnPredictor) -> None:
    plain, pointed = Answering(predictor).answers([asked(), asked(children=2.0)])

    assert plain == pointed


def test_models_that_may_look_at_names_keep_their_table() -> None:
    assert without_names(make_pipeline(FunctionTransformer(), LogisticRegression())) is None
    assert without_names(predictor) is None


def test_probes_are_rows_that_the_signature_takes() -> None:
    signature = Signature(
        inputs=(
            Column(name="n", type="integer"),
            Column(name="c", type="category", categories=("a", "b")),
            Column(name="s", type="string", nullable=True),
            Column(name="at", type="datetime"),
        ),
        outputs=(),
    )
    example = [{"n": 1, "c": "a", "s": None, "at": "2026-01-01T00:00:00Z"}, {"n": 9, "c": "b", "s": "x", "at": None}]
    found = probes(signature, [{**row, "at": "2026-01-01T00:00:00Z"} for row in example], 30)

    columns = check_rows(signature.inputs, [msgspec.json.decode(row) for row in found])
    assert len(set(columns["n"])) > 5
    assert set(columns["c"]) == {"a", "b"}
