"""The fingerprint of a table: one SHA-256 for its logical content, whatever file holds it. Pure.

Two tables have the same fingerprint when they have the same columns in the same order, each with the same name, the
same plain type and the same values in the same order. Row groups, chunks, compression, encodings, dictionaries
(categories), string widths and file metadata do not matter; the units and zones of timestamps and the widths of
numbers do. docs/datasets.md says the bytes, so that anyone can compute it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from taxiway.datasets.kinds import plain

BEGINNING = b"taxiway.table.v1\n"
BLOCK_ROWS = 65_536


def fingerprint(columns: list[tuple[str, str]], rows: int) -> str:
    """The fingerprint of a table from its columns' names and digests (`column_digest`), as ``sha256:…``."""
    whole = hashlib.sha256(BEGINNING + number(rows) + number(len(columns)))
    for name, digest in columns:
        whole.update(text(name) + bytes.fromhex(digest))
    return f"sha256:{whole.hexdigest()}"


def column_digest(column: Any) -> str:
    """The digest of a column's type and values, in hexadecimal digits.

    >>> whole = pa.chunked_array([[1, 2, None]])
    >>> column_digest(whole) == column_digest(pa.chunked_array([[1], [2, None]]))
    True
    """
    array = plain(column)
    digest = hashlib.sha256(text(type_name(array.type)))
    for start in range(0, len(array), BLOCK_ROWS):
        for piece in pieces(array.slice(start, BLOCK_ROWS)):
            digest.update(piece)
    return digest.hexdigest()


def pieces(array: Any) -> Iterator[bytes]:
    """A block of values as bytes: which are there (a byte each), then the values in their plainest form.

    Integers, floats, dates, times and decimals as little-endian fixed widths, 0 where there is none, and every NaN as
    the same; booleans as a byte; text and bytes as all lengths (8 bytes each), then all content; lists as all
    lengths, then their items; structs as their fields in order.
    """
    array = plain(pa.chunked_array([array]))
    is_there = array.is_valid().to_numpy(zero_copy_only=False)
    yield is_there.tobytes()
    kind = array.type
    if pt.is_null(kind):
        return
    if pt.is_boolean(kind):
        yield array.fill_null(False).to_numpy(zero_copy_only=False).tobytes()  # noqa: FBT003 - what to fill in
    elif pt.is_large_string(kind) or pt.is_large_binary(kind) or pt.is_fixed_size_binary(kind):
        yield from lengths_and_bytes(array.cast(pa.large_binary()))
    elif pt.is_decimal(kind):
        yield from lengths_and_bytes(array.cast(pa.string()).cast(pa.large_binary()))
    elif pt.is_struct(kind):
        for field in array.flatten():  # a field of no struct counts as missing, whatever bytes are beneath
            yield from pieces(field)
    elif pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        yield pc.list_value_length(array).fill_null(0).cast(pa.int64()).to_numpy().tobytes()
        yield from pieces(array.flatten())
    elif pt.is_map(kind):
        yield from pieces(array.cast(pa.list_(pa.struct([("key", kind.key_type), ("value", kind.item_type)]))))
    else:
        yield fixed_width(array)


def lengths_and_bytes(array: Any) -> Iterator[bytes]:
    filled = array.fill_null(b"")
    yield pc.binary_length(filled).cast(pa.int64()).to_numpy().tobytes()
    _, offsets, content = filled.buffers()
    if content is not None and len(filled):
        first, last = np.frombuffer(offsets, np.int64)[[filled.offset, filled.offset + len(filled)]]
        yield content[int(first) : int(last)].to_pybytes()


def fixed_width(array: Any) -> bytes:
    """Numbers, dates and times: the bits that Arrow keeps, with one NaN."""
    kind = array.type
    if pt.is_floating(kind):
        values = array.fill_null(np.array(0).astype(kind.to_pandas_dtype())[()]).to_numpy(zero_copy_only=False).copy()
        values[np.isnan(values)] = np.nan
    else:
        whole = array if pt.is_integer(kind) else array.view(pa.int32() if kind.bit_width == 32 else pa.int64())
        values = whole.fill_null(0).to_numpy(zero_copy_only=False)
    little: bytes = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return little


def type_name(kind: Any) -> str:
    """A type's name, the same for all ways of storing it."""
    if pt.is_large_string(kind):
        return "string"
    if pt.is_large_binary(kind):
        return "binary"
    if pt.is_list(kind) or pt.is_large_list(kind) or pt.is_fixed_size_list(kind):
        return f"list<{type_name(plain_of(kind.value_type))}>"
    if pt.is_map(kind):
        return f"map<{type_name(plain_of(kind.key_type))}, {type_name(plain_of(kind.item_type))}>"
    if pt.is_struct(kind):
        fields = (kind.field(index) for index in range(kind.num_fields))
        return f"struct<{', '.join(f'{f.name}: {type_name(plain_of(f.type))}' for f in fields)}>"
    return str(kind)


def plain_of(kind: Any) -> Any:
    return plain(pa.chunked_array([], kind)).type


def number(value: int) -> bytes:
    return value.to_bytes(8, "little")


def text(value: str) -> bytes:
    """A text with its length before it, so that no two lists of texts read alike."""
    data = value.encode()
    return number(len(data)) + data
