"""Pinned predictions read back: a column at a time, as arrays that the laws take.

Arrow is imported by the first that are read: a server that is asked for none starts without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from taxiway.gates.laws.intervals import ValuesMissing


class Predictions:
    """The Parquet file of a version's evaluation, as the bytes that its digest was checked on."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def values(self, column: str) -> NDArray[Any]:
        """Numbers and truth values as numbers, missing ones as NaN; anything else as texts.

        Raises ValuesMissing where a text is missing: nothing would stand for it.
        """
        import pyarrow as pa

        array = self._read(column)
        if pa.types.is_boolean(array.type):
            array = array.cast(pa.int8())
        if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            return np.asarray(array.to_numpy(zero_copy_only=False))
        if array.null_count:
            missing = f"{array.null_count} of {len(array)} values of {column!r} are missing"
            raise ValuesMissing(f"{missing}. Leave these rows out or fill them.")
        return np.array([str(value) for value in array.to_pylist()], dtype=str)

    def groups(self, column: str) -> NDArray[Any]:
        """The name of each row's group; None where there is none."""
        return np.array(self._read(column).to_pylist(), dtype=object)

    @property
    def columns(self) -> list[str]:
        """The names of all columns that were pinned."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        return list(pq.read_schema(pa.BufferReader(self.data)).names)

    def table(self) -> Any:
        """All columns, as an Arrow table."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        return pq.read_table(pa.BufferReader(self.data))

    def _read(self, column: str) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        array = pq.read_table(pa.BufferReader(self.data), columns=[column])[column].combine_chunks()
        return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array
