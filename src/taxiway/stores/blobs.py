"""Blobs of which some stay in stores: whoever asks by digest gets the bytes, wherever they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO

from taxiway.storage.blobs import CHUNK, Blobs, Incoming, Readable, StoredBlob, pour, require_digest, spool
from taxiway.storage.cache import Cache
from taxiway.stores.service import Stores
from taxiway.stores.store import Placed


class PlacedBlobs:
    """The home's own blobs, and behind them the files of stores. Only the home's own are listed and freed."""

    def __init__(self, own: Blobs, cache: Cache) -> None:
        self.own = own
        self.cache = cache
        self.stores: Stores | None = None

    def put(self, source: Readable, expected: str | None = None) -> str:
        return self.own.put(source, expected)

    def receive(self, expected: str | None = None) -> AbstractContextManager[Incoming]:
        return self.own.receive(expected)

    def has(self, digest: str) -> bool:
        return self.own.has(digest) or self._placed(digest) is not None

    def size(self, digest: str) -> int:
        placed = self._elsewhere(digest)
        return placed.size_bytes if placed else self.own.size(digest)

    def open(self, digest: str) -> IO[bytes]:
        placed = self._elsewhere(digest)
        if placed is None or self.stores is None:
            return self.own.open(digest)
        file = self.stores.open(placed)
        if not file.seekable():
            file.close()
            return self._copy(placed).open("rb")
        found = hashlib.sha256()
        while chunk := file.read(CHUNK):
            found.update(chunk)
        require_digest(digest, f"sha256:{found.hexdigest()}", f"{placed.place} in the store {placed.store}")
        file.seek(0)
        return file

    def file(self, digest: str) -> Path:
        placed = self._elsewhere(digest)
        if placed is None or self.stores is None:
            return self.own.file(digest)
        return self.stores.path(placed) or self._copy(placed)

    def _copy(self, placed: Placed) -> Path:
        """A checked copy on this machine of what is in a bucket."""
        assert self.stores is not None
        if (copy := self.cache.find(placed.digest)) is not None:
            return copy
        with self.stores.open(placed) as file, spool(self.cache.incoming) as incoming:
            pour(file, incoming)
            incoming.finish(placed.digest)
            self.cache.keep(incoming.path, placed.digest)
        return self.cache.file(placed.digest)

    def delete(self, digest: str) -> int:
        return self.own.delete(digest)

    def listed(self) -> Iterator[StoredBlob]:
        return self.own.listed()

    def _placed(self, digest: str) -> Placed | None:
        return self.stores.find(digest) if self.stores is not None else None

    def _elsewhere(self, digest: str) -> Placed | None:
        """The file in a store, where that is the only one with these bytes."""
        placed = self._placed(digest)
        return None if placed is None or self.own.has(digest) else placed
