"""Files of runs as clients of other systems keep them: also after a run has ended, which the audit log then says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath
from typing import TypeVar

from sqlalchemy import Connection, delete, or_, select

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, TooLarge
from taxiway.runs import store
from taxiway.runs.contract import Artifact
from taxiway.runs.paths import check_path
from taxiway.runs.refusals import RunTrashed
from taxiway.runs.service import unknown
from taxiway.runs.tables import artifacts, runs
from taxiway.storage.blobs import Blobs
from taxiway.storage.database import Database

T = TypeVar("T")

ENDED = ("finished", "failed", "stopped")
MOST_FILES = 100_000  # of a run
AT_ONCE = 400


class ForeignFiles:
    """Keeping, listing and dropping the files of runs, each by its path. settled: gives one in a store its digest."""

    def __init__(
        self, database: Database, ledger: Ledger, blobs: Blobs, settled: Callable[[Artifact], Artifact]
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.blobs = blobs
        self.settled = settled

    def put(self, caller: Caller, *, run: str, path: str, digest: str, media_type: str) -> Artifact:
        """Names bytes that were stored before, in place of what had the path.

        Raises NotFound, RunTrashed, and BadField where the path is a folder or goes through a file.
        """
        check_path(path)
        size = self.blobs.size(digest)

        def make(record: Record, known: store.Known) -> Artifact:
            check_free(record.connection, known.number, path)
            artifact = Artifact(run, path, digest, size, media_type, record.at)
            store.put_artifact(record.connection, known.number, artifact)
            record.note(path=path, digest=digest, size_bytes=size)
            return artifact

        return self._change(caller, run, make, answer=Artifact)

    def drop(self, caller: Caller, *, run: str, path: str) -> int:
        """Drops a file, or every file of a folder; all of them for an empty path. How many there were."""

        def make(record: Record, known: store.Known) -> int:
            mine = artifacts.c.run == known.number
            if path:
                mine &= or_(artifacts.c.path == path, artifacts.c.path.startswith(f"{path}/", autoescape=True))
            gone = record.connection.execute(delete(artifacts).where(mine)).rowcount
            record.note(dropped=path or "everything", files=gone)
            return gone

        return self._change(caller, run, make, answer=int)

    def _change(self, caller: Caller, run: str, make: Callable[[Record, store.Known], T], answer: type[T]) -> T:
        def both(record: Record) -> T:
            known = store.known(record.connection, run)
            if known is None:
                raise unknown(run)
            if known.is_trashed:
                raise RunTrashed(run=run)
            if known.status in ENDED:
                record.verb = "runs.amend"
            else:
                store.change(record.connection, known.number, heard_at=record.at)
            return make(record, known)

        project = self.owner(run)[1]
        return self.ledger.change(caller, "runs.add_artifact", f"run:{run}", both, answer=answer, project=project)

    def owner(self, run: str) -> tuple[int, str]:
        """The experiment, by number, and the project of a run. Raises NotFound."""
        with self.database.read() as connection:
            row = connection.execute(select(runs.c.experiment, runs.c.project).where(runs.c.id == run)).first()
        if row is None:
            raise unknown(run)
        return row.experiment, row.project

    def find(self, run: str, path: str) -> Artifact | None:
        """The file at a path. Raises NotFound for the run."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            where = (artifacts.c.run == known.number, artifacts.c.path == path)
            row = connection.execute(select(artifacts).where(*where)).mappings().first()
        return self.settled(Artifact(**{**row, "run": run})) if row else None

    def within(self, run: str, folder: str) -> Sequence[Artifact]:
        """The files of a folder and of those in it, by path. Raises NotFound for the run."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            query = select(artifacts).where(artifacts.c.run == known.number).order_by(artifacts.c.path)
            if folder:
                query = query.where(artifacts.c.path.startswith(f"{folder}/", autoescape=True))
            return [Artifact(**{**row, "run": run}) for row in connection.execute(query).mappings()]


def check_free(connection: Connection, number: int, path: str) -> None:
    """Refuses a file where a folder is, and a folder where a file is. Raises BadField, TooLarge."""
    above = [str(one) for one in PurePosixPath(path).parents][:-1]
    mine = artifacts.c.run == number
    if above and (
        hit := connection.execute(select(artifacts.c.path).where(mine, artifacts.c.path.in_(above))).scalar()
    ):
        raise BadField(field="path", value=repr(path[:100]), expected=f"another path: {hit[:100]!r} is a file")
    inside = artifacts.c.path.startswith(f"{path}/", autoescape=True)
    if connection.execute(select(artifacts.c.path).where(mine, inside).limit(1)).first() is not None:
        raise BadField(field="path", value=repr(path[:100]), expected="another path: this one is a folder")
    full = select(artifacts.c.path).where(mine).offset(MOST_FILES).limit(1)
    if connection.execute(full).first() is not None:
        raise TooLarge(what="The number of files of the run", limit=MOST_FILES, found=MOST_FILES + 1)
