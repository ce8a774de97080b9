"""What a few bytes may unfold into is bounded."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.datasets.contract import ContractText, TableUnreadable
from taxiway.datasets.reading import open_table
from taxiway.datasets.service import read_contract
from taxiway.kernel.errors import TooLarge


def test_a_column_that_would_fill_memory_is_refused_by_name(tmp_path: Path) -> None:
    rows, long = 3_000, "a" * 1_000_000
    values = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array([long]))
    pq.write_table(pa.table({"bomb": values, "n": list(range(rows))}), tmp_path / "b.parquet", compression="zstd")
    table = open_table(tmp_path / "b.parquet", "b.parquet")

    with pytest.raises(TableUnreadable, match="column bomb takes 3,000,000,000 bytes"):
        table.column("bomb")
    assert len(table.column("n")) == rows
    table.close()


def test_a_contract_of_endless_text_or_columns_is_refused() -> None:
    long = "# " + "x" * (300 << 10)
    wide = "columns:\n" + "".join(f"  c{i}: {{}}\n" for i in range(5_001))

    for text in (long, wide):
        with pytest.raises(TooLarge):
            read_contract(None, ContractText(text, name="c.yaml"))
