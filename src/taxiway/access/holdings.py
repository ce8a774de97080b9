"""By what somebody acts in a role of a project: their own grant, or that of who delegated it to them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from taxiway.access.contract import Grant, User
from taxiway.access.delegation.contract import Delegation
from taxiway.access.roles import Role


class Holding(Struct, frozen=True):
    """One way in which a person acts in a role. since: when the role was granted, to them or to who delegated it.

    on_behalf_of: who delegated it; empty for their own. is_active: neither of the two was deactivated.
    in_return: whoever granted it got a role from them, or was made an admin by them.
    """

    user: str
    role: Role
    since: datetime
    granted_by: str
    on_behalf_of: str = ""
    until: datetime | None = None
    is_active: bool = True
    in_return: bool = False


def holdings_of(
    grants: Sequence[Grant],
    delegations: Iterable[Delegation],
    users: Mapping[str, User],
    roles: Collection[Role],
) -> list[Holding]:
    """The ways in which persons act in any of these roles by somebody else's grant, their own ways first.

    grants, delegations: of one project; the delegations are those that are active.
    """
    own = [
        Holding(
            user=grant.user,
            role=grant.role,
            since=grant.granted_at,
            granted_by=grant.granted_by,
            is_active=users[grant.user].is_active,
            in_return=grant.in_return or is_in_return(grant, grants, users),
        )
        for grant in grants
        if grant.role in roles and grant.granted_by != grant.user and is_person(grant.user, users)
    ]
    taken = [
        Holding(
            user=each.taker,
            role=each.role,
            since=held.since,
            granted_by=held.granted_by,
            on_behalf_of=each.giver,
            until=each.ends_at,
            is_active=held.is_active and users[each.taker].is_active,
            in_return=held.in_return,
        )
        for each in delegations
        for held in own
        if (held.user, held.role) == (each.giver, each.role) and is_person(each.taker, users)
    ]
    return own + taken


def is_in_return(grant: Grant, grants: Iterable[Grant], users: Mapping[str, User]) -> bool:
    """Whether who granted a role has a role of the same project, or the rights of an admin, from who got it."""
    giver = users.get(grant.granted_by)
    if giver is not None and giver.is_admin and giver.added_by == grant.user:
        return True
    return any(each.user == grant.granted_by and each.granted_by == grant.user for each in grants)


def is_person(name: str, users: Mapping[str, User]) -> bool:
    return name in users and users[name].kind == "person"
