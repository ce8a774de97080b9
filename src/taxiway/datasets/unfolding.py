"""What the pages of a Parquet file unfold into, read from their own headers: a footer can say anything. Pure.

Arrow believes each page's header: what it says a page unpacks to is allocated, and as many values as it names are made,
all of which a few bytes of a run can stand for. So the headers are added up before Arrow reads a column.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from msgspec import Struct

MOST_PAGES = 200_000  # of a column in a row group
LONGEST_HEADER = 64 << 10  # statistics of long values among it
DEEPEST = 12
DATA, DICTIONARY, DATA_2 = 5, 7, 8  # the fields of a header that say what kind of page follows
STOP, TRUE = 0, 1


class Broken(ValueError):
    """Pages that are not where the footer says, or not what it says."""


class Pages(Struct, frozen=True):
    """A column in one row group. values: also of what is empty within lists. size: unpacked; dictionary: of its own."""

    values: int
    size: int
    dictionary: int


def pages_of(file: Path, chunk: Any) -> Pages:
    """What a column unfolds into in a row group. chunk: as the footer describes it. Raises Broken."""
    begins = [at for at in (chunk.dictionary_page_offset, chunk.data_page_offset) if at and at > 0]
    values = size = dictionary = 0
    with file.open("rb") as source:
        for is_dictionary, unpacked, held in headers(source, min(begins, default=0), chunk.total_compressed_size):
            size += unpacked
            if is_dictionary:
                dictionary += unpacked
            else:
                values += held
    if values != chunk.num_values:
        raise Broken(f"its footer says {chunk.num_values:,} values where its pages hold {values:,}")
    return Pages(values, size, dictionary)


def headers(source: BinaryIO, begin: int, length: int) -> Iterator[tuple[bool, int, int]]:
    """For each page whether it is a dictionary, its unpacked size and its number of values. Raises Broken."""
    at, end, count = begin, begin + length, 0
    while at < end:
        if (count := count + 1) > MOST_PAGES:
            raise Broken(f"a column has more than {MOST_PAGES:,} pages in a row group")
        source.seek(at)
        reader = Compact(source.read(min(LONGEST_HEADER, end - at)))
        said = reader.struct()
        unpacked, packed = said.get(2, -1), said.get(3, -1)
        kind = next((each for each in (DATA, DICTIONARY, DATA_2) if isinstance(said.get(each), dict)), None)
        held = said[kind].get(1, -1) if kind else 0
        if not all(isinstance(each, int) and each >= 0 for each in (unpacked, packed, held)):
            raise Broken("the header of a page cannot be read")
        yield kind == DICTIONARY, unpacked, held
        at += reader.at + packed


class Compact:
    """Reads structs of Thrift's compact protocol, numbers and structs only; what else there is, is passed over."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """The fields by number. Raises Broken."""
        found: dict[int, Any] = {}
        number = 0
        while (head := self.byte()) != STOP:
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            found[number] = self.value(head & 15, depth + 1)
        return found

    def value(self, kind: int, depth: int) -> Any:
        if depth > DEEPEST:
            raise Broken("the header of a page is nested too deeply")
        match kind:
            case 1 | 2:  # TRUE, FALSE
                return kind == TRUE
            case 3:  # BYTE
                return self.byte()
            case 4 | 5 | 6:  # I16, I32, I64
                return self.zigzag()
            case 7:  # DOUBLE
                return self.skip(8)
            case 8:  # BINARY
                return self.skip(self.varint())
            case 12:  # STRUCT
                return self.struct(depth)
        raise Broken("the header of a page holds what no header does")  # a list, a set or a mapping

    def byte(self) -> int:
        self.skip(1)
        return self.data[self.at - 1]

    def skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise Broken("the header of a page is cut off")

    def varint(self) -> int:
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 127) << shift
            if byte < 128:
                return found
            if (shift := shift + 7) > 63:
                raise Broken("a number in the header of a page is too long")

    def zigzag(self) -> int:
        found = self.varint()
        return found >> 1 ^ -(found & 1)
