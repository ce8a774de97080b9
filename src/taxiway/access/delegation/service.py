"""The rules of delegations: one's own role, for one project, to one other person, until a date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from taxiway.access import store
from taxiway.access.contract import Grant, User
from taxiway.access.delegation.contract import LONGEST_DAYS, Delegate, Delegation, NotTheirs
from taxiway.access.holdings import is_person
from taxiway.access.memory import Memory
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from taxiway.kernel.ids import new_id
from taxiway.storage.database import Database

LONGEST = timedelta(days=LONGEST_DAYS)


class Delegations:
    """Who may act for whom.

    may_grant: whether a caller gives and takes roles in a project, and so may end anybody's delegation.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        clock: Clock,
        memory: Memory,
        may_grant: Callable[[Caller, str], bool],
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self.memory = memory
        self.may_grant = may_grant

    def delegate(self, caller: Caller, body: Delegate, *, project: str) -> Delegation:
        """Has another person approve in the caller's role until a date. Raises BadField, NotTheirs."""

        def make(record: Record) -> Delegation:
            users = {user.name: user for user in store.all_users(record.connection)}
            require_holder(record, caller, body, project)
            require_taker(caller, body.to, users)
            require_end(body.ends_at, record.at)
            made = Delegation(
                id=new_id(),
                project=project,
                role=body.role,
                giver=caller.name,
                taker=body.to,
                reason=body.reason.strip(),
                made_at=record.at,
                ends_at=body.ends_at,
                is_active=True,
            )
            store.add_delegation(record.connection, made)
            record.after_commit(self.memory.forget)
            record.note(role=body.role, to=body.to, ends_at=body.ends_at, reason=made.reason, delegation=made.id)
            return made

        thing = f"user:{caller.name}"
        return self.ledger.change(caller, "access.delegate", thing, make, answer=Delegation, project=project)

    def revoke(self, caller: Caller, *, project: str, delegation: str) -> Page[Delegation]:
        """Ends a delegation that holds, and gives all of the project. Approvals that were given stay, until their
        giver or who they were given for withdraws them. Raises NotAllowed, NotFound."""

        def make(record: Record) -> Page[Delegation]:
            found = {each.id: each for each in active(record.connection, project, record.at)}.get(delegation)
            if found is None:
                hint = f"`taxiway access delegations {project}` lists them."
                raise NotFound(kind="delegation that holds", name=delegation, hint=hint)
            if caller.name not in (found.giver, found.taker) and not self.may_grant(caller, project):
                needs, who_can = "to have given or taken it", [found.giver, found.taker]
                raise NotAllowed(actor=caller.name, needs=needs, where=f"delegation {delegation}", who_can=who_can)
            store.end_delegation(record.connection, delegation, by=caller.name, at=record.at)
            record.after_commit(self.memory.forget)
            record.note(role=found.role, giver=found.giver, taker=found.taker, delegation=delegation)
            return Page(told(record.connection, project, record.at))

        thing = f"project:{project}"
        return self.ledger.change(
            caller, "access.revoke_delegation", thing, make, answer=Page[Delegation], project=project
        )

    def list(self, caller: Caller, *, project: str) -> Page[Delegation]:
        """All there ever were in a project, newest first, each knowing whether it holds now."""
        with self.database.read() as connection:
            return Page(told(connection, project, self.clock()))


def require_holder(record: Record, caller: Caller, body: Delegate, project: str) -> None:
    """Nothing, or NotTheirs unless the caller holds the role by somebody else's grant."""
    for grant in store.find_grants(record.connection, user=caller.name, project=project):
        if grant.role == body.role and grant.granted_by != caller.name and caller.can_approve:
            return
    raise NotTheirs(actor=caller.name, role=body.role, project=project)


def require_taker(caller: Caller, taker: str, users: dict[str, User]) -> None:
    able = [n for n in users if is_person(n, users) and users[n].is_active and n != caller.name]
    if taker not in able:
        raise BadField(field="to", value=repr(taker), expected=f"another person: {', '.join(able) or 'there is none'}")


def require_end(ends_at: datetime, at: datetime) -> None:
    if ends_at.tzinfo is None or not at < ends_at <= at + LONGEST:
        expected = f"a moment with its time zone, at most {LONGEST_DAYS} days from now"
        raise BadField(field="ends_at", value=str(ends_at), expected=expected)


def active(connection: Connection, project: str, at: datetime) -> list[Delegation]:
    """Those that hold at a moment: neither ended nor revoked, their giver still in the role, and both still there."""
    return [each for each in told(connection, project, at) if each.is_active]


def told(connection: Connection, project: str, at: datetime) -> list[Delegation]:
    """All of a project, newest first, each with whether it holds at that moment."""
    found = store.delegations_of(connection, project=project)
    if not found:
        return []
    held = {(grant.user, grant.role) for grant in store.find_grants(connection, project=project)}
    users = {user.name: user for user in store.all_users(connection)}
    return [
        msgspec.structs.replace(
            each,
            is_active=each.revoked_at is None
            and each.ends_at > at
            and (each.giver, each.role) in held
            and all(users[name].is_active for name in (each.giver, each.taker)),
        )
        for each in found
    ]


def as_grants(connection: Connection, project: str, at: datetime) -> list[Grant]:
    """The roles that people have by delegation at a moment, for the question who may do what."""
    return [Grant(each.taker, project, each.role, each.giver, each.made_at) for each in active(connection, project, at)]
