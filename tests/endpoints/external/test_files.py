"""Files that are fed: a few bytes that unfold into more than memory holds are refused before they do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from taxiway.endpoints.external import files
from taxiway.endpoints.external.contract import FedRecord, FeedLog
from taxiway.endpoints.external.files import Found, paired, read
from taxiway.kernel.errors import BadField, TooLarge

AT = datetime(2026, 3, 1, tzinfo=UTC)


def table(rows: int = 1, **columns: Any) -> pa.Table:
    base = {"prediction_id": pa.array(["a"] * rows), "at": pa.array([AT] * rows, pa.timestamp("us", "UTC"))}
    return pa.table({**base, **columns})


def nested(depth: int) -> pa.Array:
    found: Any = 1.0
    for _ in range(depth):
        found = {"a": found}
    return pa.array([found])


def repeated() -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int8()), pa.array(["x" * (2 << 20)]))


def wide() -> pa.Array:
    return pa.StructArray.from_arrays([pa.array([1.0])] * 6_000, [f"c{n}" for n in range(6_000)])


BOMBS: dict[str, Callable[[], pa.Table]] = {
    "a long cell": lambda: table(inputs=pa.array(["x" * (30 << 20)])),
    "a cell that many rows share": lambda: table(100_000, inputs=repeated()),
    "a long list": lambda: table(inputs=pa.array([[None] * 1_000_000], pa.list_(pa.null()))),
    "many rows": lambda: table(60_000),
    "many fields": lambda: table(inputs=wide()),
    "deep": lambda: table(inputs=nested(40)),
    "other columns": lambda: table(**{f"c{n}": pa.array([1]) for n in range(2_000)}),
}


POOLS: list[pa.MemoryPool] = []  # what was taken from a pool must not outlive it


@pytest.mark.parametrize("name", BOMBS)
def test_a_parquet_bomb_is_refused_before_it_unfolds(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "bomb.parquet"
    pq.write_table(BOMBS[name](), path, compression="zstd", dictionary_pagesize_limit=1 << 30)
    for limit, smaller in (("MOST_BYTES", 1 << 20), ("MOST_VALUES", 500_000), ("MOST_ROWS", 50_000)):
        monkeypatch.setattr(files, limit, smaller)
    counted = pa.proxy_memory_pool(pa.default_memory_pool())
    POOLS.append(counted)
    pa.set_memory_pool(counted)
    try:
        with pytest.raises((TooLarge, BadField), match=r"bomb\.parquet"):
            list(read(path))
    finally:
        pa.set_memory_pool(pa.default_memory_pool())

    assert path.stat().st_size < 2 << 20
    assert counted.max_memory() < 4 << 20


def test_a_cell_that_many_rows_share_is_read_a_few_rows_at_a_time(tmp_path: Path) -> None:
    text = msgspec.json.encode({"note": "x" * (1 << 20)}).decode()
    path = tmp_path / "shared.parquet"
    pq.write_table(table(80, inputs=[text] * 80), path, dictionary_pagesize_limit=1 << 30)

    assert files.refuse_bomb(pq.ParquetFile(path), path) == 63
    assert sum(1 for _ in read(path)) == 80


@pytest.mark.parametrize("data", [b"PAR1", b"PAR1" + b"\x00" * 400 + b"PAR1", b"\x1f\x8b" + b"\x00" * 50, b""])
def test_what_is_no_parquet_is_said(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "log.parquet"
    path.write_bytes(data)

    with pytest.raises(BadField, match="Parquet"):
        list(read(path))


def test_a_line_without_end_is_not_taken_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    with path.open("wb") as file:
        file.truncate(1 << 30)  # a gigabyte of zeros that takes no room

    with pytest.raises(TooLarge, match="line 1"):
        list(read(path))


@pytest.mark.parametrize("text", ["[" * 100_000, "\x1f\x8b", "7", '{"a": 1'])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text('{"prediction_id": "a"}\n\n' + text)

    with pytest.raises(BadField, match="line 3"):
        list(read(path))


def test_halves_of_requests_meet_and_the_rest_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [Found(f"line {n}", {"correlationid": id_, "n": n}) for n, id_ in enumerate("abcba")]

    assert [[each.values["n"] for each in some] for some in paired(given)] == [[1, 3], [0, 4], [2]]
    monkeypatch.setattr(files, "MOST_WAITING", 1)
    with pytest.raises(TooLarge):
        list(paired(given))


@pytest.mark.parametrize("id_", ["a\n", "\n", "a\x00", "a b", "a/b", "a\u2028", "a\u202eb", "\ufeffa", "a" * 201, ""])
def test_ids_that_hide_something_are_refused(id_: str) -> None:
    record = {"prediction_id": id_, "at": AT.isoformat(), "inputs": {}}

    with pytest.raises(msgspec.ValidationError, match="prediction_id"):
        msgspec.convert({"records": [record]}, FeedLog)


@pytest.mark.parametrize("id_", ["a", "3b1f6f9e-6d7b", "loan:7", "größe-7", "订单", "a" * 200])
def test_ids_of_other_systems_are_taken(id_: str) -> None:
    assert msgspec.convert({"prediction_id": id_, "at": AT, "inputs": {}}, FedRecord).prediction_id == id_
