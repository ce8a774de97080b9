"""What the server and a check's worker say to each other: a job, and what became of it."""

from __future__ import annotations

import socket
import struct
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.datasets.contract import DatasetVersion
from taxiway.gates.contract import Outcome
from taxiway.gates.questionnaires.contract import Attested
from taxiway.models.contract import Card, ModelVersion
from taxiway.runs.again.sameness import Reproduction

HEAD = struct.Struct("<I")
LARGEST = 64 << 20
LARGEST_ANSWER = 8 << 20  # all that a worker may say; beyond it something else than a check speaks


class Pinned(Struct, frozen=True):
    """A file that a job may read, and the digest that its bytes must have."""

    file: str
    digest: str


class Subject(Struct, frozen=True):
    """A version as a worker gets to see it: what the check's inputs name, the rest is None.

    tables: of the datasets, by their references.
    """

    version: ModelVersion
    bundle: Pinned | None = None
    predictions: Pinned | None = None
    card: Card | None = None
    datasets: list[DatasetVersion] | None = None
    tables: dict[str, Pinned] = {}
    reproductions: list[Reproduction] | None = None
    attested: Attested | None = None


class Job(Struct, frozen=True):
    """One question. tables: of the datasets that parameters name, by parameter. path: where else modules lie."""

    check: str
    parameters: dict[str, Any]
    subject: Subject
    champion: Subject | None = None
    tables: dict[str, Pinned] = {}
    memory_bytes: int = 0


def files_of(job: Job) -> list[str]:
    """All that a job may read."""
    subjects = [each for each in (job.subject, job.champion) if each is not None]
    pinned = [each for subject in subjects for each in (subject.bundle, subject.predictions, *subject.tables.values())]
    return [each.file for each in (*pinned, *job.tables.values()) if each is not None]


class Answered(Struct, frozen=True, tag=True):
    """What the check said. tools: the versions of what measured. loaded: the modules of libraries that it took."""

    outcome: Outcome
    tools: dict[str, str]
    loaded: list[str] = []


class Failed(Struct, frozen=True, tag=True):
    """That there is no answer. error, facts: of a refusal with a name. reason: in words."""

    reason: str
    error: str = ""
    facts: dict[str, Any] = {}


class Ended(Struct, frozen=True, tag=True):
    """How the worker's process ended. signal: what ended it by force; 0 where it went by itself."""

    code: int
    signal: int = 0
    is_late: bool = False


Message = Answered | Failed | Ended
encode = msgspec.msgpack.Encoder().encode
to_worker: msgspec.msgpack.Decoder[Job] = msgspec.msgpack.Decoder(Job)
to_server: msgspec.msgpack.Decoder[Answered | Failed | Ended] = msgspec.msgpack.Decoder(Message)


def frame(message: Struct) -> bytes:
    """A message with its length in front."""
    data = encode(message)
    return HEAD.pack(len(data)) + data


def receive(source: socket.socket) -> bytes:
    """The next message's bytes. Raises EOFError where the other side is gone, ValueError for a length none has."""
    (size,) = HEAD.unpack(exactly(source, HEAD.size))
    if size > LARGEST:
        raise ValueError(f"a message of {size} bytes")
    return exactly(source, size)


def exactly(source: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        if not (part := source.recv(min(size - len(parts), 1 << 20))):
            raise EOFError
        parts += part
    return bytes(parts)
