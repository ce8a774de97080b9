"""What the outside sees of access."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.access.roles import Role
from taxiway.kernel.caller import CallerKind
from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.kernel.errors import TaxiwayError


class User(Struct, frozen=True):
    """A person or a service account. Names are lower-case and never used again for somebody else.

    accountable: the person who answers for a service account. is_orphaned: that person was deactivated, or is nobody.
    deactivated_at: since when the account opens nothing; None for one that does.
    """

    name: str
    kind: Literal["person", "service"]
    display: str
    is_admin: bool
    created_at: datetime
    added_by: str = ""
    accountable: str = ""
    deactivated_at: datetime | None = None
    is_orphaned: bool = False

    @property
    def is_active(self) -> bool:
        return self.deactivated_at is None


class Grant(Struct, frozen=True):
    """That someone holds a role in a project, since when and by whom.

    in_return: when it was granted, who granted it had a role in the project from who got it. Such a role gives no
    approvals.
    """

    user: str
    project: str
    role: Role
    granted_by: str
    granted_at: datetime
    in_return: bool = False


class AddUser(Struct, frozen=True, forbid_unknown_fields=True):
    """accountable: the person who answers for a service account; every one has one."""

    name: str
    display: str = ""
    kind: Literal["person", "service"] = "person"
    is_admin: bool = False
    accountable: str = ""


class ChangeUser(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None stays as it is. is_active: False ends every sign-in, link and token; True lets new ones be made."""

    display: str | None = None
    accountable: str | None = None
    is_active: bool | None = None
    is_admin: bool | None = None
    reason: str = ""


class GrantRole(Struct, frozen=True, forbid_unknown_fields=True):
    role: Role


class MakeToken(Struct, frozen=True, forbid_unknown_fields=True):
    """label: what the token is for. days: how long it lives, 1 to 365."""

    label: str = "token"
    days: int = 90


class Token(Struct, frozen=True):
    """A bearer token, shown this once; the platform keeps only its hash."""

    user: str
    token: str
    expires_at: datetime


class KeptToken(Struct, frozen=True):
    """A token as the platform knows it. `id` is the beginning of its hash: it names the token and opens nothing."""

    id: str
    label: str
    created_at: datetime
    expires_at: datetime


class SignInLink(Struct, frozen=True):
    """A link that signs a person in once, within the hour."""

    user: str
    path: str
    expires_at: datetime


class WhoAmI(Struct, frozen=True):
    """The caller as the platform knows it."""

    name: str
    kind: CallerKind
    is_admin: bool
    can_approve: bool
    grants: list[Grant]


class LinkSpent(TaxiwayError):
    """A sign-in link that was used, has run out, or never was."""

    status = 401

    def __str__(self) -> str:
        return (
            "This sign-in link was used already or has run out. "
            "Ask an admin for a new one (`taxiway access link NAME`)."
        )


class SelfGrant(TaxiwayError):
    """Someone tries to give themselves a role."""

    status = 409
    is_audited = True
    user: str

    def __str__(self) -> str:
        return f"{self.user} cannot give themselves a role. Ask another owner or an admin."


class LastOwner(TaxiwayError):
    """The roles of a project's only owner were to be taken."""

    status = 409
    user: str
    project: str

    def __str__(self) -> str:
        return f"{self.user} is the only owner of {self.project}. Make somebody else an owner first."


class OwnAccount(TaxiwayError):
    """An admin tries to deactivate themselves, or to take or give themselves the rights of an admin."""

    status = 409
    is_audited = True
    user: str

    def __str__(self) -> str:
        return f"{self.user} cannot change that of their own account. Ask another admin."


add_user = Endpoint(
    "POST",
    "/api/access/users",
    AddUser,
    User,
    "access.admin",
    "Add a person or a service account",
    "platform",
)
list_users = Endpoint(
    "GET", "/api/access/users", Nothing, Page[User], "access.self", "People and service accounts", "platform"
)
change_user = Endpoint(
    "PATCH",
    "/api/access/users/{user}",
    ChangeUser,
    User,
    "access.admin",
    "Change an account, or deactivate it",
    "platform",
)
who_am_i = Endpoint("GET", "/api/access/me", Nothing, WhoAmI, "access.self", "Who the caller is", "platform")
make_token = Endpoint(
    "POST",
    "/api/access/users/{user}/tokens",
    MakeToken,
    Token,
    "access.admin",
    "Make a token for someone",
    "platform",
)
list_tokens = Endpoint(
    "GET",
    "/api/access/users/{user}/tokens",
    Nothing,
    Page[KeptToken],
    "access.admin",
    "Somebody's tokens that hold now",
    "platform",
)
revoke_token = Endpoint(
    "DELETE",
    "/api/access/users/{user}/tokens/{token}",
    Nothing,
    Page[KeptToken],
    "access.admin",
    "End one of somebody's tokens",
    "platform",
)
list_my_tokens = Endpoint(
    "GET", "/api/access/me/tokens", Nothing, Page[KeptToken], "access.self", "The caller's own tokens", "platform"
)
make_my_token = Endpoint(
    "POST", "/api/access/me/tokens", MakeToken, Token, "access.self", "Make a token for oneself", "platform"
)
revoke_my_token = Endpoint(
    "DELETE",
    "/api/access/me/tokens/{token}",
    Nothing,
    Page[KeptToken],
    "access.self",
    "End one of the caller's own tokens",
    "platform",
)
make_link = Endpoint(
    "POST",
    "/api/access/users/{user}/links",
    Nothing,
    SignInLink,
    "access.admin",
    "Make a sign-in link for someone",
    "platform",
)
grant_role = Endpoint(
    "PUT",
    "/api/access/projects/{project}/users/{user}",
    GrantRole,
    Grant,
    "access.grant",
    "Give someone a role in a project",
)
revoke_role = Endpoint(
    "DELETE",
    "/api/access/projects/{project}/users/{user}",
    Nothing,
    Page[Grant],
    "access.grant",
    "Take someone's roles in a project",
)
list_grants = Endpoint(
    "GET",
    "/api/access/projects/{project}/users",
    Nothing,
    Page[Grant],
    "projects.read",
    "Who holds which role in a project",
)
