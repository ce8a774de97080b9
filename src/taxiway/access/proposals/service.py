"""The rules of proposals: an admin alone gives nobody the power to approve, as long as there is another admin."""

from __future__ import annotations

import builtins
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection

from taxiway.access import store
from taxiway.access.contract import Grant
from taxiway.access.memory import Memory
from taxiway.access.proposals.contract import AdminProposal, Decide, NotOthersWord, SecondAdminNeeded
from taxiway.access.proposals.granting import put_grant
from taxiway.access.roles import Role
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import NotFound
from taxiway.kernel.ids import new_id
from taxiway.storage.database import Database

POWERS: tuple[Role, ...] = ("validator", "approver")


class Proposals:
    """What waits for a second admin."""

    def __init__(self, database: Database, ledger: Ledger, memory: Memory) -> None:
        self.database = database
        self.ledger = ledger
        self.memory = memory
        self.lighten: Callable[[Record, AdminProposal], None] | None = None  # projects do it; they are a floor above

    def hold_grant(self, caller: Caller, role: Role, *, project: str, user: str) -> None:
        """Nothing, or SecondAdminNeeded where the caller's right to give the role is that of an admin alone."""
        if role not in POWERS:
            return
        with self.database.read() as connection:
            if not (others := second_admins(connection, caller)) or is_owner(connection, caller, project):
                return
            if store.find_user(connection, user) is None:
                return  # whoever goes on says so

        def make(record: Record) -> str:
            return propose(record, AdminProposal(new_id(), "grant", user, project, role, caller.name, record.at))

        proposal = self.ledger.change(caller, "access.propose", f"user:{user}", make, answer=str, project=project)
        what = f"the role {role} in {project}"
        raise SecondAdminNeeded(user=user, what=what, proposal=proposal, who_can=[n for n in others if n != user])

    def hold_rules(self, caller: Caller, project: str, rules: dict[str, str]) -> tuple[str, builtins.list[str]]:
        """Keeps lighter rules of a project until another admin confirms them: the proposal, and who can.

        Empty where the caller is the home's owner, who could write the database anyway; without a second admin there
        is no proposal, and nobody who can.
        """
        if caller.kind not in ("person", "service"):
            return "", ["the home's owner"]
        with self.database.read() as connection:
            others = second_admins(connection, caller)
        if not others:
            return "", []

        def make(record: Record) -> str:
            made = AdminProposal(new_id(), "rules", "", project, "", caller.name, record.at, rules=rules)
            return propose(record, made)

        thing = f"project:{project}"
        return self.ledger.change(caller, "access.propose", thing, make, answer=str, project=project), others

    def list(self, caller: Caller) -> Page[AdminProposal]:
        """Newest first."""
        with self.database.read() as connection:
            return Page(store.proposals(connection))

    def decide(self, caller: Caller, body: Decide, *, proposal: str) -> AdminProposal:
        """What another admin proposed happens, or does not. Raises NotFound, NotOthersWord."""

        def make(record: Record) -> AdminProposal:
            found = store.find_proposal(record.connection, proposal)
            if found is None or found.state != "waits":
                hint = "`taxiway access proposals` lists them."
                raise NotFound(kind="proposal that waits", name=proposal, hint=hint)
            if caller.name in (found.by, found.user) or caller.kind == "service":
                raise NotOthersWord(actor=caller.name, proposal=proposal)
            decided = msgspec.structs.replace(
                found,
                state="confirmed" if body.is_confirmed else "refused",
                decided_by=caller.name,
                decided_at=record.at,
            )
            store.decide(record.connection, decided)
            thing = f"project:{found.project}" if found.kind == "rules" else f"user:{found.user}"
            record.thing, record.project = thing, found.project or None
            record.note(kind=found.kind, role=found.role, by=found.by, state=decided.state, proposal=proposal)
            if body.is_confirmed:
                self._do(record, found)
            return decided

        return self.ledger.change(caller, "access.decide", "user:unknown", make, answer=AdminProposal)

    def _do(self, record: Record, found: AdminProposal) -> None:
        """What was proposed, as an act of who proposed it."""
        if found.kind == "rules":
            assert self.lighten is not None
            self.lighten(record, found)
        elif found.kind == "grant":
            role: Role = msgspec.convert(found.role, Role)
            put_grant(record, Grant(found.user, found.project, role, found.by, record.at))
            record.also("access.grant_role", f"user:{found.user}", role=role, by=found.by)
        else:
            user = store.find_user(record.connection, found.user)
            assert user is not None
            store.change_user(record.connection, msgspec.structs.replace(user, is_admin=True, added_by=found.by))
        record.after_commit(self.memory.forget)


def second_admins(connection: Connection, caller: Caller) -> list[str]:
    """The other admins who could confirm; nobody for the home's owner, who could write the database anyway."""
    if caller.kind not in ("person", "service") or not caller.is_admin:
        return []
    found = store.all_users(connection)
    return [u.name for u in found if u.kind == "person" and u.is_admin and u.is_active and u.name != caller.name]


def is_owner(connection: Connection, caller: Caller, project: str) -> bool:
    return any(grant.role == "owner" for grant in store.find_grants(connection, user=caller.name, project=project))


def propose(record: Record, proposal: AdminProposal) -> str:
    """Keeps a proposal within a change, once, and gives its id."""
    for each in store.proposals(record.connection):
        same = (each.kind, each.user, each.project, each.role, each.by, each.rules)
        if each.state == "waits" and same == (
            proposal.kind,
            proposal.user,
            proposal.project,
            proposal.role,
            proposal.by,
            proposal.rules,
        ):
            return each.id
    store.add_proposal(record.connection, proposal)
    record.note(kind=proposal.kind, role=proposal.role, proposal=proposal.id)
    return proposal.id
