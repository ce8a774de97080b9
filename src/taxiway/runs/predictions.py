"""Predictions as a table that can be pinned: any frame in, Parquet out, through narwhals and the frame's own Arrow."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

from taxiway.kernel.errors import BadField, TaxiwayError


class ArrowMissing(TaxiwayError):
    """Writing Parquet needs pyarrow, which is not installed."""

    status = 501

    def __str__(self) -> str:
        return "Predictions are kept as Parquet, which needs pyarrow: `pip install pyarrow`."


def to_parquet(frame: Any, columns: Sequence[str]) -> tuple[bytes, int]:
    """The named columns as a Parquet file, and the number of rows. The index of a pandas frame is left behind.

    Raises BadField for what is no frame, has no rows or lacks a column; ArrowMissing.
    """
    import narwhals as nw

    try:
        table = nw.from_native(frame, eager_only=True)
    except TypeError as e:
        expected = "a pandas, polars, pyarrow or modin frame (any that narwhals knows)"
        raise BadField(field="frame", value=type(frame).__name__, expected=expected) from e
    known = table.columns
    for column in columns:
        if column not in known:
            raise BadField(field="column", value=repr(column), expected=f"one of {', '.join(map(str, known))}")
    if len(table) == 0:
        raise BadField(field="frame", value="0 rows", expected="at least one row")
    try:
        arrow = {column: table[column].to_arrow() for column in dict.fromkeys(columns)}
        written = nw.from_dict(arrow, backend="pyarrow")
    except ModuleNotFoundError as e:
        raise ArrowMissing from e
    into = io.BytesIO()
    written.write_parquet(into)
    return into.getvalue(), len(table)
