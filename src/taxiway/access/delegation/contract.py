"""What the outside sees of delegations: that somebody acts in another's role, in one project, until a date."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError

DelegatedRole = Literal["validator", "approver"]
LONGEST_DAYS = 90


class Delegation(Struct, frozen=True):
    """That `taker` may approve for `giver` in a project, in the role that `giver` holds there, until `ends_at`.

    Both count as one person. is_active: whether it does anything now; it ends by its date, by being revoked, and with
    the giver's own role.
    """

    id: str
    project: str
    role: DelegatedRole
    giver: str
    taker: str
    reason: str
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None
    revoked_by: str = ""
    is_active: bool = False


class Delegate(Struct, frozen=True, forbid_unknown_fields=True):
    """to: a person. ends_at: within 90 days from now."""

    role: DelegatedRole
    to: str
    ends_at: datetime
    reason: str = ""


class NotTheirs(TaxiwayError):
    """A role was to be delegated that the one who delegates does not hold by somebody else's grant."""

    status = 403
    is_audited = True
    actor: str
    role: str
    project: str

    def __str__(self) -> str:
        return (
            f"{self.actor} cannot delegate the role {self.role} in {self.project}: it is not theirs by somebody else's "
            f"grant, and what was delegated is not passed on. An owner of the project gives roles."
        )


delegate = Endpoint(
    "POST",
    "/api/access/projects/{project}/delegations",
    Delegate,
    Delegation,
    "gates.approve",
    "Have somebody approve in one's own role until a date",
)
list_delegations = Endpoint(
    "GET",
    "/api/access/projects/{project}/delegations",
    Nothing,
    Page[Delegation],
    "projects.read",
    "Who may approve for whom, newest first; also what has ended",
)
revoke_delegation = Endpoint(
    "DELETE",
    "/api/access/projects/{project}/delegations/{delegation}",
    Nothing,
    Page[Delegation],
    "projects.read",
    "End a delegation that one gave or took; an owner ends any",
)
