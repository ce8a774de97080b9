"""Files that stay where they are get their digest when somebody reads them for the first time."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace
from sqlalchemy import update

from taxiway.runs.contract import Artifact
from taxiway.runs.tables import artifacts
from taxiway.storage.writes import Change, Writer

Settle = Callable[[str], str]  # the digest of what a reference names; a digest is itself


class Settler:
    """Gives artifacts their digests."""

    def __init__(self, writer: Writer, settle: Settle) -> None:
        self.writer = writer
        self.settle = settle

    def __call__(self, artifact: Artifact) -> Artifact:
        """The artifact with its digest, which is kept from now on. Raises BytesGone, PlaceUnsafe."""
        digest = self.settle(artifact.digest)
        if digest == artifact.digest:
            return artifact

        def keep(change: Change) -> None:
            here = artifacts.c.digest == artifact.digest
            change.connection.execute(update(artifacts).where(here).values(digest=digest))

        self.writer.write(keep)
        return replace(artifact, digest=digest)
