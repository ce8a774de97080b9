"""Every piece of a bundle that could be a program or hold a secret: files, what archives hold, what is compressed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from taxiway.gates.scanning.opcodes import Walk, is_pickle, walk
from taxiway.runs.capturing.redact import is_secret_file, redact_line

MOST_BYTES = 1 << 30  # of one piece, unpacked
MOST_TEXT = 16 << 20
DEEPEST = 4
NPY = b"\x93NUMPY"
SQUEEZED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b", gzip.decompress),
    (b"BZh", bz2.decompress),
    (b"\xfd7zXZ", lzma.decompress),
    (b"\x78\x01", zlib.decompress),
    (b"\x78\x5e", zlib.decompress),
    (b"\x78\x9c", zlib.decompress),
    (b"\x78\xda", zlib.decompress),
)


class Piece(Struct, frozen=True):
    """Some bytes and where they lie, such as "model.npz/weights.npy"."""

    place: str
    data: bytes


class Unread(Struct, frozen=True):
    """A piece that could not be looked into, and why."""

    place: str
    why: str


class Program(Struct, frozen=True):
    """A pickle, with what it imports."""

    place: str
    found: Walk


class Secret(Struct, frozen=True):
    """Where a secret stands; never the secret itself."""

    place: str
    line: int


def pieces(folder: Path) -> Iterator[Piece | Unread]:
    """Every file of a folder, and all that lies within them."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        place = file.relative_to(folder).as_posix()
        if file.stat().st_size > MOST_BYTES:
            yield Unread(place, f"larger than {MOST_BYTES >> 20} MiB")
        else:
            yield from unfolded(Piece(place, file.read_bytes()), 0)


def unfolded(piece: Piece, depth: int) -> Iterator[Piece | Unread]:
    """A piece, and what it holds where it is an archive, is compressed, or is an array of objects."""
    yield piece
    try:
        inner = list(inside(piece))
    except Exception as e:  # noqa: BLE001 - a broken archive breaks its reader in many ways
        yield Unread(piece.place, f"{type(e).__name__}: {e}")
        return
    if inner and depth >= DEEPEST:
        yield Unread(piece.place, f"nested more than {DEEPEST} deep")
        return
    for each in inner:
        yield from unfolded(each, depth + 1)


def inside(piece: Piece) -> Iterator[Piece]:
    data = piece.data
    if data.startswith(NPY):
        yield from of_array(piece)
    elif zipfile.is_zipfile(io.BytesIO(data)):
        yield from of_zip(piece)
    elif data[257:262] == b"ustar":
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() and member.size <= MOST_BYTES else None
                if file is not None:
                    yield Piece(f"{piece.place}/{member.name}", file.read())
    else:
        for head, unpack in SQUEEZED:
            if data.startswith(head):
                yield Piece(f"{piece.place} (unpacked)", bounded(unpack(data)))


def of_zip(piece: Piece) -> Iterator[Piece]:
    with zipfile.ZipFile(io.BytesIO(piece.data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_BYTES:
            raise ValueError(f"unpacked it would be larger than {MOST_BYTES >> 20} MiB")
        for member in archive.infolist():
            if not member.is_dir():
                yield Piece(f"{piece.place}/{member.filename}", archive.read(member))


def of_array(piece: Piece) -> Iterator[Piece]:
    """An array of objects is a pickle behind numpy's header."""
    size = 4 if piece.data[6] >= 2 else 2
    start = 8 + size + int.from_bytes(piece.data[8 : 8 + size], "little")
    if b"O" in piece.data[8 + size : start].partition(b"'fortran_order'")[0]:
        yield Piece(f"{piece.place} (objects)", piece.data[start:])


def bounded(data: bytes) -> bytes:
    if len(data) > MOST_BYTES:
        raise ValueError(f"unpacked it is larger than {MOST_BYTES >> 20} MiB")
    return data


def program(piece: Piece) -> Program | None:
    """The pickle that a piece is; None where it is none."""
    found = walk(piece.data)
    return Program(piece.place, found) if is_pickle(piece.data, found) else None


def secrets(piece: Piece) -> Iterator[Secret]:
    """Secrets in a text, and files that are known to hold some by their names."""
    if is_secret_file(piece.place):
        yield Secret(piece.place, 0)
    if len(piece.data) > MOST_TEXT or b"\x00" in piece.data[:8192]:
        return
    try:
        text = piece.data.decode("utf-8")
    except UnicodeDecodeError:
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if "PRIVATE KEY-----" in line or redact_line(line)[1]:
            yield Secret(piece.place, number)
