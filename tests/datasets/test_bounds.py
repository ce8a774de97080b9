"""What a few bytes may unfold into is bounded."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.datasets.contract import ContractText, TableUnreadable
from taxiway.datasets.measuring import measure
from taxiway.datasets.reading import csv_to_parquet, open_table
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


def test_a_list_that_a_run_of_a_few_bytes_stands_for_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taxiway.datasets.reading.MOST_COLUMN_BYTES", 1 << 20)
    many = 300_000
    values = pa.array(np.zeros(many, dtype=np.int8))
    row = pa.ListArray.from_arrays(pa.array([0, many], pa.int32()), values)
    pq.write_table(pa.table({"bomb": row, "n": [1]}), tmp_path / "b.parquet", compression="zstd")

    for footer in ("true", "false"):
        if footer == "false":
            forge(tmp_path / "b.parquet", many, 1)
        table = open_table(tmp_path / "b.parquet", "b.parquet")
        with pytest.raises(TableUnreadable, match=r"column bomb takes|pages hold 300,000"):
            table.column("bomb")
        assert table.column("n").to_pylist() == [1]
        table.close()


@pytest.mark.parametrize("begin", [b"", b"\n\r\n", b'"a,\n""b",', b'a"', b'"' + b"a\n" * (3 << 20) + b'",'])
@pytest.mark.parametrize("end", [b"", b"\n1\n", b'"\n1\n'])
def test_a_header_without_end_is_refused_before_it_is_read(begin: bytes, end: bytes, tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_bytes(begin + b"," * 1_000_000 + end)

    with pytest.raises(TooLarge, match=r"The (number of columns|header) of wide\.csv"):
        csv_to_parquet(tmp_path / "wide.csv", "wide.csv", BytesIO())


@pytest.mark.parametrize("header", [b'"a,\n' + b"," * 6_000 + b'"', b'a"b', b'\xef\xbb\xbf"a ""b"""', b"a,b"])
def test_a_header_in_quotes_is_one_column(header: bytes, tmp_path: Path) -> None:
    rows = b"1,2" if b"," in header and not header.startswith(b'"') else b"1"
    (tmp_path / "a.csv").write_bytes(header + b"\n" + rows + b"\n")

    csv_to_parquet(tmp_path / "a.csv", "a.csv", into := BytesIO())

    assert pq.read_metadata(into).num_rows == 1


def forge(file: Path, number: int, other: int) -> None:
    """Writes another number into the footer of a Parquet file, wherever it stands, in as many bytes."""
    data = file.read_bytes()
    begin = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    before = varint(2 * number)
    after = varint(2 * other, len(before))
    assert before in data[begin:]
    file.write_bytes(data[:begin] + data[begin:].replace(before, after))


def varint(number: int, length: int = 0) -> bytes:
    digits = [number >> shift & 127 for shift in range(0, max(number.bit_length(), 7 * length), 7)]
    return bytes([*(digit | 128 for digit in digits[:-1]), digits[-1]])


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1], [2, None]]),
        pa.array([{"a": 1, "b": ["x"]}, None]),
        pa.array([[("a", 1)], []], pa.map_(pa.string(), pa.int8())),
        pa.nulls(2),
        pa.array(["a", "b"], pa.string_view()),
        pa.array([b"ab", b"cd"], pa.binary(2)),
        pa.array(["a", None]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_column_of_every_type_is_read(column: pa.Array, version: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a.b": column}), tmp_path / "a.parquet", data_page_version=version)

    found = measure(tmp_path / "a.parquet", None, name="a.parquet")

    assert found.profile.rows == len(column)
    assert found.profile.columns[0].nulls == column.null_count


def test_a_contract_of_endless_text_or_columns_is_refused() -> None:
    long = "# " + "x" * (300 << 10)
    wide = "columns:\n" + "".join(f"  c{i}: {{}}\n" for i in range(5_001))

    for text in (long, wide):
        with pytest.raises(TooLarge):
            read_contract(None, ContractText(text, name="c.yaml"))
