"""What the outside sees of proposals of paths."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.gates.planning.contract import Plan
from taxiway.kernel.endpoint import Endpoint, Nothing, Page

ProposalState = Literal["open", "accepted", "rejected", "withdrawn"]
STATES: tuple[ProposalState, ...] = ("open", "accepted", "rejected", "withdrawn")

Words = Annotated[str, Meta(max_length=10_000)]


class ProposePath(Struct, frozen=True, forbid_unknown_fields=True):
    """text: the path's YAML. reason: why it should hold; required. name: what a refusal calls the text."""

    text: str
    reason: Words
    name: str = "path.yaml"


class DecideProposal(Struct, frozen=True, forbid_unknown_fields=True):
    """comment: why; required. digest: of the path that was looked at; another is refused."""

    comment: Words
    digest: str = ""


class ListProposals(Struct, frozen=True, forbid_unknown_fields=True):
    path: str = ""
    state: ProposalState | None = None


class Proposal(Struct, frozen=True, kw_only=True):
    """A path's text that somebody proposes, with what it would have changed when it was proposed.

    before: the version that it is to follow; 0 where the path is new. version: what it was published as.
    is_outdated: it waits, and another version was published meanwhile. The plan shows what its reader may see.
    """

    id: str
    path: str
    before: int
    text: str
    name: str
    digest: str
    reason: str
    plan: Plan
    by: str
    at: datetime
    state: ProposalState = "open"
    decided_by: str = ""
    decided_at: datetime | None = None
    comment: str = ""
    version: int = 0
    is_outdated: bool = False

    @property
    def ref(self) -> str:
        return f"path-proposal:{self.id}"


propose = Endpoint(
    "POST", "/api/gates/proposals", ProposePath, Proposal, "gates.propose", "Propose a path's next version", "platform"
)
list_proposals = Endpoint(
    "GET",
    "/api/gates/proposals",
    ListProposals,
    Page[Proposal],
    "gates.read",
    "Proposals of paths, newest first",
    "platform",
)
show_proposal = Endpoint(
    "GET", "/api/gates/proposals/{proposal}", Nothing, Proposal, "gates.read", "One proposal of a path", "platform"
)
accept = Endpoint(
    "POST",
    "/api/gates/proposals/{proposal}/acceptance",
    DecideProposal,
    Proposal,
    "gates.publish",
    "Accept somebody else's proposal, which publishes it",
    "platform",
)
reject = Endpoint(
    "POST",
    "/api/gates/proposals/{proposal}/rejection",
    DecideProposal,
    Proposal,
    "gates.publish",
    "Reject a proposal",
    "platform",
)
withdraw = Endpoint(
    "POST",
    "/api/gates/proposals/{proposal}/withdrawal",
    DecideProposal,
    Proposal,
    "gates.propose",
    "Take one's own proposal back",
    "platform",
)
