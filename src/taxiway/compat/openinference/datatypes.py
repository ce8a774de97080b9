"""The protocol's datatypes: values out of JSON and out of bytes, and back, in the same digits.

JSON has no NaN and no infinity: in JSON they travel as the strings "NaN", "Infinity" and "-Infinity". FP16 and BF16
have no JSON form at all; BF16 is the upper half of FP32, and only read.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from math import isfinite
from typing import Any

from taxiway.kernel.numbers import to_wire
from taxiway.models.predicting.signature import NON_FINITE, Column, shown

INTEGERS = {
    **{f"INT{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"UINT{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64)},
}
FLOATS = frozenset(["BF16", "FP16", "FP32", "FP64"])
ONLY_BYTES = frozenset(["BF16", "FP16"])
# As the module `struct` has them, always little-endian.
LETTERS = dict(
    zip(
        ("BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64"),
        "?bhiqBHIQefd",
        strict=True,
    )
)
DATATYPES = frozenset([*LETTERS, "BF16", "BYTES"])
SIZES = {"BF16": 2} | {name: struct.calcsize(f"<{letter}") for name, letter in LETTERS.items()}
OF_COLUMNS = {"boolean": "BOOL", "integer": "INT64", "number": "FP64"}  # the rest are texts
TEXT_HEAD = 4  # bytes of length before each text


class Unfit(Exception):
    """A value that its datatype does not have: which one, and why."""

    def __init__(self, index: int, problem: str) -> None:
        super().__init__(problem)
        self.index, self.problem = index, problem


def datatype_of(column: Column) -> str:
    """The datatype that holds every value of a column."""
    return OF_COLUMNS.get(column.type, "BYTES")


def is_numeric(datatype: str) -> bool:
    return datatype in INTEGERS or datatype in FLOATS


def from_json(datatype: str, values: Sequence[Any]) -> list[Any]:
    """Values as JSON had them, as plain ones: null stands for a missing value. Raises Unfit."""
    if datatype == "BOOL":
        return checked(values, bool, "true or false")
    if datatype == "BYTES":
        return checked(values, str, "a string")
    if datatype in INTEGERS:
        return whole(values, datatype)
    if datatype in ONLY_BYTES:
        raise Unfit(0, f"{datatype} has no JSON form; send FP32, or binary data")
    return real(values, datatype)


def checked(values: Sequence[Any], kind: type, expected: str) -> list[Any]:
    if {kind}.issuperset(map(type, values)):
        return list(values)
    for index, value in enumerate(values):
        if value is not None and type(value) is not kind:
            raise Unfit(index, f"{shown(value)} is not accepted; give {expected}")
    return list(values)


def whole(values: Sequence[Any], datatype: str) -> list[Any]:
    lowest, highest = INTEGERS[datatype]
    if values and {int}.issuperset(map(type, values)) and lowest <= min(values) and max(values) <= highest:
        return list(values)
    for index, value in enumerate(values):
        if value is not None and (type(value) is not int or not lowest <= value <= highest):
            raise Unfit(index, f"{shown(value)} is not accepted; give a whole number from {lowest} to {highest}")
    return list(values)


def real(values: Sequence[Any], datatype: str) -> list[Any]:
    if datatype == "FP64" and {float, int}.issuperset(map(type, values)):  # JSON has finite ones alone
        return list(values)
    found: list[Any] = []
    for index, given in enumerate(values):
        value: Any = NON_FINITE.get(given, given) if type(given) is str else given
        if value is not None and type(value) not in (int, float):
            raise Unfit(index, f'{shown(value)} is not accepted; give a number, "NaN", "Infinity" or "-Infinity"')
        found.append(rounded(value, index) if datatype == "FP32" and value is not None else value)
    return missing(found)


def rounded(value: float, index: int) -> float:
    """The nearest number of 32 bits, which is what the caller's tensor holds. Raises Unfit."""
    try:
        (found,) = struct.unpack("<f", struct.pack("<f", value))
    except (OverflowError, struct.error) as e:
        raise Unfit(index, f"{shown(value)} is too large for FP32") from e
    return float(found)


def missing(values: Sequence[Any]) -> list[Any]:
    """NaN as what it means to a model: no value. An infinity goes on by its name, for the check of rows to refuse."""
    if None not in values and all(map(isfinite, values)):
        return list(values)
    return [None if v != v else to_wire(v) if type(v) is float else v for v in values]  # noqa: PLR0124  only NaN does


def from_bytes(datatype: str, data: memoryview, count: int) -> list[Any]:
    """Values of a binary tensor. Raises Unfit where the bytes are not as many as the values take."""
    if datatype == "BYTES":
        return texts(data, count)
    size = SIZES[datatype] * count
    if len(data) != size:
        raise Unfit(0, f"its binary data has {len(data)} bytes; {count} values of {datatype} have {size}")
    if datatype == "BOOL":
        return [bool(byte) for byte in data]
    if datatype == "BF16":
        halves = b"".join(b"\0\0" + data[at : at + 2] for at in range(0, size, 2))
        return missing(struct.unpack(f"<{count}f", halves))
    return missing(struct.unpack(f"<{count}{LETTERS[datatype]}", data))


def texts(data: memoryview, count: int) -> list[Any]:
    """Texts, each after its length. Raises Unfit."""
    found: list[Any] = []
    at = 0
    for index in range(count):
        size = int.from_bytes(data[at : at + TEXT_HEAD], "little")
        end = at + TEXT_HEAD + size
        if end > len(data):
            raise Unfit(index, f"its binary data ends after {len(data)} bytes, within this value")
        try:
            found.append(str(data[at + TEXT_HEAD : end], "utf-8"))
        except UnicodeDecodeError as e:
            raise Unfit(index, f"it is not UTF-8 ({e.reason})") from e
        at = end
    if at != len(data):
        raise Unfit(max(count - 1, 0), f"its binary data has {len(data) - at} bytes after the last value")
    return found


def to_json(datatype: str, values: Sequence[Any]) -> list[Any]:
    """Values as JSON has them."""
    return [to_wire(value) for value in values] if datatype == "FP64" else list(values)


def to_bytes(datatype: str, values: Sequence[Any]) -> bytes:
    """Values as a binary tensor."""
    if datatype == "BYTES":
        encoded = [value.encode() for value in values]
        return b"".join(len(each).to_bytes(TEXT_HEAD, "little") + each for each in encoded)
    return struct.pack(f"<{len(values)}{LETTERS[datatype]}", *values)
