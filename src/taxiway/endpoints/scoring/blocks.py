"""Arrow columns as the blocks that models take, and answers as Arrow columns: what a scoring process computes with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from taxiway.endpoints.rows import value_of
from taxiway.models.predicting.arrays import Array, Arrays, Block, mismatches, predict_arrays
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.predicting.signature import Column, InputMismatch, Signature

ARROW = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "string": pa.string(),
    "category": pa.string(),
    "datetime": pa.timestamp("us", "UTC"),
}
ERROR = "error"
COMPARED = 64  # rows whose answers in a block are compared with those that they get alone
Failed = dict[int, str]
Say = Callable[[BaseException], str]


def as_block(batch: pa.RecordBatch, inputs: Sequence[Column], *, is_text: bool) -> Block:
    """The columns of a batch that the model takes. is_text: they come from a CSV, where a number is a text."""
    known = {column.name: column for column in inputs}
    names = [name for name in batch.schema.names if name in known]
    return {name: as_values(batch.column(name), known[name], is_text=is_text) for name in names}


def as_values(values: Any, column: Column, *, is_text: bool) -> Any:
    """A column as an array where it is one of plain numbers, as a list otherwise; a gap is NaN or None."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if is_text and column.type in ("integer", "number", "boolean"):
        return from_texts(values, column)
    if pa.types.is_boolean(kind) and not values.null_count:
        return values.to_numpy(zero_copy_only=False)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind):
        return from_numbers(values)
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        values = pc.cast(values, pa.timestamp("us", kind.tz), safe=False)
    found: list[Any] = values.to_pylist()
    if is_text:
        return [value_of(column, text) for text in found]
    return found


def from_numbers(values: Any) -> Any:
    if pa.types.is_float64(values.type) or (pa.types.is_integer(values.type) and not values.null_count):
        return values.to_numpy(zero_copy_only=False)
    try:
        return pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # a whole number that no float holds
        return values.to_pylist()


def from_texts(values: Any, column: Column) -> Any:
    """Numbers spelt out, as the command line reads them for an endpoint."""
    if column.type != "boolean":
        try:
            return from_numbers(pc.cast(values, pa.int64() if column.type == "integer" else pa.float64()))
        except pa.ArrowInvalid:
            pass
    return [value_of(column, text) for text in values.to_pylist()]


def answer_block(predictor: Predictor, block: Block, *, keeps_on: bool, say: Say) -> tuple[Arrays, Failed]:
    """The answers of the rows that have one, in order, and why the others have none.

    keeps_on: a row that does not fit costs itself alone; without it InputMismatch is raised for the first.
    """
    if not keeps_on:
        return predict_arrays(predictor, block), {}
    try:
        return predict_arrays(predictor, block), {}
    except InputMismatch:
        failed = {row: refusal_words(e) for row, e in bad_rows(predictor, block)}
    except Exception:  # noqa: BLE001 - a plug-in call: which rows it raises on is found below
        failed = {}
    good = np.setdiff1d(np.arange(height_of(block)), np.array(sorted(failed), dtype=np.int64))
    answers, more = halved(predictor, taken(block, good), say)
    return answers, failed | {int(good[row]): why for row, why in more.items()}


def halved(predictor: Predictor, block: Block, say: Say) -> tuple[Arrays, Failed]:
    """As `answer_block` for rows that fit: a model that raises is asked for halves, down to the row it raises on."""
    height = height_of(block)
    if not height:
        return {}, {}
    try:
        return predict_arrays(predictor, block), {}
    except Exception as e:  # noqa: BLE001 - a plug-in call: whatever it raises belongs to these rows
        if height == 1:
            return {}, {0: say(e)}
    middle = height // 2
    first, failed = halved(predictor, taken(block, np.arange(middle)), say)
    second, more = halved(predictor, taken(block, np.arange(middle, height)), say)
    joined = {name: np.concatenate([part[name] for part in (first, second) if part]) for name in first or second}
    return joined, failed | {row + middle: why for row, why in more.items()}


def refusal_words(mismatch: InputMismatch) -> str:
    """Why one row alone is refused, without its number, which is another in the file."""
    return f"field {mismatch.field!r}: {mismatch.why}"


def height_of(block: Block) -> int:
    return len(next(iter(block.values()), ()))


def bad_rows(predictor: Predictor, block: Block) -> list[tuple[int, InputMismatch]]:
    return sorted(mismatches(predictor.signature.inputs, block).items())


def taken(block: Block, rows: Any) -> Block:
    """The given rows of a block."""
    return {
        name: values[rows] if isinstance(values, np.ndarray) else [values[row] for row in rows]
        for name, values in block.items()
    }


def fields_of(signature: Signature) -> dict[str, pa.DataType]:
    """The columns that answers have, by the signature; one that says nothing of its answers gives numbers."""
    outputs = signature.outputs
    if len(outputs) == 1:
        return {"prediction": ARROW[outputs[0].type]}
    return {column.name: ARROW[column.type] for column in outputs} or {"prediction": pa.float64()}


def as_answers(answers: Arrays, failed: Failed, fields: dict[str, pa.DataType], height: int) -> pa.RecordBatch:
    """A row for each row that came: its answer, or null and the error."""
    rows = np.setdiff1d(np.arange(height), np.array(sorted(failed), dtype=np.int64)) if failed else None
    columns = [spread(answers.get(name), kind, rows, height) for name, kind in fields.items()]
    errors = (
        pa.nulls(height, pa.string())
        if not failed
        else pa.array([failed.get(row) for row in range(height)], pa.string())
    )
    return pa.RecordBatch.from_arrays([*columns, errors], names=[*fields, ERROR])


def spread(values: Any, kind: pa.DataType, rows: Any, height: int) -> Any:
    if values is None:
        return pa.nulls(height, kind)
    plain = values.tolist() if values.dtype == object else values
    found = pa.array(plain).cast(kind) if len(values) else pa.array([], kind)
    if rows is None:
        return found
    places = np.full(height, -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    return found.take(pa.array(places, mask=places < 0))


def one_by_one(predictor: Predictor, block: Block) -> Arrays:
    """The answers that each row gets alone."""
    alone = [predict_arrays(predictor, taken(block, np.array([row]))) for row in range(height_of(block))]
    return {name: np.concatenate([answers[name] for answers in alone]) for name in alone[0]} if alone else {}


def largest_difference(predictor: Predictor, block: Block, answers: Arrays, failed: Failed) -> float:
    """How far the answers of some rows of a block lie from those that they get alone.

    A sum over many rows at once may be taken in another order than over one: 0 says that none differs in any bit.
    Labels that differ count as 1.
    """
    good = np.setdiff1d(np.arange(height_of(block)), np.array(sorted(failed), dtype=np.int64))
    places = np.unique(np.linspace(0, len(good) - 1, COMPARED).astype(np.int64)) if len(good) else good
    alone = one_by_one(predictor, taken(block, good[places]))
    return max((apart(values, answers[name][places]) for name, values in alone.items()), default=0.0)


def apart(alone: Array, together: Array) -> float:
    if alone.dtype.kind != "f" or together.dtype.kind != "f":
        return float(bool((alone != together).any()))
    return float(np.nan_to_num(np.abs(alone - together)).max(initial=0.0))
