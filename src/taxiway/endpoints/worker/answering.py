"""From rows as they travelled to answers as they travel: a short way where all columns are numbers, else the long one.

The short way reads the JSON of all rows in one step straight into a matrix, or takes the matrix that came. Whatever it
does not take at once (a row that does not fit, a number written as a string) goes the long way, which says what is
wrong and with which field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta, Struct

from taxiway.endpoints.blocks import Block, Field, Told, objects_of
from taxiway.endpoints.worker.reading import read
from taxiway.kernel.numbers import to_wire
from taxiway.models.predicting.arrays import EXACT_INTEGERS, Arrays
from taxiway.models.predicting.matrices import Matrix, MatrixPredictor
from taxiway.models.predicting.predictor import Prediction, Predictor
from taxiway.models.predicting.signature import LARGEST_INTEGER, Column, Signature

encode = msgspec.json.Encoder().encode

# The same as `signature` accepts, where a value plainly fits.
KINDS: dict[str, Any] = {
    "number": float,
    "integer": Annotated[int, Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)],
    "boolean": bool,
}
# A numpy kind, as the datatype that its values are told in, and numpy's name of that.
COLUMNAR: dict[str, tuple[Literal["BOOL", "INT64", "FP64"], str]] = {
    "b": ("BOOL", "?"),
    "i": ("INT64", "<i8"),
    "f": ("FP64", "<f8"),
}


class NotPlain(Exception):
    """Rows that the short way does not take."""


class Answering:
    """Answers the rows of one or many requests."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor
        is_short = isinstance(predictor, MatrixPredictor) and predictor.takes_matrix
        self.short = ShortWay(predictor) if is_short else None  # type: ignore[arg-type]  # as was just asked

    def answers(self, rows: Sequence[bytes]) -> list[bytes]:
        """A JSON object per row. Raises whatever the model raises, and DecodeError for what is no JSON."""
        return [encode(each) for each in self.listed(rows)]

    def together(self, rows: Sequence[bytes]) -> bytes:
        """The same as one JSON array."""
        return encode(self.listed(rows))

    def of_block(self, block: Block) -> Told | bytes:
        """The answers to a matrix, field by field where all of them are finite numbers, else as one JSON array."""
        if self.short is not None and (matrix := self.short.fitting(block)) is not None:
            said = self.short.predict(matrix)
            return told_of(said, block.rows) or encode(listed(said))
        return self.together(objects_of(block, block.rows))

    def listed(self, rows: Sequence[bytes]) -> Sequence[Any]:
        """What is said of each row."""
        if self.short is not None:
            try:
                return listed(self.short.predict(self.short.matrix(rows)))
            except (NotPlain, msgspec.DecodeError, UnicodeDecodeError):
                pass
        return spelt_answers(self.predictor, [read(row, number) for number, row in enumerate(rows)])


class ShortWay:
    """By way of a matrix: whatever it takes is answered as the long way would."""

    def __init__(self, predictor: MatrixPredictor) -> None:
        inputs = predictor.signature.inputs
        self.decode = matrix_decoder(predictor.signature).decode
        self.predict = predictor.predict_matrix
        self.names = tuple(column.name for column in inputs)
        self.whole = [at for at, column in enumerate(inputs) if column.type == "integer"]
        self.truths = [at for at, column in enumerate(inputs) if column.type == "boolean"]
        self.closed = [at for at, column in enumerate(inputs) if not column.nullable]

    def matrix(self, rows: Sequence[bytes]) -> Matrix:
        """The values of rows, checked. Raises NotPlain, DecodeError."""
        found = self.decode(b"[" + b",".join(rows) + b"]")
        if len(found) != len(rows):  # a row that is no object on its own, and several in a list
            raise NotPlain
        values_of = msgspec.structs.astuple
        matrix = np.array([values_of(row) for row in found], dtype=np.float64)
        if np.isinf(matrix).any():
            raise NotPlain
        return matrix

    def fitting(self, block: Block) -> Matrix | None:
        """The matrix that came, if every value plainly fits its column."""
        if block.columns != self.names:
            return None
        kind = "<f4" if block.datatype == "FP32" else "<f8"
        matrix: Matrix = np.frombuffer(block.data, dtype=kind).reshape(block.rows, -1).astype(np.float64)
        if not np.isfinite(matrix).all() and (np.isinf(matrix).any() or np.isnan(matrix[:, self.closed]).any()):
            return None
        if self.whole:
            values = matrix[:, self.whole]
            if not ((values == np.floor(values)) & (np.abs(values) <= EXACT_INTEGERS) | np.isnan(values)).all():
                return None
        if self.truths:
            values = matrix[:, self.truths]
            if not ((values == 0) | (values == 1) | np.isnan(values)).all():
                return None
        signless = self.whole + self.truths
        if signless:
            matrix[:, signless] += 0.0  # a whole number has no -0
        return matrix


def listed(said: Arrays) -> Sequence[Any]:
    """What is said of each row, as JSON can have it."""
    labels = said["prediction"].tolist()
    if "score" not in said:
        return [spelt({"prediction": label}) for label in labels]
    scores = said["score"]
    told = [{"prediction": p, "score": s} for p, s in zip(labels, scores.tolist(), strict=True)]
    if np.isfinite(scores).all() and said["prediction"].dtype.kind != "f":
        return told
    return [spelt(each) for each in told]  # type: ignore[arg-type]


def told_of(said: Arrays, rows: int) -> Told | None:
    """The same field by field; None where a field is of anything but finite numbers or truth values."""
    fields = []
    for name in ("prediction", "score"):
        if name not in said:
            continue
        values = said[name]
        kind = COLUMNAR.get(values.dtype.kind)
        if kind is None or values.shape != (rows,) or (kind[0] == "FP64" and not np.isfinite(values).all()):
            return None
        fields.append(Field(name, kind[0], values.astype(kind[1]).tobytes()))
    return Told(rows, tuple(fields))


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
    return [encode(each) for each in spelt_answers(predictor, rows)]


def spelt_answers(predictor: Predictor, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is said of each row, as JSON can have it. Raises whatever the model raises."""
    predictions = predictor.predict(rows)
    if len(predictions) != len(rows):
        raise ValueError(f"the model gave {len(predictions)} answers for {len(rows)} rows")
    return [spelt(prediction) for prediction in predictions]


def spelt(prediction: Prediction) -> dict[str, Any]:
    """A prediction as it travels: JSON has no NaN, and null would say that there is no score."""
    return {
        name: to_wire(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in prediction.items()
    }
