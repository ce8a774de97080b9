"""What a page shows of a table: its first rows, whatever its few bytes would unfold into."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.datasets.unfolding import Broken
from taxiway.runs.showing.table import TOO_WIDE, read_parquet
from tests.datasets.test_bounds import forge

MANY = 3_000_000


def test_the_first_rows_of_every_kind_of_column_are_shown(tmp_path: Path) -> None:
    rows = {
        "number": [1, None, 3],
        "text": ["a", None, "x" * 1_000],
        "bytes": [b"ab", None, b"\x00" * 1_000],
        "list": [[1, 2], None, []],
        "nothing": pa.nulls(3),
        "dotted.name": ["p", "q", "p"],
    }
    pq.write_table(pa.table(rows), tmp_path / "t.parquet", row_group_size=2)

    found = read_parquet(tmp_path / "t.parquet")

    assert found.columns == list(rows)
    assert found.rows == [["1", "a", "b'ab'", "[1, 2]", "", "p"], ["", "", "", "", "", "q"]]
    assert found.rows_in_all == 3


def test_long_texts_are_cut_before_they_are_unfolded(tmp_path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 150, pa.int32()), pa.array(["x" * 2_000_000]))
    pq.write_table(pa.table({"a": texts}), tmp_path / "t.parquet", compression="zstd", store_schema=False)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = read_parquet(tmp_path / "t.parquet")

    assert [len(row[0]) for row in found.rows] == [200] * 150
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10  # 300 MB, if each row had its own


def test_a_list_without_end_is_named_and_not_shown(tmp_path: Path) -> None:
    values = pa.array(np.zeros(MANY, dtype=np.int8))
    row = pa.ListArray.from_arrays(pa.array([0, MANY], pa.int32()), values)
    pq.write_table(pa.table({"bomb": row, "n": [7]}), tmp_path / "t.parquet", compression="zstd")

    assert read_parquet(tmp_path / "t.parquet").rows == [[TOO_WIDE, "7"]]
    forge(tmp_path / "t.parquet", MANY, 1)
    with pytest.raises(Broken, match="3,000,000"):
        read_parquet(tmp_path / "t.parquet")
