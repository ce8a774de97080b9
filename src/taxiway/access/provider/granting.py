"""Roles and the rights of an admin by groups: given at a sign-in, by somebody else's hand, and taken at the next."""

from __future__ import annotations

import msgspec

from taxiway.access import store as users
from taxiway.access.contract import Grant, User
from taxiway.access.provider.contract import Binding
from taxiway.access.provider.mapping import BY, Mapping
from taxiway.audit.service import Record


def sync_roles(record: Record, mapping: Mapping, user: str, groups: list[str]) -> None:
    """Has somebody hold the roles that their groups give, and no other that a group once gave.

    A role that holds by somebody's own grant stays as it was given, and one of a group as long as that group gives it:
    with its time, since a role counts only for what is asked after it was given.
    """
    wanted = mapping.roles_by_group(groups)
    held = {(grant.project, grant.role): grant for grant in users.find_grants(record.connection, user=user)}
    for (project, role), grant in held.items():
        is_theirs = grant.granted_by.startswith(BY)
        if is_theirs and grant.granted_by.removeprefix(BY) not in wanted.get((project, role), []):
            users.remove_grant(record.connection, grant)
            facts = {"project": project, "role": role, "by": grant.granted_by}
            record.also("access.revoke_role", f"user:{user}", **facts)
    for (project, role), givers in wanted.items():
        now = held.get((project, role))
        if now is not None and not now.granted_by.startswith(BY) and not now.in_return:
            continue
        if now is not None and now.granted_by.removeprefix(BY) in givers:
            continue
        made = Grant(user=user, project=project, role=role, granted_by=BY + givers[0], granted_at=record.at)
        users.add_grant(record.connection, made)
        record.also("access.grant_role", f"user:{user}", project=project, role=role, by=made.granted_by)


def sync_admin(record: Record, mapping: Mapping, binding: Binding, user: User, groups: list[str]) -> tuple[User, str]:
    """The user as an admin or none, and by which group they are one.

    Who was made an admin by a person stays one; who is one by a group is none any more without it.
    """
    group = mapping.admin_group(groups)
    if group and (not user.is_admin or binding.admin_group):
        if not user.is_admin:
            record.also("access.change_user", f"user:{user.name}", is_admin=True, by=BY + group)
        return msgspec.structs.replace(user, is_admin=True, added_by="oidc"), group
    if binding.admin_group and not group:
        if user.is_admin:
            record.also("access.change_user", f"user:{user.name}", is_admin=False, by=BY + binding.admin_group)
        return msgspec.structs.replace(user, is_admin=False), ""
    return user, ""
