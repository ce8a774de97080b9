"""What the outside sees of evidence: statements, the envelopes that carry them, and the keys that sign them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from taxiway.evidence.dsse import Envelope
from taxiway.evidence.statement import Subject
from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError

Trust = Literal["good", "marked", "bad"]
KeyState = Literal["signs", "retired", "revoked"]
Reason = Annotated[str, Meta(min_length=1, max_length=2000)]


class KeyRevoked(TaxiwayError):
    """A key that was revoked before."""

    status = 409
    key: str

    def __str__(self) -> str:
        said = "a revocation stands as it was made"
        return f"The key {self.key} was revoked before; {said}. `taxiway evidence keys` shows when, and why."


class Statement(Struct, frozen=True):
    """A signed statement, without what it says: `show_statement` gives that with the envelope.

    thing: what the change was about, such as ``model:mortgage@3``. key: the fingerprint of the key that signed it.
    digest: of the signed bytes; the audit entry of the change names it, too. trust: "marked" where the key was
    revoked later, "bad" where it was revoked before; `because` says so.
    """

    id: str
    predicate_type: str
    thing: str
    project: str | None
    subjects: list[Subject]
    key: str
    digest: str
    by: str
    at: datetime
    trust: Trust = "good"
    because: str = ""


class Shown(Struct, frozen=True):
    """A statement with its envelope, and what it says."""

    statement: Statement
    envelope: Envelope
    predicate: dict[str, Any]


class PublicKey(Struct, frozen=True):
    """A key that signs statements, or did. id: the SHA-256 of the public key in DER; public: it as PEM.

    retired_at: since when another key signs. revoked_at: since when nothing it signed is to be believed.
    """

    id: str
    public: str
    state: KeyState
    made_at: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None
    revoked_by: str = ""
    because: str = ""


class ListStatements(Struct, frozen=True, forbid_unknown_fields=True):
    """Newest first. subject: the digest of what they are about. before: the id to go on from."""

    subject: str = ""
    thing: str = ""
    predicate_type: str = ""
    before: str = ""
    limit: int = 100


class RotateKey(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason


class RevokeKey(Struct, frozen=True, forbid_unknown_fields=True):
    """at: since when the key is not to be believed, such as when it was stolen; by default now."""

    reason: Reason
    at: Annotated[datetime, Meta(tz=True)] | None = None


class VerifyEnvelope(Struct, frozen=True, forbid_unknown_fields=True):
    envelope: Envelope


class EnvelopeVerdict(Struct, frozen=True):
    """Whether an envelope holds here. problem: the first thing that does not, empty where all does.

    trust: as of a statement. predicate_type, subjects: what it says of what, once its signature was found good.
    """

    holds: bool
    problem: str
    key: str = ""
    trust: Trust = "bad"
    predicate_type: str = ""
    subjects: list[Subject] = []


list_statements = Endpoint(
    "GET",
    "/api/evidence/statements",
    ListStatements,
    Page[Statement],
    "evidence.read",
    "Signed statements, newest first",
    "platform",
)
show_statement = Endpoint(
    "GET",
    "/api/evidence/statements/{statement}",
    Nothing,
    Shown,
    "evidence.read",
    "A statement with its envelope",
)
verify_envelope = Endpoint(
    "POST",
    "/api/evidence/verifications",
    VerifyEnvelope,
    EnvelopeVerdict,
    "evidence.read",
    "Whether an envelope was signed here and holds",
    "platform",
)
list_keys = Endpoint(
    "GET", "/api/evidence/keys", Nothing, Page[PublicKey], "evidence.read", "The public keys of statements", "open"
)
rotate_key = Endpoint(
    "POST", "/api/evidence/keys", RotateKey, PublicKey, "evidence.rotate", "Let a new key sign from now on", "platform"
)
revoke_key = Endpoint(
    "POST",
    "/api/evidence/keys/{key}/revocation",
    RevokeKey,
    PublicKey,
    "evidence.revoke",
    "Say that a key is not to be believed any more",
    "platform",
)
