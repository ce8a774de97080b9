"""Copies of far-away blobs on this machine, each checked as it came; the ones unused longest give way."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Lock

from taxiway.storage.blobs import FileBlobs

MOST_CACHED_BYTES = 20 << 30
UNTOUCHED_S = 3600.0  # what was asked for more recently may still be about to be opened, and stays


class Cache(FileBlobs):
    """A folder of copies that stays within its bound."""

    def __init__(self, folder: Path, limit_bytes: int = MOST_CACHED_BYTES) -> None:
        super().__init__(folder)
        self.limit_bytes = limit_bytes
        self.used_at: dict[Path, float] = {}
        self.lock = Lock()
        self.size_bytes = sum(blob.size_bytes for blob in self.listed())

    def find(self, digest: str) -> Path | None:
        """The copy, now counted as used; None where there is none."""
        file = self.file(digest)
        if not file.exists():
            return None
        self.used_at[file] = time.time()
        return file

    def keep(self, file: Path, digest: str) -> None:
        size = file.stat().st_size
        try:
            before = self.file(digest).stat().st_size
        except FileNotFoundError:
            before = 0
        super().keep(file, digest)
        with self.lock:
            self.used_at[self.file(digest)] = time.time()
            self.size_bytes += size - before
            if self.size_bytes > self.limit_bytes:
                self._trim()

    def _trim(self) -> None:
        """Removes copies, the one used longest ago first, until a tenth of the bound is free."""
        now = time.time()
        files = [self.file(blob.digest) for blob in self.listed()]
        used = {file: self.used_at.get(file, file.stat().st_mtime) for file in files if file.exists()}
        self.size_bytes = sum(file.stat().st_size for file in used)
        for file, at in sorted(used.items(), key=lambda pair: pair[1]):
            if self.size_bytes <= self.limit_bytes * 9 // 10 or now - at < UNTOUCHED_S:
                return
            self.size_bytes -= file.stat().st_size
            file.unlink()
            self.used_at.pop(file, None)
