"""Who may name which bytes: a digest alone opens nothing, or guessing one would open other people's files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, select

from taxiway.access import store
from taxiway.access.tables import sent
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.storage.blobs import key_of
from taxiway.storage.database import Database
from taxiway.storage.writes import Change, Writer

AT_ONCE = 500

Naming = Callable[[Connection, str, Sequence[str]], bool]


class Digests:
    """Who sent what, and who may name a digest.

    named_in: for each noun that keeps digests, what says whether anything of it in these projects names this one.
    Nouns add theirs when they are composed.
    """

    def __init__(self, database: Database, writer: Writer) -> None:
        self.database = database
        self.writer = writer
        self.named_in: list[Naming] = []

    def sent(self, caller: Caller, digest: str) -> None:
        """Notes that these bytes came whole from the caller. Who may name anything needs no note."""
        if caller.is_admin or self._has_sent(caller, digest):
            return

        def keep(change: Change) -> None:
            store.put_sent(change.connection, plain(digest), caller.name, change.at)

        self.writer.write(keep)

    def may_name(self, caller: Caller, digest: str) -> bool:
        """Whether the caller sent these bytes, or may read something that names them. Raises NotFound for no digest."""
        key_of(digest)
        if caller.is_admin or self._has_sent(caller, digest):
            return True
        with self.database.read() as connection:
            projects = sorted({grant.project for grant in store.find_grants(connection, user=caller.name)})
            return bool(projects) and any(names(connection, digest, projects) for names in self.named_in)

    def require(self, caller: Caller, digest: str) -> None:
        """Nothing, or NotFound, as for bytes that nobody sent."""
        if not self.may_name(caller, digest):
            raise NotFound(kind="blob", name=digest)

    def forget(self, digests: Collection[str], before: datetime) -> None:
        """Drops what is noted of bytes that were freed; who sent them anew since then may still name them."""
        freed = [plain(digest) for digest in digests]

        def drop(change: Change) -> None:
            for start in range(0, len(freed), AT_ONCE):
                some = sent.c.digest.in_(freed[start : start + AT_ONCE])
                change.connection.execute(delete(sent).where(some, sent.c.at < before))

        if freed:
            self.writer.write(drop)

    def _has_sent(self, caller: Caller, digest: str) -> bool:
        query = select(sent.c.at).where(sent.c.digest == plain(digest), sent.c.sender == caller.name)
        with self.database.read() as connection:
            return connection.execute(query).first() is not None


def plain(digest: str) -> bytes:
    """The 32 bytes of a digest."""
    return bytes.fromhex(digest.removeprefix("sha256:"))
