"""What the process that reads and writes says to those that predict: msgpack frames, the rows in shared memory."""

from __future__ import annotations

import msgspec
from msgspec import Struct


class Chunk(Struct, array_like=True, tag=True):
    """Rows to answer, an Arrow stream of that many bytes at the start of the shared memory.

    keeps_on: a row without an answer costs itself alone. is_exact: each row is answered alone.
    """

    size_bytes: int
    is_text: bool
    keeps_on: bool
    is_exact: bool = False


class Prepared(Struct, array_like=True, tag=True):
    """The model is loaded. schema: of the answers."""

    schema: bytes


class Refused(Struct, array_like=True, tag=True):
    """The bundle cannot be served, and another try would not help."""

    error: str
    reason: str


class Scored(Struct, array_like=True, tag=True):
    """The answers, an Arrow stream with a row for each row.

    difference: from the answers of some of the rows alone, told with a process's first chunk.
    """

    data: bytes
    difference: float | None = None


class Stopped(Struct, array_like=True, tag=True):
    """A row that has no answer, counted from the chunk's first; -1 where the whole chunk has none."""

    row: int
    field: str
    problem: str


FromScorer = Prepared | Refused | Scored | Stopped
to_reader: msgspec.msgpack.Decoder[Prepared | Refused | Scored | Stopped] = msgspec.msgpack.Decoder(FromScorer)
to_scorer: msgspec.msgpack.Decoder[Chunk] = msgspec.msgpack.Decoder(Chunk)
