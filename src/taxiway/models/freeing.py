"""What models need of runs and of bytes, so that emptying the trash leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from taxiway.models.bundle import MANIFEST
from taxiway.models.shelf import Shelf, remove
from taxiway.models.tables import versions
from taxiway.storage.mentions import DIGEST


class MadeModels:
    """Versions, which runs made, and their bundles on the shelf, whose files are blobs under a second name."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def needed(self, connection: Connection, runs: Sequence[str]) -> dict[str, str]:
        """Of these runs, those that a version which was not deleted was made by, and which that is."""
        query = select(versions.c.run, versions.c.model, versions.c.version).where(
            versions.c.run.in_(runs), versions.c.deleted_at.is_(None)
        )
        return {row.run: f"model {row.model} version {row.version} was made by it" for row in connection.execute(query)}

    def files_of(self, digests: set[bytes]) -> set[bytes]:
        found: set[bytes] = set()
        for folder in self._folders():
            if bytes.fromhex(folder.name) in digests:
                text = (folder / MANIFEST).read_text(errors="replace")
                found.update(bytes.fromhex(digest) for digest in DIGEST.findall(text))
        return found

    def freeable(self, digests: set[bytes], before: datetime) -> int:
        return sum(held_alone(folder) for folder in self._unneeded(digests, before))

    def free(self, digests: set[bytes], before: datetime) -> int:
        freed = 0
        for folder in self._unneeded(digests, before):
            freed += held_alone(folder)
            remove(folder)
        return freed

    def _folders(self) -> list[Path]:
        return [folder for folder in self.shelf.folder.iterdir() if len(folder.name) == 64]

    def _unneeded(self, digests: set[bytes], before: datetime) -> list[Path]:
        made_before = before.astimezone(UTC).timestamp()
        return [
            folder
            for folder in self._folders()
            if bytes.fromhex(folder.name) not in digests and folder.stat().st_mtime < made_before
        ]


def held_alone(folder: Path) -> int:
    """How many bytes have no other name than the one in this folder."""
    files = (file.stat() for file in folder.rglob("*") if file.is_file())
    return sum(status.st_size for status in files if status.st_nlink == 1)
