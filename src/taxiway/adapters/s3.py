"""Blobs in a bucket of any S3-compatible store, through obstore.

Bytes are received and hashed on this machine's disk first: nothing appears in the bucket under a digest that it does
not have, and what was just sent or fetched is at hand for a worker. A blob appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from taxiway.kernel.errors import NotFound, Unavailable
from taxiway.storage.blobs import (
    GRACE,
    DigestMismatch,
    Incoming,
    Readable,
    StoredBlob,
    digest_of_key,
    key_of,
    pour,
    require_digest,
    spool,
)
from taxiway.storage.cache import Cache
from taxiway.storage.places import Bucket, StoreUnusable

if TYPE_CHECKING:
    from obstore import BytesStream, ObjectMeta, PutMode

PART_BYTES = 8 << 20  # one request each; more than that goes up in parts
PARTS_AT_ONCE = 4
SMALL_BYTES = 4 << 20  # read so often that a copy is worth it
PIECE_BYTES = 1 << 20
SIGNS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")

log = logging.getLogger("taxiway.storage")


def open_bucket(place: Bucket) -> S3Store:
    """The bucket's store; nothing is asked of it yet. Raises StoreUnusable where no credentials are named."""
    if not place.is_instance and not any(os.environ.get(name) for name in SIGNS):
        step = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add credentials=instance to the URL."
        raise StoreUnusable(store=str(place), cause="the environment holds no credentials for it", next_step=step)
    return S3Store(
        place.bucket,
        prefix=place.prefix or None,
        endpoint=place.endpoint or None,
        region=place.region,
        client_options={
            "allow_http": place.endpoint.startswith("http://"),
            "connect_timeout": "5s",
            "read_timeout": "30s",
            "timeout": "3600s",  # of a whole answer, which may be many gigabytes
        },
        retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=30)},
    )


def open_object(place: Bucket, key: str) -> IO[bytes]:
    """An object's bytes, to be read in order. Raises FileNotFoundError, Unavailable."""
    try:
        found = obstore.get(open_bucket(place), key)
    except BaseError as e:
        raise Unavailable(what=f"The store {place}", cause=first_line(e)) from e
    return cast("IO[bytes]", io.BufferedReader(Pieces(found.stream(min_chunk_size=PIECE_BYTES)), PIECE_BYTES))


class Pieces(io.RawIOBase):
    """Pieces of bytes as a file to be read in order."""

    def __init__(self, pieces: BytesStream) -> None:
        self.pieces = pieces
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override] # what BufferedReader gives
        self.rest = self.rest or self.next_piece()
        piece, self.rest = self.rest[: len(buffer)], self.rest[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)

    def next_piece(self) -> bytes:
        return bytes(next(self.pieces, b""))


class S3Blobs:
    """Blobs in a bucket, with a cache of checked copies on this machine."""

    def __init__(self, place: Bucket, cache: Cache) -> None:
        """Opens the bucket and tries it. Raises StoreUnusable."""
        self.place = place
        self.cache = cache
        self.store = open_bucket(place)
        self.keeps_first = self.probe()
        if not self.keeps_first:
            # Safe all the same: a key is its content's digest, so that whoever overwrites one writes the same bytes.
            log.warning("%s ignores preconditions (If-None-Match); blobs are written without them", place)

    def probe(self) -> bool:
        """Writes, reads, lists and removes an object; whether a second create of it was refused.

        Raises StoreUnusable where any of that cannot be done.
        """
        key, data = f"probe/{secrets.token_hex(8)}", b"taxiway"
        try:
            self.create(key, data)
            if bytes(obstore.get(self.store, key).bytes()) != data:
                step = "Give a store that keeps what it is given."
                raise StoreUnusable(store=str(self.place), cause="it gave back other bytes", next_step=step)
            is_refused = not self.create(key, data)
            names = [meta["path"] for page in obstore.list(self.store, "probe") for meta in page]
            if key not in names:
                step = "Give a store with consistent listings."
                raise StoreUnusable(store=str(self.place), cause="it does not list what it keeps", next_step=step)
            obstore.delete(self.store, key)
        except (BaseError, OSError, ValueError) as e:
            step = "Check the URL, the bucket and the credentials in the environment: they need read, write, list and "
            step += "delete."
            raise StoreUnusable(store=str(self.place), cause=first_line(e), next_step=step) from e
        return is_refused

    def create(self, key: str, data: bytes) -> bool:
        """Writes an object unless there is one; false where there was."""
        try:
            obstore.put(self.store, key, data, mode="create")
        except AlreadyExistsError:
            return False
        return True

    # --- in ---

    def put(self, source: Readable, expected: str | None = None) -> str:
        with self.receive(expected) as incoming:
            pour(source, incoming)
        return incoming.digest

    @contextmanager
    def receive(self, expected: str | None = None) -> Iterator[Incoming]:
        with spool(self.cache.incoming) as incoming:
            yield incoming
            incoming.finish(expected)
            with self.asking():
                self._send(incoming)
            self.cache.keep(incoming.path, incoming.digest)

    def _send(self, incoming: Incoming) -> None:
        key = key_of(incoming.digest)
        known = self._head(key)
        is_recent = known is not None and datetime.now(UTC) - known["last_modified"] < GRACE / 2
        if known and is_recent and known["size"] == incoming.size_bytes and known["e_tag"] in tags_of(incoming.path):
            return  # what the store says of its bytes is what these are; of any others, or older ones, it gets these
        with incoming.path.open("rb") as file:
            if incoming.size_bytes > PART_BYTES:
                obstore.put(self.store, key, file, chunk_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)
                return
            # One that is kept already is written anew: its time says when it was last sent, which keeps it from
            # being freed while what names it is on its way.
            mode: PutMode = "create" if self.keeps_first and known is None else "overwrite"
            try:
                obstore.put(self.store, key, file.read(), mode=mode)
            except AlreadyExistsError:  # somebody was faster with the same bytes
                return

    # --- out ---

    def open(self, digest: str) -> IO[bytes]:
        if (copy := self.cache.find(digest)) is not None:
            return copy.open("rb")
        with self.asking(digest):
            found = obstore.get(self.store, key_of(digest))
            if found.meta["size"] > SMALL_BYTES:
                stream = Stream(found.stream(min_chunk_size=PIECE_BYTES), digest, self)
                return cast("IO[bytes]", io.BufferedReader(stream, PIECE_BYTES))
        return self._fetch(digest).open("rb")

    def file(self, digest: str) -> Path:
        if (copy := self.cache.find(digest)) is not None:
            return copy
        try:
            return self._fetch(digest)
        except NotFound:
            return self.cache.file(digest)  # where it would be

    def _fetch(self, digest: str) -> Path:
        with spool(self.cache.incoming) as incoming:
            with self.asking(digest):
                for piece in obstore.get(self.store, key_of(digest)).stream(min_chunk_size=PIECE_BYTES):
                    incoming.write(bytes(piece))
            require_digest(digest, incoming.digest, f"{digest} in {self.place}")
            self.cache.keep(incoming.path, digest)
        return self.cache.file(digest)

    def has(self, digest: str) -> bool:
        with self.asking():
            return self._head(key_of(digest)) is not None

    def size(self, digest: str) -> int:
        with self.asking():
            found = self._head(key_of(digest))
        if found is None:
            raise NotFound(kind="blob", name=digest)
        return found["size"]

    def _head(self, key: str) -> ObjectMeta | None:
        try:
            return obstore.head(self.store, key)
        except FileNotFoundError:
            return None

    # --- freeing ---

    def delete(self, digest: str) -> int:
        key = key_of(digest)
        with self.asking():
            found = self._head(key)
            if found is not None:
                obstore.delete(self.store, key)
        self.cache.delete(digest)
        return found["size"] if found else 0

    def listed(self) -> Iterator[StoredBlob]:
        with self.asking():
            for page in obstore.list(self.store, "sha256"):
                for meta in page:
                    if digest := digest_of_key(meta["path"]):
                        yield StoredBlob(digest, meta["size"], meta["last_modified"])

    @contextmanager
    def asking(self, digest: str = "") -> Iterator[None]:
        """Says in our own words what the store says. Raises NotFound, Unavailable."""
        try:
            yield
        except FileNotFoundError as e:
            raise NotFound(kind="blob", name=digest) from e
        except (PermissionDeniedError, UnauthenticatedError) as e:
            raise Unavailable(what=f"The blob store {self.place}", cause="it refuses our credentials") from e
        except BaseError as e:
            raise Unavailable(what=f"The blob store {self.place}", cause=first_line(e)) from e


def tags_of(file: Path) -> tuple[str, str]:
    """What stores say of these bytes as their tag: the MD5 of all of them, or of the MD5s of parts of our size."""
    whole, parts = hashlib.md5(usedforsecurity=False), list[bytes]()
    with file.open("rb") as data:
        while piece := data.read(PART_BYTES):
            whole.update(piece)
            parts.append(hashlib.md5(piece, usedforsecurity=False).digest())
    together = hashlib.md5(b"".join(parts), usedforsecurity=False).hexdigest()
    return f'"{whole.hexdigest()}"', f'"{together}-{len(parts)}"'


class Stream(Pieces):
    """A far-away blob read in order; where its bytes turn out to be others, the last read raises DigestMismatch."""

    def __init__(self, pieces: BytesStream, digest: str, blobs: S3Blobs) -> None:
        super().__init__(pieces)
        self.digest = digest
        self.blobs = blobs
        self.hash = hashlib.sha256()

    def next_piece(self) -> bytes:
        with self.blobs.asking(self.digest):
            piece = super().next_piece()
        self.hash.update(piece)
        if not piece and (found := f"sha256:{self.hash.hexdigest()}") != self.digest:
            raise DigestMismatch(expected=self.digest, found=found, what=f"{self.digest} in {self.blobs.place}")
        return piece


def first_line(error: Exception) -> str:
    """What a store's error says, without the driver's own notes."""
    text = str(error).strip().splitlines()
    return text[0].rstrip(" :")[:300] if text else type(error).__name__
