"""What models need of runs and of bytes, so that emptying the trash leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select, update

from taxiway.models.bundles.bundle import MANIFEST
from taxiway.models.bundles.shelf import Shelf, remove
from taxiway.models.tables import logged_files, logged_models, versions
from taxiway.storage.mentions import DIGEST


class MadeModels:
    """Versions, which runs made, and their bundles on the shelf, whose files are blobs under a second name."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf

    def needed(self, connection: Connection, runs: Sequence[str]) -> dict[str, str]:
        """Of these runs, those that a version which was not deleted was made by, and which that is."""
        made_by = func.coalesce(versions.c.run, logged_models.c.run).label("run")
        query = (
            select(made_by, versions.c.model, versions.c.version)
            .outerjoin(logged_models, logged_models.c.id == versions.c.logged_model)
            .where(or_(versions.c.run.in_(runs), logged_models.c.run.in_(runs)), versions.c.deleted_at.is_(None))
        )
        return {row.run: f"model {row.model} version {row.version} was made by it" for row in connection.execute(query)}

    def drop(self, connection: Connection, runs: Sequence[str], at: datetime) -> None:
        """The models that these runs logged and nobody registered go with them."""
        gone = update(logged_models).where(logged_models.c.run.in_(runs), logged_models.c.deleted_at.is_(None))
        connection.execute(gone.values(deleted_at=at, changed_at=at))

    def counting(self, going: Select[Any]) -> dict[str, ColumnElement[bool]]:
        """By table, the rows whose files are still needed once these runs are gone. going: selects their ids."""
        living = select(logged_models.c.id).where(
            logged_models.c.deleted_at.is_(None), logged_models.c.run.not_in(going)
        )
        return {logged_files.name: logged_files.c.model.in_(living)}

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
