"""The fingerprint depends on what a table says, and not on how a file holds it."""

from __future__ import annotations

import hashlib
import io
import struct
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.datasets.fingerprint import column_digest, fingerprint

VALUES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "whole": (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    "big": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "real": (pa.float64(), st.floats()),
    "flag": (pa.bool_(), st.booleans()),
    "word": (pa.string(), st.text(max_size=6)),
    "raw": (pa.binary(), st.binary(max_size=6)),
    "day": (pa.date32(), st.dates()),
    "price": (pa.decimal128(12, 2), st.decimals(-(10**9), 10**9, places=2)),
    "words": (pa.list_(pa.string()), st.lists(st.none() | st.text(max_size=3), max_size=3)),
    "pair": (
        pa.struct([("a", pa.int8()), ("b", pa.string())]),
        st.fixed_dictionaries({"a": st.none() | st.integers(-9, 9), "b": st.none() | st.text(max_size=3)}),
    ),
}


@st.composite
def tables(draw: st.DrawFn) -> Any:
    rows = draw(st.integers(1, 12))
    names = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=4, unique=True))
    columns = {}
    for name in names:
        kind, values = VALUES[name]
        columns[name] = pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
    return pa.table(columns)


def of(table: Any) -> str:
    return fingerprint([(name, column_digest(table.column(name))) for name in table.schema.names], table.num_rows)


def stored(table: Any, **how: Any) -> Any:
    target = io.BytesIO()
    pq.write_table(table, target, **how)
    return pq.read_table(io.BytesIO(target.getvalue()))


@settings(max_examples=60)
@given(tables(), st.integers(1, 5), st.sampled_from(["none", "snappy", "zstd", "gzip"]), st.booleans())
def test_row_groups_compression_and_encoding_do_not_matter(
    table: Any, group: int, compression: str, is_encoded: bool
) -> None:
    back = stored(table, row_group_size=group, compression=compression, use_dictionary=is_encoded)

    assert of(back) == of(table)


@settings(max_examples=60)
@given(tables(), st.lists(st.integers(0, 12), max_size=4))
def test_chunks_do_not_matter(table: Any, cuts: list[int]) -> None:
    ends = sorted({0, *(min(cut, table.num_rows) for cut in cuts), table.num_rows})
    parts = [table.slice(a, b - a) for a, b in pairwise(ends)]

    assert of(pa.concat_tables(parts)) == of(table)


@settings(max_examples=60)
@given(tables(), st.data())
def test_the_order_of_rows_matters_unless_they_are_alike(table: Any, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(table.num_rows)))

    moved = table.take(pa.array(order))

    assert (of(moved) == of(table)) == (repr(moved.to_pydict()) == repr(table.to_pydict()))


def test_a_block_boundary_does_not_show() -> None:
    values = pa.array([f"row {i}" for i in range(70_000)])

    assert column_digest(pa.chunked_array([values])) == column_digest(
        pa.chunked_array([values[:100], values[100:65_537], values[65_537:]])
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array(["a", "b", "a"]), pa.array(["a", "b", "a"]).dictionary_encode()),
        (pa.array(["a", None]), pa.array(["a", None], pa.large_string())),
        (pa.array(["a", "b"]), pa.array(["a", "b"], pa.string_view())),
        (pa.array([[1], []]), pa.array([[1], []], pa.large_list(pa.int64()))),
        (pa.array([1.0, float("nan")]), pa.array([1.0, -float("nan")])),
    ],
)
def test_the_same_values_in_other_clothes_are_the_same(one: Any, other: Any) -> None:
    assert column_digest(pa.chunked_array([one])) == column_digest(pa.chunked_array([other]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (pa.array([1]), pa.array([1], pa.int32())),
        (pa.array([0]), pa.array([None], pa.int64())),
        (pa.array([0.0]), pa.array([-0.0])),
        (pa.array([1.0]), pa.array([float("nan")])),
        (pa.array([None], pa.float64()), pa.array([float("nan")])),
        (pa.array(["ab", "c"]), pa.array(["a", "bc"])),
        (pa.array([""]), pa.array([None], pa.string())),
        (pa.array([b"a"]), pa.array(["a"])),
        (pa.array([[1], [2]]), pa.array([[1, 2], []])),
        (pa.array([[]], pa.list_(pa.int8())), pa.array([None], pa.list_(pa.int8()))),
        (pa.array([0], pa.timestamp("us")), pa.array([0], pa.timestamp("ms"))),
        (pa.array([0], pa.timestamp("us")), pa.array([0], pa.timestamp("us", "UTC"))),
    ],
)
def test_what_differs_in_value_or_type_differs(one: Any, other: Any) -> None:
    assert column_digest(pa.chunked_array([one])) != column_digest(pa.chunked_array([other]))


def test_names_and_their_order_matter() -> None:
    a, b = "11" * 32, "22" * 32

    several = {fingerprint(c, 1) for c in ([("a", a), ("b", b)], [("b", b), ("a", a)], [("ab", a)], [("a", a)])}

    assert len(several) == 4


def test_anyone_can_compute_it_from_the_description() -> None:
    """docs/datasets.md, followed by hand for a table of two columns."""
    table = pa.table({"n": pa.array([1, None], pa.int16()), "s": ["é", ""]})

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    n = hashlib.sha256(text("int16") + b"\x01\x00" + struct.pack("<hh", 1, 0)).digest()
    s = hashlib.sha256(text("string") + b"\x01\x01" + struct.pack("<qq", 2, 0) + "é".encode()).digest()
    whole = b"taxiway.table.v1\n" + struct.pack("<QQ", 2, 2) + text("n") + n + text("s") + s

    assert of(table) == f"sha256:{hashlib.sha256(whole).hexdigest()}"
