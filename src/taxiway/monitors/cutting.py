"""The reference of a monitor: each column cut once, with the rows of every bin. Reads one column at a time."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from taxiway.monitors.contract import ColumnReference
from taxiway.monitors.performance import performance
from taxiway.monitors.statistics import NotEnoughValues, NotNumbers, bin_edges, histogram
from taxiway.monitors.terms import Metric

NUMERIC = ("integer", "number")


class ColumnUnfit(ValueError):
    """A column of the reference that cannot be cut, with the reason as the end of a sentence."""


class ReferenceTable:
    """A Parquet file whose columns are cut."""

    def __init__(self, file: Path) -> None:
        self.parquet = pq.ParquetFile(file, memory_map=True)
        self.names: list[str] = self.parquet.schema_arrow.names

    def values(self, name: str, type_: str) -> Any:
        """A column as the law takes it: floats with NaN where it holds numbers, else Python's own values."""
        column = self.parquet.read([name]).column(name)
        if type_ not in NUMERIC:
            return column.to_pylist()
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.int8())
        if pa.types.is_null(column.type):
            column = column.cast(pa.float64())
        try:
            floats = pc.cast(column, pa.float64(), safe=False)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as e:
            raise ColumnUnfit(f"its column {name!r} holds {column.type}, where the model takes numbers") from e
        return floats.to_numpy()

    def cut(self, name: str, type_: str, column: str = "") -> ColumnReference:
        """The column with its bins and their rows. `column` is its name in the file where that differs."""
        values = self.values(column or name, type_)
        try:
            bins = bin_edges(values, rule=None if type_ in NUMERIC else "category")
            counts = histogram(values, bins)
        except (NotEnoughValues, NotNumbers) as e:
            raise ColumnUnfit(f"its column {column or name!r} cannot be cut ({e})") from e
        return ColumnReference(name=name, type=type_, bins=bins, counts=[int(count) for count in counts])


def digest_of(columns: list[ColumnReference]) -> str:
    """The digest of some cut columns: of their JSON, fields in order."""
    return f"sha256:{hashlib.sha256(msgspec.json.encode(columns)).hexdigest()}"


def metric_over(metric: Metric, labels: Any, scores: Any) -> float | None:
    """A metric's value over all rows; None where the rows do not define it."""
    rows = np.arange(len(labels))  # every row a block of its own: only the value is asked for
    return performance(metric, labels, scores, rows).estimate.value
