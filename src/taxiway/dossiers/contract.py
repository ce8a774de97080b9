"""What the outside sees of dossiers."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Raw
from taxiway.kernel.errors import TaxiwayError


class NothingToShow(TaxiwayError):
    """A version of which the audit log knows nothing, so that a dossier would prove nothing."""

    status = 409
    thing: str

    def __str__(self) -> str:
        return (
            f"There is no dossier of {self.thing}: the audit log has no entry about it. `taxiway audit list --thing "
            f"{self.thing}` shows what there is."
        )


class PartChanged(TaxiwayError):
    """A file that was another one when it was written than when it was measured."""

    status = 409
    part: str

    def __str__(self) -> str:
        again = "Have it made again; `taxiway models verify` checks the bundle"
        return f"{self.part} changed while the dossier was made. {again}."


class Missing(Struct, frozen=True):
    """Something that a dossier could hold and does not, and why."""

    part: str
    why: str


class DossierFile(Struct, frozen=True):
    """A file of a dossier."""

    name: str
    size_bytes: int
    digest: str


class Dossier(Struct, frozen=True):
    """What a version's dossier holds, in the order of its files.

    as_of: when the newest audit entry in it was made; later changes of other things do not show. head: the size of
    the log that its proofs lead to. key: the fingerprint of the key that seals it.
    """

    thing: str
    bundle: str
    as_of: datetime
    head: int
    key: str
    statements: int
    files: list[DossierFile]
    missing: list[Missing]


class AskDossier(Struct, frozen=True, forbid_unknown_fields=True):
    """held: the size of a head of the audit log that was kept elsewhere; the proofs then lead to it, or from it."""

    held: int | None = None


show_dossier = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}",
    AskDossier,
    Dossier,
    "models.read",
    "What the dossier of a version holds, and what is missing",
)
take_dossier = Endpoint(
    "GET",
    "/api/dossiers/models/{model}/versions/{version}/file",
    AskDossier,
    Raw,
    "models.read",
    "The dossier of a version: one zip file that verifies without Taxiway",
)
