"""The rows that a check can ask a model anew on: those pinned with the predictions, a dataset's, or drawn ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct
from msgspec.structs import replace

from taxiway.gates.laws.predictions import Predictions
from taxiway.models.contract import Evaluation
from taxiway.models.predicting.signature import Column, Signature

Kind = Literal["evaluation", "dataset", "drawn"]
DRAWN_ROWS, DRAWN_SEED = 400, 0


class NoRows(ValueError):
    """Nothing to ask the model on; the sentence says why."""


class Rows(Struct, frozen=True, kw_only=True):
    """An Arrow table with a column for each of the model's inputs, and where it comes from.

    is_aligned: whether row i of it is row i of the predictions; then the predictions' own columns are in it too.
    said: the source in words, for the outcome's method.
    """

    table: Any
    kind: Kind
    said: str
    is_aligned: bool
    signature: Signature

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def inputs(self, indices: Sequence[int] | None = None) -> dict[str, list[Any]]:
        """The model's inputs as columns, as `Predictor.predict` takes them; of some rows, where these are named."""
        table = self.table.select([column.name for column in self.signature.inputs])
        if indices is not None:
            table = table.take(pa.array(indices, pa.int64()))
        return {column.name: as_input(table[column.name], column) for column in self.signature.inputs}

    def sample(self, most: int, seed: int) -> Rows:
        """At most so many of the rows, drawn without replacement and left in their order."""
        if len(self) <= most:
            return self
        kept = np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))
        said = f"{most:,} of {self.said}, drawn with seed {seed}"
        return replace(self, table=self.table.take(pa.array(kept)), said=said)


def as_input(values: Any, column: Column) -> list[Any]:
    """A column's values in the signature's type: a table keeps truth values and whole numbers in its own ways."""
    found = values.to_pylist()
    match column.type:
        case "number":
            return [None if value is None else float(value) for value in found]
        case "integer":
            return [None if is_gap(value) else int(value) for value in found]
        case "boolean":
            return [None if is_gap(value) else bool(value) for value in found]
        case "string" | "category":
            return [None if value is None else str(value) for value in found]
        case _:
            return [value.isoformat() if hasattr(value, "isoformat") else value for value in found]


def is_gap(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - only NaN differs from itself


def pinned(signature: Signature, evaluation: Evaluation, predictions: Predictions) -> Rows | None:
    """The evaluation's own rows, where its features were pinned with it."""
    if not has_all(signature, predictions.columns):
        return None
    table = predictions.table()
    said = f"the {table.num_rows:,} pinned rows of the evaluation"
    return Rows(table=table, kind="evaluation", said=said, is_aligned=True, signature=signature)


def of_dataset(
    signature: Signature, file: Path, ref: str, evaluation: Evaluation | None, predictions: Predictions | None
) -> Rows | None:
    """A dataset's rows, where it has every column that the model reads.

    They count as the evaluation's where it names this dataset, has as many rows, and the same labels row by row.
    """
    parquet = pq.ParquetFile(file, memory_map=True)
    if not has_all(signature, parquet.schema_arrow.names):
        return None
    table = parquet.read()
    said = f"the {table.num_rows:,} rows of {ref}"
    if evaluation is None or predictions is None or not is_same(table, evaluation, predictions):
        return Rows(table=table, kind="dataset", said=said, is_aligned=False, signature=signature)
    for name in predictions.columns:
        if name not in table.column_names:
            table = table.append_column(name, predictions.table()[name])
    said = f"{said}, each with its prediction"
    return Rows(table=table, kind="dataset", said=said, is_aligned=True, signature=signature)


def is_same(table: Any, evaluation: Evaluation, predictions: Predictions) -> bool:
    label = evaluation.label
    if table.num_rows != evaluation.rows or label not in table.column_names:
        return False
    return bool(table[label].to_pylist() == predictions.table()[label].to_pylist())


def has_all(signature: Signature, names: Sequence[str]) -> bool:
    return bool(signature.inputs) and {column.name for column in signature.inputs} <= set(names)


def drawn(signature: Signature, example: Sequence[Mapping[str, Any]]) -> Rows:
    """Rows drawn from the bundle's example: numbers evenly between its least and largest, the rest among its values.

    Raises NoRows where there is no example to draw from.
    """
    if not example:
        raise NoRows("No rows were pinned with their features, and the bundle has no example to draw from.")
    draws = np.random.default_rng(DRAWN_SEED)
    columns = {c.name: draw_column(c, [row.get(c.name) for row in example], draws) for c in signature.inputs}
    said = f"{DRAWN_ROWS} rows drawn from the values of the bundle's example with seed {DRAWN_SEED}"
    return Rows(table=pa.table(columns), kind="drawn", said=said, is_aligned=False, signature=signature)


def draw_column(column: Column, values: list[Any], draws: np.random.Generator) -> list[Any]:
    known = [value for value in values if not is_gap(value)]
    if not known:
        return [None] * DRAWN_ROWS
    if column.type == "number":
        return [float(value) for value in draws.uniform(min(known), max(known), DRAWN_ROWS)]
    return [known[int(i)] for i in draws.integers(0, len(known), DRAWN_ROWS)]
