"""Bytes by content: a file's name is its SHA-256, so identical bytes are stored once and a change shows."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Protocol

from msgspec import Struct

from taxiway.kernel.errors import DiskFull, NotFound, TaxiwayError, Unavailable
from taxiway.storage import writeback

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
KEY = re.compile(r"sha256/[0-9a-f]{2}/([0-9a-f]{64})")
CHUNK = 1 << 20
BEGUN_BYTES = 8 << 20  # of an upload that the disk begins with while the next ones come
MOST_AT_ONCE = 4 << 20  # more than a piece of an upload, so that none is cut in two
# What was stored, or sent once more, less than this ago is not to be freed: what will name it may be on its way.
GRACE = timedelta(hours=1)

log = logging.getLogger("taxiway.storage")


class DigestMismatch(TaxiwayError):
    """Bytes that are not what their digest says."""

    status = 409
    expected: str
    found: str
    what: str = "the content"
    next_step: str = "Fetch or send it again."

    def __str__(self) -> str:
        return f"{self.what} has the digest {self.found}, not {self.expected}: it was changed. {self.next_step}"


class BytesGone(TaxiwayError):
    """Bytes that the home kept and does not hold any more."""

    status = 410
    what: str

    def __str__(self) -> str:
        return f"The bytes of {self.what} are gone. Restore them from the home's backup, or log them again."


class Readable(Protocol):
    """Anything that gives bytes piece by piece: a file, or the body of a request."""

    def read(self, size: int = -1, /) -> bytes: ...


class StoredBlob(Struct, frozen=True):
    """A blob that a store holds. stored_at: when it was last sent."""

    digest: str
    size_bytes: int
    stored_at: datetime


class Blobs(Protocol):
    """Where bytes are kept by digest."""

    def put(self, source: Readable, expected: str | None = None) -> str:
        """Stores what `source` gives and returns its digest. Raises DigestMismatch, DiskFull; then nothing stays."""

    def receive(self, expected: str | None = None) -> AbstractContextManager[Incoming]:
        """A place to write a blob to piece by piece; it is stored when the block ends well."""

    def open(self, digest: str) -> IO[bytes]:
        """The bytes from their beginning, to be read in order. Raises NotFound."""

    def has(self, digest: str) -> bool: ...

    def size(self, digest: str) -> int:
        """Raises NotFound."""

    def file(self, digest: str) -> Path:
        """A file of this machine with the bytes, for whoever needs one; no file is there where nothing is kept."""

    def delete(self, digest: str) -> int:
        """Frees a blob for good; how many bytes that gave back, 0 where it was not there."""

    def listed(self) -> Iterator[StoredBlob]:
        """Everything that is kept, in no order."""


class Incoming:
    """Bytes on their way into the store, hashed as they come."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.file = file
        self.path = path
        self.hash = hashlib.sha256()
        self.size_bytes = 0
        self.begun_bytes = 0  # which the system was told to write already

    def write(self, chunk: bytes) -> None:
        self.file.write(chunk)
        self.size_bytes += len(chunk)
        if self.size_bytes - self.begun_bytes >= BEGUN_BYTES:
            writeback.begin(self.file.fileno(), self.begun_bytes, self.size_bytes - self.begun_bytes)
            self.begun_bytes = self.size_bytes
        self.hash.update(chunk)

    @property
    def digest(self) -> str:
        return f"sha256:{self.hash.hexdigest()}"

    def finish(self, expected: str | None) -> None:
        """Has all that came on the disk. Raises DigestMismatch where it is not what was expected."""
        self.file.flush()
        os.fsync(self.file.fileno())
        if expected is not None:
            require_digest(expected, self.digest, "the content")


@contextmanager
def spool(folder: Path) -> Iterator[Incoming]:
    """A file to receive bytes in; it is gone when the block ends, unless it was moved. Raises DiskFull, Unavailable."""
    try:
        handle, name = tempfile.mkstemp(dir=folder)
    except FileNotFoundError as e:
        raise Unavailable(what="The store of files", cause=f"its folder {folder} is gone") from e
    except OSError as e:
        if e.errno == errno.ENOSPC:
            raise DiskFull(home=str(folder.parent)) from e
        raise
    try:
        with os.fdopen(handle, "wb") as file:
            yield Incoming(file, Path(name))
    except OSError as e:
        if e.errno == errno.ENOSPC:
            raise DiskFull(home=str(folder.parent)) from e
        raise
    finally:
        Path(name).unlink(missing_ok=True)


class FileBlobs:
    """Blobs in a folder: written beside, fsynced, then renamed into place, so that none is ever half there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    def put(self, source: Readable, expected: str | None = None) -> str:
        with self.receive(expected) as incoming:
            pour(source, incoming)
        return incoming.digest

    @contextmanager
    def receive(self, expected: str | None = None) -> Iterator[Incoming]:
        with spool(self.incoming) as incoming:
            yield incoming
            incoming.finish(expected)
            self.keep(incoming.path, incoming.digest)

    def keep(self, file: Path, digest: str) -> None:
        """Takes a finished file as the blob of its digest; one that is kept already counts as sent just now.

        What is kept is held against what came, and gives way to it where a disk or somebody damaged it.
        """
        target = self.file(digest)
        try:
            if is_alike(file, target):
                os.utime(target)
                return
            log.error("%s was damaged, and is replaced by what was sent under its digest", target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
        file.chmod(0o444)
        file.rename(target)
        sync_folder(target.parent)

    def file(self, digest: str) -> Path:
        """Where a digest's bytes are, or would be."""
        return self.folder / key_of(digest)

    def open(self, digest: str) -> IO[bytes]:
        try:
            return self.file(digest).open("rb")
        except FileNotFoundError as e:
            raise NotFound(kind="blob", name=digest) from e

    def has(self, digest: str) -> bool:
        return self.file(digest).exists()

    def size(self, digest: str) -> int:
        try:
            return self.file(digest).stat().st_size
        except FileNotFoundError as e:
            raise NotFound(kind="blob", name=digest) from e

    def delete(self, digest: str) -> int:
        file = self.file(digest)
        try:
            size = file.stat().st_size
            file.unlink()
        except FileNotFoundError:
            return 0
        sync_folder(file.parent)
        return size

    def listed(self) -> Iterator[StoredBlob]:
        for file in (self.folder / "sha256").glob("*/*"):
            digest = digest_of_key(file.relative_to(self.folder).as_posix())
            try:
                status = file.stat()
            except FileNotFoundError:  # freed meanwhile
                continue
            if digest:
                yield StoredBlob(digest, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    def clear_incoming(self) -> None:
        """Removes what a killed process left half-received."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(parents=True, exist_ok=True)


def is_alike(one: Path, other: Path) -> bool:
    """Whether two files hold the same bytes; what of the other cannot be read is not the same.

    Raises FileNotFoundError for the other.
    """
    with one.open("rb", buffering=0) as mine, other.open("rb", buffering=0) as theirs:
        if os.fstat(mine.fileno()).st_size != os.fstat(theirs.fileno()).st_size:
            return False
        try:
            while piece := mine.read(CHUNK):
                if theirs.read(len(piece)) != piece:
                    return False
        except OSError:
            return False
    return True


def key_of(digest: str) -> str:
    """Where a digest's bytes are within a store of any kind. Raises NotFound for what is no digest."""
    if not DIGEST.fullmatch(digest):
        raise NotFound(kind="blob", name=digest[:100], hint="A digest reads sha256: and 64 hexadecimal digits.")
    hexes = digest.removeprefix("sha256:")
    return f"sha256/{hexes[:2]}/{hexes}"


def digest_of_key(key: str) -> str:
    """The digest whose bytes are kept there; empty for anything else."""
    found = KEY.fullmatch(key)
    return f"sha256:{found[1]}" if found else ""


def pour(source: Readable, incoming: Incoming) -> None:
    """Writes all that a source gives."""
    while chunk := source.read(MOST_AT_ONCE):
        incoming.write(chunk)


def verify_blob(blobs: Blobs, digest: str, what: str) -> None:
    """Reads every byte that is kept under a digest. Raises DigestMismatch, NotFound."""
    found = hashlib.sha256()
    with blobs.open(digest) as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    require_digest(digest, f"sha256:{found.hexdigest()}", what)


def read_blob(blobs: Blobs, digest: str, what: str) -> bytes:
    """The very bytes that have the digest: those that were hashed are given. Raises DigestMismatch, NotFound."""
    with blobs.open(digest) as file:
        data = file.read()
    require_digest(digest, digest_of(data), what)
    return data


def require_digest(expected: str, found: str, what: str) -> None:
    if found != expected:
        raise DigestMismatch(expected=expected, found=found, what=what)


def sync_folder(folder: Path) -> None:
    """Makes renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(data: bytes) -> str:
    """The digest of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
