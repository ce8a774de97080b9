"""Bytes by content: a file's name is its SHA-256, so identical bytes are stored once and a change shows."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from taxiway.kernel.errors import DiskFull, NotFound, TaxiwayError

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
CHUNK = 1 << 20


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


class Blobs(Protocol):
    """Where bytes are kept by digest."""

    def put(self, source: Readable, expected: str | None = None) -> str: ...
    def open(self, digest: str) -> IO[bytes]: ...
    def has(self, digest: str) -> bool: ...
    def size(self, digest: str) -> int: ...
    def file(self, digest: str) -> Path: ...


class Incoming:
    """Bytes on their way into the store, hashed as they come."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        self.hash.update(chunk)
        self.file.write(chunk)
        self.size_bytes += len(chunk)

    @property
    def digest(self) -> str:
        return f"sha256:{self.hash.hexdigest()}"


class FileBlobs:
    """Blobs in a folder: written beside, fsynced, then renamed into place, so that none is ever half there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.incoming = folder / "incoming"
        self.incoming.mkdir(parents=True, exist_ok=True)

    def put(self, source: Readable, expected: str | None = None) -> str:
        """Stores what `source` gives and returns its digest. Raises DigestMismatch, DiskFull; then nothing stays."""
        with self.receive(expected) as incoming:
            while chunk := source.read(CHUNK):
                incoming.write(chunk)
        return incoming.digest

    @contextmanager
    def receive(self, expected: str | None = None) -> Iterator[Incoming]:
        """A place to write a blob to piece by piece; it is stored when the block ends well."""
        handle, name = tempfile.mkstemp(dir=self.incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                incoming = Incoming(file)
                yield incoming
                file.flush()
                os.fsync(file.fileno())
            if expected is not None and incoming.digest != expected:
                raise DigestMismatch(expected=expected, found=incoming.digest)
            self._keep(Path(name), incoming.digest)
        except OSError as e:
            if e.errno == 28:  # ENOSPC
                raise DiskFull(home=str(self.folder)) from e
            raise
        finally:
            Path(name).unlink(missing_ok=True)

    def _keep(self, file: Path, digest: str) -> None:
        target = self.file(digest)
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        file.chmod(0o444)
        file.rename(target)
        sync_folder(target.parent)

    def file(self, digest: str) -> Path:
        """Where a digest's bytes are, or would be."""
        if not DIGEST.fullmatch(digest):
            raise NotFound(kind="blob", name=digest, hint="A digest reads sha256: and 64 hexadecimal digits.")
        hexes = digest.removeprefix("sha256:")
        return self.folder / "sha256" / hexes[:2] / hexes

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

    def clear_incoming(self) -> None:
        """Removes what a killed process left half-received."""
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(parents=True, exist_ok=True)


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
