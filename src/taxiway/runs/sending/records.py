"""What a run says, one record after the other: the same on disk, in memory and on the way to the server."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.runs.contract import AddArtifact, CaptureRun, ChangeRun, FinishRun, StartRun, UseDataset


class Head(Struct, frozen=True, array_like=True, tag="head"):
    """The first record of every file: whose records follow, and where they are to go.

    server: the URL, or the folder of a home. stream: one process's records about one run, in files by number.
    """

    run: str
    server: str
    writer: str
    stream: str
    number: int
    pid: int


class Open(Struct, frozen=True, array_like=True, tag="open"):
    body: StartRun


class Points(Struct, frozen=True, array_like=True, tag="points", gc=False):
    """at: microseconds since 1970. rows: key, step and value."""

    at: int
    rows: list[tuple[str, int, float]]


class Pairs(Struct, frozen=True, array_like=True, tag="pairs"):
    """Parameters or tags. given: as JSON, which has whole numbers of any length."""

    kind: Literal["params", "tags"]
    given: bytes


class File(Struct, frozen=True, array_like=True, tag="file"):
    """Bytes to be stored, and the artifact that they are, if any.

    kept: `copy` is a file of ours in the spool, removed once it is stored; `there` is the user's own, which must
    stay as it is until then; `memory` is held by this process.
    """

    digest: str
    size_bytes: int
    place: str
    kept: Literal["copy", "there", "memory"]
    artifact: AddArtifact | None = None


class Capture(Struct, frozen=True, array_like=True, tag="capture"):
    body: CaptureRun


class Use(Struct, frozen=True, array_like=True, tag="use"):
    body: UseDataset


class Change(Struct, frozen=True, array_like=True, tag="change"):
    body: ChangeRun


class Request(Struct, frozen=True, array_like=True, tag="request"):
    """What a noun above runs asks of the server about the run, such as to register a model that it made.

    makes: what it is to make, in words for people. body: as JSON.
    """

    path: str
    body: bytes
    makes: str


class Finish(Struct, frozen=True, array_like=True, tag="finish"):
    body: FinishRun


Act = Open | File | Capture | Use | Change | Request | Finish
Record = Head | Points | Pairs | Act

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(Record).decode


def items_of(record: Record) -> int:
    """How many points, parameters and tags a record holds: what a writer counts."""
    match record:
        case Points():
            return len(record.rows)
        case Pairs():
            return len(msgspec.json.decode(record.given, type=dict))
        case _:
            return 0
