"""The first rows of a table for a page, whatever the file's bytes would unfold into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct

MOST_ROWS = 200
MOST_COLUMNS = 60
LONGEST_CELL = 200
MOST_UNPACKED_BYTES = 512 << 20  # of all columns that are shown
MOST_NESTED = 1 << 20  # values within the lists and structs of a column
TOO_WIDE = "too large to show"


class Table(Struct, frozen=True):
    """The first rows of a table. rows_in_all: None where only reading all of it would tell."""

    columns: list[str]
    rows: list[list[str]]
    rows_in_all: int | None = None


def read_parquet(file: Path) -> Table:
    """The first rows of the first row group. Raises what pyarrow says of bytes that are no Parquet, and Broken.

    Of a column that unfolds into more than a page is worth, nothing but the name is shown.
    """
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as opened:
        metadata, schema = opened.metadata, opened.schema_arrow
    names = schema.names[:MOST_COLUMNS]
    if not metadata.num_row_groups:
        return Table(names, [], 0)
    narrow = narrow_columns(file, metadata.row_group(0), schema, names)
    if not narrow:
        return Table(names, [[TOO_WIDE] * len(names)], metadata.num_rows)
    texts = [name for name in narrow if is_text(schema.field(name).type)]
    with pq.ParquetFile(file, read_dictionary=texts, pre_buffer=False) as opened:
        batch = next(opened.iter_batches(MOST_ROWS, row_groups=[0], columns=narrow), None)
    count = 0 if batch is None else batch.num_rows
    shown = {name: [cell(value) for value in cut(batch.column(name)).to_pylist()] for name in narrow} if batch else {}
    columns = [shown.get(name, [TOO_WIDE] * count) for name in names]
    return Table(names, [list(row) for row in zip(*columns, strict=True)], metadata.num_rows)


def narrow_columns(file: Path, group: Any, schema: Any, names: list[str]) -> list[str]:
    """The columns that can be shown: their pages say what they unfold into. Raises Broken."""
    import pyarrow.types as pt

    from taxiway.datasets.unfolding import pages_of

    chunks = [group.column(i) for i in range(group.num_columns)]
    left, found = MOST_UNPACKED_BYTES, []
    for name in names:
        own = [each for each in chunks if each.path_in_schema == name or each.path_in_schema.startswith(f"{name}.")]
        pages = [pages_of(file, each) for each in own]
        size = sum(each.size for each in pages)
        if pt.is_nested(schema.field(name).type):
            size = max(size, *(each.values * each.dictionary for each in pages), 0)
            size = size if sum(each.values for each in pages) <= MOST_NESTED else left + 1
        if size <= left:
            left -= size
            found.append(name)
    return found


def is_text(kind: Any) -> bool:
    import pyarrow.types as pt

    return any(test(kind) for test in (pt.is_string, pt.is_large_string, pt.is_binary, pt.is_large_binary))


def cut(column: Any) -> Any:
    """A column whose texts are no longer than a page shows them."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.types as pt

    if not pt.is_dictionary(column.type) or not is_text(column.type.value_type):
        return column
    is_binary = pt.is_binary(column.type.value_type) or pt.is_large_binary(column.type.value_type)
    slice_of = pc.binary_slice if is_binary else pc.utf8_slice_codeunits
    return pa.DictionaryArray.from_arrays(column.indices, slice_of(column.dictionary, 0, LONGEST_CELL + 1))


def cell(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
