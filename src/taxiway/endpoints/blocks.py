"""Many rows of one request as they travelled: as a matrix, as columns or as one JSON array; apart only for who asks."""

from __future__ import annotations

import struct
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import isfinite
from typing import Any, Literal, overload

import msgspec
from msgspec import Raw, Struct

from taxiway.kernel.numbers import to_wire

MANY = 16  # rows of a request from which on they are not looked at one by one
LETTERS = {"FP32": "f", "FP64": "d", "INT64": "q", "BOOL": "?"}  # as the module `struct` has them, little-endian
TRUTHS: dict[Any, Any] = {0: False, 1: True}
encode = msgspec.json.Encoder().encode
list_decoder = msgspec.json.Decoder(list[Raw])


class Block(Struct, frozen=True, gc=False):
    """A matrix, rows by columns, little-endian, in the signature's order.

    truths: the places of the columns that hold truth values.
    """

    datatype: Literal["FP32", "FP64"]
    rows: int
    columns: tuple[str, ...]
    data: bytes
    truths: tuple[int, ...] = ()


class Field(Struct, frozen=True, gc=False):
    """A field of all answers, little-endian; every number is finite."""

    name: str
    datatype: Literal["BOOL", "INT64", "FP64"]
    data: bytes


class Told(Struct, frozen=True, gc=False):
    """Answers field by field."""

    rows: int
    fields: tuple[Field, ...]


class Together(Sequence[bytes]):
    """JSON objects that are made when somebody looks at them; of few at the beginning, only those."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @abstractmethod
    def made(self, rows: int) -> list[bytes]:
        """So many of them, from the first on."""

    def __len__(self) -> int:
        return self.rows

    @overload
    def __getitem__(self, at: int) -> bytes: ...
    @overload
    def __getitem__(self, at: slice) -> list[bytes]: ...
    def __getitem__(self, at: int | slice) -> bytes | list[bytes]:
        if at == 0:
            return self.made(1)[0]
        if isinstance(at, slice) and at.start is None and at.step is None and 0 <= (at.stop or -1) <= MANY:
            return self.made(min(at.stop, self.rows))
        return self.objects[at]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.objects)

    @cached_property
    def objects(self) -> list[bytes]:
        return self.made(self.rows)


class BlockRows(Together):
    """The rows of a matrix."""

    def __init__(self, block: Block) -> None:
        super().__init__(block.rows)
        self.block = block

    def made(self, rows: int) -> list[bytes]:
        return objects_of(self.block, rows)


class ToldRows(Together):
    """Answers that came field by field."""

    def __init__(self, told: Told) -> None:
        super().__init__(told.rows)
        self.told = told

    def made(self, rows: int) -> list[bytes]:
        names = [field.name for field in self.told.fields]
        values = [values_of(field, rows) for field in self.told.fields]
        return [encode(dict(zip(names, row, strict=True))) for row in zip(*values, strict=True)]


class TextRows(Together):
    """Answers that came as one JSON array on one line."""

    def __init__(self, text: bytes, found: list[Raw]) -> None:
        super().__init__(len(found))
        self.text, self.found = text, found

    def made(self, rows: int) -> list[bytes]:
        return [bytes(raw) for raw in self.found[:rows]]


def joined(rows: Sequence[bytes]) -> bytes:
    """JSON texts with commas between them."""
    return rows.text.strip()[1:-1] if isinstance(rows, TextRows) else b",".join(rows)


def size_of(rows: Sequence[bytes]) -> int:
    """How many bytes rows take where they wait."""
    return len(rows.block.data) if isinstance(rows, BlockRows) else sum(map(len, rows))


def values_of(field: Field, rows: int) -> tuple[Any, ...]:
    """The first values of a field."""
    return struct.unpack_from(f"<{rows}{LETTERS[field.datatype]}", field.data)


def objects_of(block: Block, rows: int) -> list[bytes]:
    """A JSON object for each of the first rows.

    NaN is no value; an infinity goes by its name, for the check of rows to refuse.
    """
    names, width = block.columns, len(block.columns)
    values: list[Any] = [*struct.unpack_from(f"<{rows * width}{LETTERS[block.datatype]}", block.data)]
    if not all(map(isfinite, values)):
        values = [None if value != value else to_wire(value) for value in values]  # noqa: PLR0124  only NaN does
    for place in block.truths:
        values[place::width] = [TRUTHS.get(value, value) for value in values[place::width]]
    return [
        encode(dict(zip(names, values[start : start + width], strict=True))) for start in range(0, len(values), width)
    ]
