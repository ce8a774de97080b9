"""The law of permissions: which role may do what. Pure."""

from __future__ import annotations

from typing import Literal, get_args

Role = Literal["viewer", "contributor", "validator", "approver", "operator", "owner"]
ROLES: tuple[Role, ...] = get_args(Role)

READ = frozenset(
    f"{noun}.read"
    for noun in (
        "projects",
        "datasets",
        "runs",
        "models",
        "gates",
        "endpoints",
        "monitors",
        "lineage",
        "audit",
        "evidence",
        "discussions",
    )
) | {"discussions.say"}
CONTRIBUTE = frozenset(
    {
        "datasets.write",
        "runs.write",
        "models.write",
        "models.promote",
        "gates.evaluate",
        "gates.find",
        "endpoints.invoke",
        "monitors.label",
    }
)
OPERATE = frozenset(
    {
        "models.promote",
        "models.archive",
        "endpoints.deploy",
        "endpoints.invoke",
        "endpoints.stop",
        "endpoints.feed",
        "gates.break_glass",
        "gates.find",
        "monitors.write",
        "monitors.label",
        "monitors.evaluate",
    }
)
APPROVE = frozenset({"gates.approve", "gates.evaluate", "gates.find", "gates.waive", "models.promote"})
OWN = frozenset(
    {
        "projects.write",
        "access.grant",
        "gates.waive",
        "discussions.resolve",
        "endpoints.erase",
        "endpoints.personal",
    }
)

PERMISSIONS: dict[Role, frozenset[str]] = {
    "viewer": READ,
    "contributor": READ | CONTRIBUTE,
    "validator": READ | APPROVE,
    "approver": READ | APPROVE,
    "operator": READ | OPERATE,
    "owner": READ | CONTRIBUTE | OPERATE | OWN,
}

# What anyone who is signed in may do where no project is named: read lists (each shows only the projects that one
# holds a role in), propose a path for somebody else to accept, store bytes, and open a project of one's own.
ANYWHERE = READ | {"projects.create", "gates.propose", "access.self", "blobs.write"}


def may(*, needs: str, roles: frozenset[Role], is_admin: bool, is_platform: bool) -> bool:
    """Whether someone with these roles in the project may do what `needs` says.

    is_platform: the thing is no project's own; then only what anyone may do, or an admin's rights, count.
    """
    if is_admin:
        return True
    if is_platform:
        return needs in ANYWHERE
    return any(needs in PERMISSIONS[role] for role in roles)


def roles_for(needs: str) -> list[Role]:
    """The roles that include a permission, weakest first."""
    return [role for role in ROLES if needs in PERMISSIONS[role]]
