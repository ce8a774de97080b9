"""The SDK of dossiers."""

from __future__ import annotations

from pathlib import Path

from taxiway.dossiers import contract
from taxiway.dossiers.contract import AskDossier, Dossier
from taxiway.dossiers.documents.client import Written
from taxiway.kernel.transport import Transport
from taxiway.models.client import split


class Dossiers(Written):
    """One file for each version that proves why it was let through: ``client.dossiers``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def show(self, name: str, *, held: int | None = None) -> Dossier:
        """What the dossier of a version holds, and what is missing. Raises NothingToShow, BundleTampered."""
        return self.transport.call(contract.show_dossier, AskDossier(held), **split(name))

    def save(self, name: str, to: str | Path, *, held: int | None = None) -> Path:
        """Writes the dossier of a version to a file; the same version makes the same bytes.

        held: the size of a head of the audit log that was kept elsewhere, so that the dossier can be verified with
        it. Raises FileExistsError, NothingToShow, BundleTampered.

        >>> client.dossiers.save("mortgage@2", "mortgage-2.dossier.zip")  # doctest: +SKIP
        """
        return self._save(to, contract.take_dossier, AskDossier(held), **split(name))
