"""What the outside sees of the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError


class Entry(Struct, frozen=True):
    """One change, or one refusal that matters: who did what to which thing, when, through which door."""

    seq: int
    at: datetime
    actor: str
    verb: str
    thing: str
    project: str | None
    door: str
    request_id: str
    facts: dict[str, Any]
    leaf: str  # SHA-256 of the canonical entry, hex


class TreeHead(Struct, frozen=True):
    """The log's state at a size, signed: whoever keeps one can show later that nothing before it was changed."""

    size: int
    root: str  # hex
    at: datetime
    key_id: str
    signature: str  # hex, over `signed_text` of this head


class LogIncomplete(TaxiwayError):
    """Not all entries are shown to who asks for the whole log."""

    status = 403
    shown: int
    size: int

    def __str__(self) -> str:
        return (
            f"The log has {self.size} entries, and entry {self.shown} is not shown to you: it belongs to a project in "
            f"which you hold no role. Ask an admin to export the log."
        )


class ListEntries(Struct, frozen=True, forbid_unknown_fields=True):
    """Newest first. `before` is the seq to go on from; with `after` oldest first, from the one that follows it.

    text: stands anywhere in what was done, to what, by whom, or in the facts, whatever its case. since, until: days or
    moments, the first counted and the second not.
    """

    project: str | None = None
    thing: str | None = None
    actor: str | None = None
    verb: str | None = None
    before: int | None = None
    after: int | None = None
    text: Annotated[str, Meta(max_length=200)] = ""
    since: Annotated[datetime, Meta(tz=True)] | None = None
    until: Annotated[datetime, Meta(tz=True)] | None = None
    limit: int = 100


class Inclusion(Struct, frozen=True):
    """The hashes that lead from an entry's leaf to the root of the tree of `size` entries (RFC 6962, 2.1.1)."""

    seq: int
    size: int
    leaf: str
    path: list[str]
    root: str


class ProveInclusion(Struct, frozen=True, forbid_unknown_fields=True):
    seq: int
    size: int | None = None


class Consistency(Struct, frozen=True):
    """The hashes that show the tree of `first` entries to be the beginning of the one of `second` (RFC 6962, 2.1.2)."""

    first: int
    second: int
    path: list[str]


class ProveConsistency(Struct, frozen=True, forbid_unknown_fields=True):
    first: int
    second: int | None = None


class Verification(Struct, frozen=True):
    """Whether the log holds. `problem` names the first thing that does not."""

    is_intact: bool
    entries: int
    heads: int
    problem: str | None = None
    first_bad_seq: int | None = None


class VerifyLog(Struct, frozen=True, forbid_unknown_fields=True):
    """held: heads that were kept elsewhere; the log must contain them all."""

    held: list[TreeHead] = []


class LogKey(Struct, frozen=True):
    """A public key that signs heads, or did. id: as heads name it. public: it as PEM."""

    id: str
    public: str


class Witness(Struct, frozen=True):
    """A place outside that keeps heads. size: of the last one it kept; problem: why it has not kept the newest."""

    url: str
    size: int = 0
    kept_at: datetime | None = None
    problem: str = ""


list_entries = Endpoint(
    "GET",
    "/api/audit/entries",
    ListEntries,
    Page[Entry],
    "audit.read",
    "The audit log, newest first",
    "platform",
)
tree_head = Endpoint("GET", "/api/audit/head", Nothing, TreeHead, "audit.read", "The newest signed head", "platform")
prove_inclusion = Endpoint(
    "GET",
    "/api/audit/inclusion",
    ProveInclusion,
    Inclusion,
    "audit.read",
    "That an entry is in the log",
    "platform",
)
prove_consistency = Endpoint(
    "GET",
    "/api/audit/consistency",
    ProveConsistency,
    Consistency,
    "audit.read",
    "That an older head is the log's beginning",
    "platform",
)
verify_log = Endpoint(
    "POST",
    "/api/audit/verifications",
    VerifyLog,
    Verification,
    "audit.read",
    "Check the whole log",
    "platform",
)
list_witnesses = Endpoint(
    "GET",
    "/api/audit/witnesses",
    Nothing,
    Page[Witness],
    "audit.read",
    "The places outside that keep heads",
    "platform",
)
list_keys = Endpoint(
    "GET",
    "/api/audit/keys",
    Nothing,
    Page[LogKey],
    "audit.read",
    "The public keys of heads",
    "platform",
)
