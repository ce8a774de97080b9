"""The archive of a dossier: files in a fixed order, as they are, under fixed headers. Its form is `verify`'s.

Nothing is compressed and no time is kept, so the same files make the same bytes, wherever and whenever.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

from taxiway.dossiers.verify import MANIFEST, central_header, end_record, local_header

CHUNK_BYTES = 1 << 20


class Part(Struct, frozen=True):
    """A file of a dossier: its name there, and its bytes or where they are."""

    name: str
    source: bytes | Path


class Measured(Struct, frozen=True):
    """A part with what its headers and the signed list say of it."""

    part: Part
    size: int
    crc: int
    digest: str


def measure(part: Part) -> Measured:
    size, crc, hashed = 0, 0, hashlib.sha256()
    for chunk in chunks(part):
        size, crc = size + len(chunk), zlib.crc32(chunk, crc)
        hashed.update(chunk)
    return Measured(part, size, crc, f"sha256:{hashed.hexdigest()}")


def chunks(part: Part) -> Iterator[bytes]:
    if isinstance(part.source, bytes):
        yield part.source
        return
    with part.source.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def write(file: BinaryIO, manifest: bytes, files: Sequence[Measured], changed: Callable[[str], Exception]) -> None:
    """Writes the archive. Raises what `changed` gives for a file whose bytes are not those that were measured."""
    central, offset = [], 0
    for each in (measure(Part(MANIFEST, manifest)), *files):
        name, header = each.part.name, local_header(each.part.name, each.size, each.crc)
        file.write(header)
        crc, size = 0, 0
        for chunk in chunks(each.part):
            file.write(chunk)
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
        if (crc, size) != (each.crc, each.size):
            raise changed(name)
        central.append(central_header(name, size, crc, offset))
        offset += len(header) + size
    directory = b"".join(central)
    file.write(directory + end_record(len(central), len(directory), offset))
