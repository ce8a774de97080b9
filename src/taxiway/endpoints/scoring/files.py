"""Files of rows, Parquet or CSV, read and written a chunk at a time: never more of them than that in memory."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from taxiway.endpoints.scoring.refusals import InputUnfit

Kind = Literal["parquet", "csv"]
ENDS_BYTES = 1 << 20
VALUES, MOST_ROWS, FEWEST_ROWS = 4_000_000, 65_536, 1024  # of a chunk
CSV_BLOCK = 4 << 20
GROUP_ROWS = 262_144  # of a written row group, which readers take at once


def kind_of(path: Path) -> Kind:
    """By its ending. Raises InputUnfit."""
    match path.suffix.lower():
        case ".parquet" | ".pq":
            return "parquet"
        case ".csv":
            return "csv"
        case _:
            raise InputUnfit(file=str(path), reason="its name ends neither in .parquet nor in .csv")


def chunk_rows(columns: int) -> int:
    """How many rows are answered at once, by how wide they are."""
    return max(FEWEST_ROWS, min(MOST_ROWS, VALUES // max(columns, 1)))


def identity(path: Path) -> str:
    """What tells a file from one that was changed, without reading all of it."""
    status = path.stat()
    with path.open("rb") as file:
        first = file.read(ENDS_BYTES)
        file.seek(max(0, status.st_size - ENDS_BYTES))
        last = file.read(ENDS_BYTES)
    ends = hashlib.sha256(first + last).hexdigest()
    return f"{status.st_size} {status.st_mtime_ns} {ends}"


def digest_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


class RowsFile:
    """A file of rows: its columns, and its chunks in order. Raises InputUnfit where it is not readable as such.

    rows: how many there are, None for a CSV, of which only the share that was read is known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kind = kind_of(path)
        self.read_bytes = 0
        self.size_bytes = path.stat().st_size if path.is_file() else 0
        self.rows: int | None = None
        try:
            if self.kind == "parquet":
                with pq.ParquetFile(path) as file:
                    self.schema = file.schema_arrow
                    self.rows = file.metadata.num_rows
            else:
                with path.open("rb") as head:
                    names = pcsv.open_csv(head, read_options=pcsv.ReadOptions(block_size=CSV_BLOCK)).schema.names
                self.schema = pa.schema([(name, pa.string()) for name in names])
        except (OSError, pa.ArrowException) as e:
            raise InputUnfit(file=str(path), reason=f"it cannot be read ({e})") from e
        repeated = sorted({name for name in self.schema.names if self.schema.names.count(name) > 1})
        if repeated:
            raise InputUnfit(file=str(path), reason=f"several columns are called {', '.join(repeated)}")

    @property
    def is_text(self) -> bool:
        return self.kind == "csv"

    def chunks(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        """Batches of exactly so many rows, the last of what is left. Raises InputUnfit."""
        pieces = self._parquet(columns, rows) if self.kind == "parquet" else self._csv(columns)
        try:
            yield from evened(pieces, rows)
        except (OSError, pa.ArrowException) as e:
            raise InputUnfit(file=str(self.path), reason=f"it cannot be read to its end ({e})") from e

    def _parquet(self, columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
        # Without the pre-buffer, which holds a whole row group: those of some writers are as large as their files.
        with pq.ParquetFile(self.path, buffer_size=1 << 20, pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=rows, columns=list(columns))

    def _csv(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        convert = pcsv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=list(columns),
            strings_can_be_null=False,
        )
        parse = pcsv.ParseOptions(newlines_in_values=True)
        with self.path.open("rb") as file:
            read = pcsv.ReadOptions(block_size=CSV_BLOCK)
            for batch in pcsv.open_csv(file, read_options=read, parse_options=parse, convert_options=convert):
                self.read_bytes = file.tell()
                yield batch


def evened(pieces: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly so many, so that a chunk is the same however the file was laid out."""
    waiting: list[pa.RecordBatch] = []
    height = 0
    for piece in pieces:
        if not waiting and piece.num_rows == rows:
            yield piece
            continue
        waiting.append(piece)
        height += piece.num_rows
        while height >= rows:
            table = pa.Table.from_batches(waiting)
            yield one_batch(table.slice(0, rows))
            waiting = table.slice(rows).to_batches()
            height -= rows
    if height:
        yield one_batch(pa.Table.from_batches(waiting))


def one_batch(table: pa.Table) -> pa.RecordBatch:
    return table.combine_chunks().to_batches()[0]


class AnswersFile:
    """The output, under another name until it is whole."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self.part = path.with_name(f"{path.name}.part")
        self.waiting: list[pa.RecordBatch] = []
        self.height = 0
        self.kind = kind_of(path)
        self.schema = schema
        if self.kind == "parquet":
            # Floats hardly repeat: looking for those that do costs a third of the writing, and makes files larger.
            repeating: Any = [field.name for field in schema if not pa.types.is_floating(field.type)] or False
            self.parquet: Any = pq.ParquetWriter(self.part, schema, compression="snappy", use_dictionary=repeating)
        else:
            self.csv: Any = pcsv.CSVWriter(str(self.part), schema)

    def write(self, batch: pa.RecordBatch) -> None:
        if self.kind == "csv":
            self.csv.write_batch(batch)
            return
        self.waiting.append(batch)
        self.height += batch.num_rows
        if self.height >= GROUP_ROWS:
            self._write_group()

    def _write_group(self) -> None:
        if self.waiting:
            self.parquet.write_table(pa.Table.from_batches(self.waiting), row_group_size=self.height)
        self.waiting, self.height = [], 0

    def finish(self, facts: bytes) -> None:
        """Puts the output in its place, with what it is of: inside a Parquet file, beside a CSV."""
        if self.kind == "parquet":
            self._write_group()
            self.parquet.add_key_value_metadata({"taxiway.scoring": facts.decode()})
            self.parquet.close()
        else:
            self.csv.close()
            self.path.with_name(f"{self.path.name}.scoring.json").write_bytes(facts)
        with self.part.open("rb") as file:
            os.fsync(file.fileno())
        self.part.replace(self.path)
