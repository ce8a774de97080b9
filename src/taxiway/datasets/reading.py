"""Opens files as tables: Parquet column by column, CSV by way of Parquet. What cannot be a table is refused here."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from pyarrow import types as pt

from taxiway.datasets.contract import ColumnsRepeated, FileFormat, TableEmpty, TableUnreadable
from taxiway.datasets.kinds import column_type, plain_type
from taxiway.datasets.unfolding import Broken, Pages, pages_of
from taxiway.kernel.errors import TooLarge

MOST_COLUMNS = 5_000
MOST_TABLE_BYTES = 16 << 30  # in memory, as the file itself says
MOST_CSV_BYTES = 1 << 30
MOST_COLUMN_BYTES = 1 << 30  # in memory, one column
NESTED_BYTES = 16  # a value within lists and structs: itself, and where it stands in them
BATCH_ROWS = 1 << 16
LONGEST_HEADER = 4 << 20  # of a CSV
QUOTED = re.compile(rb'(?:(?<=,)|^)"[^"]*(?:""[^"]*)*"')  # a cell in quotes, which may hold commas and ends of lines
MISSING = ["", "NA", "NaN", "null"]  # how a CSV may say that a value is missing, unless it is quoted


class ParquetTable:
    """A Parquet file; each column is read when it is asked for, so that one at a time is in memory."""

    def __init__(self, file: Path, name: str) -> None:
        self.name = name
        self.file = file
        self.parquet = pq.ParquetFile(file, memory_map=True)
        self.schema: Any = self.parquet.schema_arrow

    @property
    def num_rows(self) -> int:
        return int(self.parquet.metadata.num_rows)

    def column(self, name: str) -> Any:
        """A column's values, checked to be what they say. Raises TableUnreadable, also where they would fill memory."""
        try:
            self.refuse_bomb(name)
            column = self.parquet.read([name]).column(name)
            column.validate(full=True)
            refuse_far_times(column, name)
        except (pa.ArrowException, OSError, OverflowError, Broken) as e:
            raise unreadable(self.name, "parquet", e) from e
        return column

    def refuse_bomb(self, name: str) -> None:
        """Raises TableUnreadable for a column that a few bytes on the disk unfold into more than memory should hold."""
        kind = plain_type(self.schema.field(name).type)
        pages = self.pages(name)
        if is_text(kind):
            size = self.num_rows * 4  # a row's place among the distinct values
            if size <= MOST_COLUMN_BYTES:
                size = max(size, self.unfolded(name, pages))
        elif pt.is_nested(kind):
            size = sum(each.values for each in pages) * NESTED_BYTES
        else:
            size = self.num_rows * (1 if pt.is_null(kind) else max(kind.bit_width, 8) // 8)
        size = max(size, *(each.size for each in pages))
        if size > MOST_COLUMN_BYTES:
            cause = f"its column {name} takes {size:,} bytes unpacked, and {MOST_COLUMN_BYTES:,} is the most"
            raise TableUnreadable(
                file=self.name, format="Parquet", cause=f"{cause}; split the rows over several tables"
            )

    def unfolded(self, name: str, pages: list[Pages]) -> int:
        """The bytes of a text column's values, counted over its distinct ones without unfolding them."""
        encoded = pq.ParquetFile(self.file, memory_map=True, read_dictionary=[name])
        try:
            if self.num_rows * sum(each.size for each in pages) <= MOST_COLUMN_BYTES:
                return 0  # not even if each row held everything
            size = 0
            for batch in encoded.iter_batches(columns=[name], batch_size=BATCH_ROWS):
                values = batch.column(0)
                if not pa.types.is_dictionary(values.type):
                    size += values.nbytes
                    continue
                lengths = pc.cast(pc.binary_length(values.dictionary), pa.int64())
                size += pc.sum(lengths.take(values.indices)).as_py() or 0
            return size
        finally:
            encoded.close()

    def pages(self, name: str) -> list[Pages]:
        """What a column unfolds into, for each row group and each part that it is stored in. Raises Broken."""
        metadata = self.parquet.metadata
        groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
        columns = [group.column(i) for group in groups for i in range(group.num_columns)]
        inside = f"{name}."
        own = [each for each in columns if each.path_in_schema == name or each.path_in_schema.startswith(inside)]
        return [pages_of(self.file, each) for each in own]

    def close(self) -> None:
        self.parquet.close()


def is_text(kind: Any) -> bool:
    return any(
        check(kind)
        for check in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def open_table(file: Path, name: str) -> ParquetTable:
    """The table in a Parquet file. Raises TableUnreadable, TableEmpty, ColumnsRepeated, TooLarge.

    name: what a refusal calls the file.
    """
    try:
        table = ParquetTable(file, name)
        refuse_unusable(table.schema, table.num_rows, name)
    except (pa.ArrowException, OSError, TypeError) as e:
        raise unreadable(name, "parquet", e) from e
    metadata = table.parquet.metadata
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if size > MOST_TABLE_BYTES:
        raise TooLarge(what=f"{name} in bytes, unpacked,", limit=MOST_TABLE_BYTES, found=size)
    return table


def csv_to_parquet(file: Path, name: str, target: IO[bytes]) -> None:
    """Writes the table in a CSV file as Parquet: the same bytes for the same file.

    UTF-8, commas, a header; a column's type is what fits all its values. Raises as `open_table` does.
    """
    size = file.stat().st_size
    if size > MOST_CSV_BYTES:
        raise TooLarge(what=f"{name} in bytes as CSV", limit=MOST_CSV_BYTES, found=size)
    refuse_wide_header(file, name)
    # One block: pyarrow takes a column's type from the first block and fails on what comes later.
    read = pcsv.ReadOptions(block_size=max(size, 1))
    convert = pcsv.ConvertOptions(null_values=MISSING, strings_can_be_null=True, quoted_strings_can_be_null=False)
    try:
        table = pcsv.read_csv(file, read_options=read, convert_options=convert)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as e:
        raise unreadable(name, "csv", e) from e
    refuse_unusable(table.schema, table.num_rows, name)
    pq.write_table(table, target, compression="zstd", row_group_size=1 << 20)


def refuse_wide_header(file: Path, name: str) -> None:
    """Raises TooLarge for a header without end, or of more columns than a table may have: Arrow makes room for each."""
    with file.open("rb") as source:
        begin = source.read(LONGEST_HEADER).lstrip(b"\xef\xbb\xbf\r\n")
    [header, *more] = QUOTED.sub(b"", begin).splitlines() or [b""]
    size, is_open = file.stat().st_size, not more or header.startswith(b'"') or b',"' in header
    if is_open and size > LONGEST_HEADER:
        raise TooLarge(what=f"The header of {name} in bytes", limit=LONGEST_HEADER, found=size)
    if (found := header.count(b",") + 1) > MOST_COLUMNS:
        raise TooLarge(what=f"The number of columns of {name}", limit=MOST_COLUMNS, found=found)


def refuse_unusable(schema: Any, rows: int, name: str) -> None:
    """Raises ColumnsRepeated, TableEmpty, TooLarge, and TypeError for a type we do not keep."""
    if repeated := [column for column, count in Counter(schema.names).items() if count > 1]:
        raise ColumnsRepeated(file=name, columns=repeated)
    if not schema.names or not rows:
        raise TableEmpty(file=name, lacks="rows" if schema.names else "columns")
    if len(schema.names) > MOST_COLUMNS:
        raise TooLarge(what=f"The number of columns of {name}", limit=MOST_COLUMNS, found=len(schema.names))
    for column in schema.names:
        column_type(schema.field(column).type)


def refuse_far_times(column: Any, name: str) -> None:
    """Raises OverflowError for moments, dates and durations that no Python value is: of years before 1 or past 9999."""
    kind = column.type
    if not (pt.is_timestamp(kind) or pt.is_date(kind) or pt.is_duration(kind)):
        return
    ends = pc.min_max(column.cast(pa.int64()) if pt.is_duration(kind) else column)
    try:
        for end in (ends["min"], ends["max"]):
            in_python(end.cast(kind))
    except (OverflowError, ValueError) as e:
        what = "durations of a billion days" if pt.is_duration(kind) else "times outside the years 1 to 9999"
        raise OverflowError(f"column {name} holds {what}") from e


def in_python(end: Any) -> object:
    """An Arrow value as Python's; nanoseconds, which Python has none of, as microseconds."""
    match end.type:
        case kind if pt.is_timestamp(kind) and kind.unit == "ns":
            end = end.cast(pa.timestamp("us", kind.tz), safe=False)
        case kind if pt.is_duration(kind) and kind.unit == "ns":
            end = end.cast(pa.duration("us"), safe=False)
        case _:
            pass
    value: object = end.as_py()
    return value


def unreadable(name: str, kind: FileFormat, cause: Exception) -> TableUnreadable:
    words = str(cause).strip().splitlines() or [type(cause).__name__]
    format_ = {"parquet": "Parquet", "csv": "CSV"}[kind]
    return TableUnreadable(file=name, format=format_, cause=words[0].rstrip(".")[:300])
