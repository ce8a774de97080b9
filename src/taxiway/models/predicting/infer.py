"""The signature that a training table shows: names, types, categories, gaps."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.signature import Column, Columns, ColumnType, Signature

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

ARRAY_TYPES: dict[str, ColumnType] = {
    "b": "boolean",
    "i": "integer",
    "u": "integer",
    "f": "number",
    "U": "string",
}


class NoSignature(TaxiwayError):
    """An example from which no signature can be read."""

    status = 400
    found: str

    def __str__(self) -> str:
        return (
            f"No signature can be read from {self.found}. Give the rows that the model was trained on as a "
            f"pandas, Polars or Arrow table of numbers, strings, categories, booleans and times, or as a "
            f"numpy array of two dimensions."
        )


def infer_signature(example: Any, outputs: Sequence[Column], *, nullable: Collection[str] = ()) -> Signature:
    """The signature of a model that takes such rows: names, types, categories, and which columns had gaps.

    example: any frame that narwhals knows (pandas, Polars, Arrow, ...) or a numpy array of two dimensions,
    whose columns are called x0, x1, ... Give the whole training table where you can: a column is nullable
    when the example has a null or NaN in it, and a category may be what the frame's category type lists.
    nullable: further columns that may have gaps later, though the example happens to have none.
    Raises NoSignature for anything else, and for a column of a type that JSON cannot carry.

    >>> import pyarrow as pa
    >>> rows = pa.table({"age": [30, None], "town": ["Lyon", "Oslo"]})
    >>> [(c.name, c.type, c.nullable) for c in infer_signature(rows, outputs=()).inputs]
    [('age', 'integer', True), ('town', 'string', False)]
    """
    if _is_array(example):
        inputs = [_array_column(f"x{index}", values) for index, values in enumerate(_two_dimensional(example).T)]
    else:
        frame = _frame(example)
        inputs = [_frame_column(frame[name]) for name in frame.columns]
    if unknown := set(nullable) - {column.name for column in inputs}:
        raise NoSignature(found=f"a table without {', '.join(sorted(unknown))}, which may have gaps")
    opened = (replace(column, nullable=True) if column.name in nullable else column for column in inputs)
    return Signature(inputs=tuple(opened), outputs=tuple(outputs))


def example_columns(example: Any, *, rows: int) -> Columns:
    """The first rows of an example as plain Python values by column; NaN becomes None."""
    if _is_array(example):
        lists = {f"x{index}": values.tolist() for index, values in enumerate(_two_dimensional(example)[:rows].T)}
    else:
        head = _frame(example).head(rows)
        lists = {name: head[name].to_list() for name in head.columns}
    return {name: [_plain(value) for value in values] for name, values in lists.items()}


def labels_column(name: str, labels: Any) -> Column:
    """The column of a classifier's answers, by the numpy array of the labels that it knows."""
    return Column(name=name, type=ARRAY_TYPES.get(labels.dtype.kind, "string"))


def _is_array(example: Any) -> bool:
    return type(example).__module__.partition(".")[0] == "numpy"


def _two_dimensional(example: Any) -> Any:
    if example.ndim != 2 or example.dtype.kind not in ARRAY_TYPES:
        raise NoSignature(found=f"a numpy array of shape {example.shape} and type {example.dtype}")
    return example


def _array_column(name: str, values: Any) -> Column:
    kind = ARRAY_TYPES[values.dtype.kind]
    return Column(name=name, type=kind, nullable=kind == "number" and any(map(math.isnan, values.tolist())))


def _frame(example: Any) -> nw.DataFrame[Any]:
    import narwhals.stable.v2 as nw

    try:
        return nw.from_native(example, eager_only=True)
    except TypeError as e:
        raise NoSignature(found=f"a {type(example).__module__}.{type(example).__qualname__}") from e


def _frame_column(series: nw.Series[Any]) -> Column:
    kind = _frame_type(series)
    has_gaps = series.null_count() > 0 or (kind == "number" and series.is_nan().any())
    categories = tuple(series.cat.get_categories().to_list()) if kind == "category" else None
    if categories and not all(isinstance(category, str) for category in categories):
        raise NoSignature(found=f"column {series.name!r}, whose categories are no strings")
    return Column(name=series.name, type=kind, nullable=bool(has_gaps), categories=categories)


def _frame_type(series: nw.Series[Any]) -> ColumnType:
    import narwhals.stable.v2 as nw

    dtype = series.dtype
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    named: dict[type[Any], ColumnType] = {
        nw.Boolean: "boolean",
        nw.String: "string",
        nw.Categorical: "category",
        nw.Enum: "category",
        nw.Datetime: "datetime",
    }
    for known, kind in named.items():
        if isinstance(dtype, known):
            return kind
    raise NoSignature(found=f"column {series.name!r} of type {dtype}")


def _plain(value: Any) -> Any:
    """A value as JSON knows it: no numpy scalar, and no NaN."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and math.isnan(value) else value
