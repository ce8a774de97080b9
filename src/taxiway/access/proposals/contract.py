"""What the outside sees of proposals: what gives power and waits for the word of a second admin."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError

ProposalState = Literal["waits", "confirmed", "refused"]


class AdminProposal(Struct, frozen=True):
    """That an admin wants to make somebody an admin, to give them a role that gives approvals, or to make a project's
    rules lighter.

    project, role: empty where it is about the rights of an admin. rules: what of the project would become what; user:
    then empty.
    """

    id: str
    kind: Literal["admin", "grant", "rules"]
    user: str
    project: str
    role: str
    by: str
    at: datetime
    state: ProposalState = "waits"
    decided_by: str = ""
    decided_at: datetime | None = None
    rules: dict[str, str] = {}

    @property
    def what(self) -> str:
        if self.kind == "rules":
            told = " and ".join(f"{name} {value or 'of its tier'}" for name, value in self.rules.items())
            return f"{told} for the project {self.project}"
        return f"the role {self.role} in {self.project}" if self.kind == "grant" else "the rights of an admin"


class Decide(Struct, frozen=True, forbid_unknown_fields=True):
    is_confirmed: bool


class SecondAdminNeeded(TaxiwayError):
    """An admin's act that gives power was kept until another admin confirms it."""

    status = 409
    user: str
    what: str
    proposal: str
    who_can: list[str]

    def __str__(self) -> str:
        who = ", ".join([*self.who_can, "or the home's owner" if self.who_can else "the home's owner"])
        return (
            f"{self.user} does not have {self.what} yet: it waits for somebody who neither proposed it nor gains by it "
            f"({who}) to say `taxiway access confirm {self.proposal}`."
        )


class NotOthersWord(TaxiwayError):
    """An admin tries to decide what they proposed, or what gives power to themselves."""

    status = 403
    is_audited = True
    actor: str
    proposal: str

    def __str__(self) -> str:
        return (
            f"{self.actor} cannot confirm {self.proposal}: it takes an admin who neither proposed it nor gains by it."
        )


list_proposals = Endpoint(
    "GET",
    "/api/access/proposals",
    Nothing,
    Page[AdminProposal],
    "access.admin",
    "What waits for a second admin, and what was decided; newest first",
    "platform",
)
decide_proposal = Endpoint(
    "POST",
    "/api/access/proposals/{proposal}/decision",
    Decide,
    AdminProposal,
    "access.admin",
    "Confirm or refuse what another admin proposed",
    "platform",
)
