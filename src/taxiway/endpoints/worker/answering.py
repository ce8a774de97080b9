"""From rows as they travelled to answers as they travel: a short way where all columns are numbers, else the long one.

The short way reads the JSON of all rows in one step straight into a matrix. Whatever it does not take at once (a row
that does not fit, a number written as a string) goes the long way, which says what is wrong and with which field.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from taxiway.endpoints.worker.reading import read
from taxiway.kernel.numbers import to_wire
from taxiway.models.predicting.matrices import MatrixPredictor
from taxiway.models.predicting.predictor import Prediction, Predictor
from taxiway.models.predicting.signature import LARGEST_INTEGER, Column, Signature

encode = msgspec.json.Encoder().encode

# The same as `signature` accepts, where a value plainly fits.
KINDS: dict[str, Any] = {
    "number": float,
    "integer": Annotated[int, Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)],
    "boolean": bool,
}


class NotPlain(Exception):
    """Rows that the short way does not take."""


class Answering:
    """Answers the rows of one or many requests."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        self.in_short = short_way(predictor) if isinstance(predictor, MatrixPredictor) else None

    def answers(self, rows: Sequence[bytes]) -> list[bytes]:
        """A JSON object per row. Raises whatever the model raises, and DecodeError for what is no JSON."""
        if self.in_short is not None:
            try:
                return self.in_short(rows)
            except (NotPlain, msgspec.DecodeError, UnicodeDecodeError):
                pass
        return answers(self.predictor, [read(row, number) for number, row in enumerate(rows)])


def short_way(predictor: MatrixPredictor) -> Callable[[Sequence[bytes]], list[bytes]] | None:
    """Answers to rows by way of a matrix; None where the model needs more than numbers.

    What comes is answered as `answers` would, or raises NotPlain or DecodeError.
    """
    if not predictor.takes_matrix:
        return None
    import numpy as np

    decoder = matrix_decoder(predictor.signature)
    predict = predictor.predict_matrix
    values_of = msgspec.structs.astuple

    def answered(rows: Sequence[bytes]) -> list[bytes]:
        found = decoder.decode(b"[" + b",".join(rows) + b"]")
        if len(found) != len(rows):  # a row that is no object on its own, and several in a list
            raise NotPlain
        matrix = np.array([values_of(row) for row in found], dtype=np.float64)
        if np.isinf(matrix).any():
            raise NotPlain
        answers = predict(matrix)
        labels = answers["prediction"].tolist()
        if "score" not in answers:
            return [encode(spelt({"prediction": label})) for label in labels]
        scores = answers["score"]
        told = [{"prediction": p, "score": s} for p, s in zip(labels, scores.tolist(), strict=True)]
        if np.isfinite(scores).all() and answers["prediction"].dtype.kind != "f":
            return [encode(each) for each in told]
        return [encode(spelt(each)) for each in told]  # type: ignore[arg-type]

    return answered


def matrix_decoder(signature: Signature) -> msgspec.json.Decoder[list[Struct]]:
    """Reads an array of rows of these columns, each field in its place; nothing else is taken."""
    fields = [field_of(number, column) for number, column in enumerate(signature.inputs)]
    names = {f"f{number}": column.name for number, column in enumerate(signature.inputs)}
    kind = msgspec.defstruct("Row", fields, rename=names, forbid_unknown_fields=True, kw_only=True, gc=False)
    return msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]


def field_of(number: int, column: Column) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = KINDS[column.type]
    return (f"f{number}", kind | None, None) if column.nullable else (f"f{number}", kind)


def answers(predictor: Predictor, rows: Sequence[dict[str, Any]]) -> list[bytes]:
    """A JSON object per row. Raises whatever the model raises."""
    predictions = predictor.predict(rows)
    if len(predictions) != len(rows):
        raise ValueError(f"the model gave {len(predictions)} answers for {len(rows)} rows")
    return [encode(spelt(prediction)) for prediction in predictions]


def spelt(prediction: Prediction) -> dict[str, Any]:
    """A prediction as it travels: JSON has no NaN, and null would say that there is no score."""
    return {
        name: to_wire(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in prediction.items()
    }
