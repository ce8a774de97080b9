"""The law of who people of a provider are here: names from claims, roles from groups. Data, written by the server's
admin; pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from taxiway.access.provider.refusals import ClaimUnfit, GroupMissing
from taxiway.access.roles import ROLES, Role
from taxiway.kernel.ids import is_name

LONGEST_GROUP = 190
MOST_GROUPS = 2000
LONGEST_TEXT = 200
RESERVED = ("local", "taxiway", "anonymous", "oidc")
BY = "oidc:"  # before the group, in what says who granted a role


class Claims(Struct, frozen=True, forbid_unknown_fields=True):
    """Which claims say what. A dotted name looks inside: `realm_access.roles`."""

    name: str = "preferred_username"
    display: str = "name"
    email: str = "email"
    groups: str = "groups"


class Mapping(Struct, frozen=True, forbid_unknown_fields=True):
    """The sign-in file: what becomes of people of the provider here.

    provider: what it is called on the sign-in page. allowed: the groups that may sign in; empty for everybody whom
    the provider signs in. admins: the groups whose people are admins. projects: by project and group, the roles that
    the group's people hold. makes_people: whether a first sign-in makes an account. session_hours, token_days: for how
    long a session and, at most, a token of somebody of the provider holds.
    """

    provider: str = "your organisation"
    scopes: list[str] = field(default_factory=lambda: ["openid", "profile", "email"])
    claims: Claims = Claims()
    allowed: list[str] = []
    admins: list[str] = []
    projects: dict[str, dict[str, Role | list[Role]]] = {}
    makes_people: bool = True
    session_hours: float = 12.0
    token_days: int = 90

    def __post_init__(self) -> None:
        if not 1 <= len(self.provider) <= 60 or not self.provider.isprintable():
            raise ValueError("provider: a name of 1 to 60 characters")
        if "openid" not in self.scopes or any(not each or " " in each for each in self.scopes):
            raise ValueError("scopes: a list of words with openid among them")
        if not 0.05 <= self.session_hours <= 168:
            raise ValueError("session_hours: a number from 0.05 to 168")
        if not 1 <= self.token_days <= 365:
            raise ValueError("token_days: a number from 1 to 365")
        for project, groups in self.projects.items():
            if not is_name(project):
                raise ValueError(f"projects: names of projects, unlike {project!r}")
            for group in groups:
                require_group(group, "projects")
        for group in self.allowed:
            require_group(group, "allowed")
        for group in self.admins:
            require_group(group, "admins")

    def roles_by_group(self, groups: list[str]) -> dict[tuple[str, Role], list[str]]:
        """For each project and role that these groups give: the groups that do, in the order of the file."""
        found: dict[tuple[str, Role], list[str]] = {}
        for project, given in self.projects.items():
            for group, roles in given.items():
                for role in [roles] if isinstance(roles, str) else roles:
                    if group in groups:
                        found.setdefault((project, role), []).append(group)
        return found

    def admin_group(self, groups: list[str]) -> str:
        """The first of the groups whose people are admins; empty where none is."""
        return next((group for group in self.admins if group in groups), "")

    def require_allowed(self, groups: list[str]) -> None:
        """Raises GroupMissing."""
        if self.allowed and not set(self.allowed) & set(groups):
            raise GroupMissing(provider=self.provider, allowed=self.allowed)

    def name_of(self, claims: dict[str, Any]) -> str:
        """The user's name: the claim in small letters; of an e-mail address what stands before the @.

        >>> Mapping(claims=Claims(name="email")).name_of({"email": "Ana.Lind@acme.example", "email_verified": True})
        'ana.lind'

        Raises ClaimUnfit.
        """
        claim = self.claims.name
        given = look(claims, claim)
        if not isinstance(given, str) or not given:
            raise ClaimUnfit(provider=self.provider, claim=claim, problem="it is not sent")
        if claim == self.claims.email and claims.get("email_verified") is False:
            problem = "the address was never verified there, so it may be anybody's"
            raise ClaimUnfit(provider=self.provider, claim=claim, problem=problem)
        name = given.partition("@")[0].lower()
        if not is_name(name) or name in RESERVED:
            problem = f"{given[:80]!r} makes no name of a-z, 0-9, '.', '_' and '-', at most 63 characters"
            raise ClaimUnfit(provider=self.provider, claim=claim, problem=problem)
        return name

    def display_of(self, claims: dict[str, Any]) -> str:
        """The name to show; empty where none is sent."""
        return text_of(look(claims, self.claims.display))

    def email_of(self, claims: dict[str, Any]) -> str:
        return text_of(look(claims, self.claims.email))

    def groups_of(self, claims: dict[str, Any]) -> list[str]:
        """Somebody's groups, none where none are sent. Raises ClaimUnfit for a list that is elsewhere, or is none."""
        claim = self.claims.groups
        given = look(claims, claim)
        if given is None:
            if claim in (claims.get("_claim_names") or {}):
                problem = "there are too many groups to send; have only those sent that this server knows"
                raise ClaimUnfit(provider=self.provider, claim=claim, problem=problem)
            return []
        found = [given] if isinstance(given, str) else given
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found) or len(found) > MOST_GROUPS:
            raise ClaimUnfit(provider=self.provider, claim=claim, problem=f"no list of at most {MOST_GROUPS} texts")
        return found

    def lacks(self, claims: dict[str, Any]) -> bool:
        """Whether something that has to be known is not among the claims, so that the provider is asked for more."""
        wanted = [self.claims.name, self.claims.display, self.claims.email]
        if self.allowed or self.admins or self.projects:
            wanted.append(self.claims.groups)
        return any(look(claims, each) is None for each in wanted)


def look(claims: dict[str, Any], name: str) -> Any:
    """The claim of that name, or, along the dots, the one inside others; None where there is none.

    >>> look({"realm_access": {"roles": ["a"]}}, "realm_access.roles")
    ['a']
    """
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def text_of(value: Any) -> str:
    """A claim as one line to show."""
    return " ".join(value.split())[:LONGEST_TEXT] if isinstance(value, str) else ""


def require_group(group: str, where: str) -> None:
    if not 1 <= len(group) <= LONGEST_GROUP or not group.isprintable():
        raise ValueError(f"{where}: groups of 1 to {LONGEST_GROUP} characters, and roles among {', '.join(ROLES)}")
