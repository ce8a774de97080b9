"""The rules of accounts: every service account has a person who answers for it, and who leaves opens nothing more."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection

from taxiway.access import store
from taxiway.access.contract import AddUser, ChangeUser, KeptToken, OwnAccount, User
from taxiway.access.memory import Memory
from taxiway.access.proposals.contract import AdminProposal, SecondAdminNeeded
from taxiway.access.proposals.service import propose, second_admins
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.kernel.ids import is_name, new_id
from taxiway.storage.database import Database

RESERVED = ("local", "taxiway", "anonymous")


class Accounts:
    """People and service accounts, and their tokens as admins see them."""

    def __init__(self, database: Database, ledger: Ledger, clock: Clock, memory: Memory) -> None:
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self.memory = memory

    def add(self, caller: Caller, body: AddUser) -> User:
        """Adds a person, or a service account with who answers for it. Raises AlreadyExists, BadField.

        What should be an admin is one once another admin confirms it, where there is one (SecondAdminNeeded).
        """
        if not is_name(body.name) or body.name in RESERVED:
            expected = "a name of a-z, 0-9, '.', '_' and '-', at most 63 characters, that is not reserved"
            raise BadField(field="name", value=repr(body.name), expected=expected)

        def make(record: Record) -> User:
            if store.find_user(record.connection, body.name):
                raise AlreadyExists(kind="user", name=body.name)
            others = second_admins(record.connection, caller)
            user = User(
                name=body.name,
                kind=body.kind,
                display=body.display or body.name,
                is_admin=body.is_admin and not others,
                created_at=record.at,
                added_by=caller.name,
                accountable=require_accountable(record, body),
            )
            store.add_user(record.connection, user)
            record.after_commit(self.memory.forget)
            record.note(kind=user.kind, is_admin=user.is_admin, accountable=user.accountable)
            if body.is_admin and others:
                propose(record, AdminProposal(new_id(), "admin", user.name, "", "", caller.name, record.at))
            return user

        made = self.ledger.change(caller, "access.add_user", f"user:{body.name}", make, answer=User)
        self._require_second(caller, made, is_asked=body.is_admin)
        return made

    def change(self, caller: Caller, body: ChangeUser, *, user: str) -> User:
        """Changes what is given. Who is deactivated is signed out, and all their tokens and links end for good.

        What they did stays theirs, the approvals they gave while they were active among it. Raises BadField, NotFound,
        OwnAccount.
        """

        def make(record: Record) -> User:
            before = require_user(record, user)
            if user == caller.name and (body.is_active is False or body.is_admin is not None):
                raise OwnAccount(user=user)
            after = msgspec.structs.replace(before, **changes(record, before, body))
            if after.is_admin and not before.is_admin and second_admins(record.connection, caller):
                after = msgspec.structs.replace(after, is_admin=False)
            if before.is_active and not after.is_active:
                record.note(ended=store.end_secrets(record.connection, user, record.at))
            store.change_user(record.connection, after)
            record.after_commit(self.memory.forget)
            record.note(**msgspec.to_builtins(body))
            if body.is_admin and not after.is_admin:
                propose(record, AdminProposal(new_id(), "admin", user, "", "", caller.name, record.at))
            return told(after, {each.name: each for each in store.all_users(record.connection)})

        made = self.ledger.change(caller, "access.change_user", f"user:{user}", make, answer=User)
        self._require_second(caller, made, is_asked=bool(body.is_admin))
        return made

    def _require_second(self, caller: Caller, made: User, *, is_asked: bool) -> None:
        """Says that the rights of an admin wait for another admin, where they do. Raises SecondAdminNeeded."""
        if not is_asked or made.is_admin:
            return
        with self.database.read() as connection:
            kept = store.proposals(connection)
            waits = [e.id for e in kept if (e.kind, e.user, e.state) == ("admin", made.name, "waits")]
            others = second_admins(connection, caller)
        raise SecondAdminNeeded(user=made.name, what="the rights of an admin", proposal=waits[0], who_can=others)

    def all(self) -> list[User]:
        """Everybody, by name; a service account knows whether the person who answers for it is still there."""
        with self.database.read() as connection:
            found = {user.name: user for user in store.all_users(connection)}
        return [told(user, found) for user in found.values()]

    def answering(self, connection: Connection) -> dict[str, str]:
        """For each service account the person who answers for it."""
        return {user.name: user.accountable for user in store.all_users(connection) if user.accountable}

    def tokens(self, caller: Caller, *, user: str) -> Page[KeptToken]:
        """Somebody's tokens that hold now, newest first. Raises NotFound."""
        with self.database.read() as connection:
            if store.find_user(connection, user) is None:
                raise unknown(user)
            return Page(store.tokens_of(connection, user, self.clock()))

    def revoke_token(self, caller: Caller, *, user: str, token: str) -> Page[KeptToken]:
        """Ends one of somebody's tokens, and gives those that remain. Raises NotFound."""

        def make(record: Record) -> Page[KeptToken]:
            require_user(record, user)
            if not store.end_token(record.connection, user=user, token=token, at=record.at):
                hint = "`taxiway access tokens` lists yours." if user == caller.name else ""
                hint = hint or f"`taxiway access tokens {user}` lists theirs."
                raise NotFound(kind="token", name=token, hint=hint)
            record.after_commit(self.memory.forget)
            record.note(token=token)
            return Page(store.tokens_of(record.connection, user, record.at))

        return self.ledger.change(caller, "access.revoke_token", f"user:{user}", make, answer=Page[KeptToken])


def changes(record: Record, before: User, body: ChangeUser) -> dict[str, Any]:
    """The fields that become others. Raises BadField."""
    found: dict[str, Any] = {}
    if body.display is not None:
        found["display"] = body.display.strip() or before.name
    if body.accountable is not None:
        if before.kind != "service":
            raise BadField(
                field="accountable", value=repr(body.accountable), expected="nothing: a person answers for themselves"
            )
        found["accountable"] = require_person(record, body.accountable)
    if body.is_active is not None:
        found["deactivated_at"] = None if body.is_active else before.deactivated_at or record.at
    if body.is_admin is not None:
        found["is_admin"] = body.is_admin
    return found


def require_accountable(record: Record, body: AddUser) -> str:
    """Who answers for a new account; nobody but themselves for a person. Raises BadField."""
    if body.kind == "person":
        if body.accountable:
            expected = "nothing: a person answers for themselves"
            raise BadField(field="accountable", value=repr(body.accountable), expected=expected)
        return ""
    return require_person(record, body.accountable)


def require_person(record: Record, name: str) -> str:
    """The name, if it is that of an active person. Raises BadField."""
    found = store.find_user(record.connection, name)
    if found is None or found.kind != "person" or not found.is_active:
        people = [each.name for each in store.all_users(record.connection) if each.kind == "person" and each.is_active]
        expected = (
            f"the person who answers for it, one of {', '.join(people)}"
            if people
            else ("the person who answers for it: add one first with `taxiway access add NAME`")
        )
        raise BadField(field="accountable", value=repr(name), expected=expected)
    return name


def told(user: User, everybody: dict[str, User]) -> User:
    """A service account with whether the person who answers for it is gone."""
    if user.kind != "service":
        return user
    answers = everybody.get(user.accountable)
    return msgspec.structs.replace(user, is_orphaned=answers is None or not answers.is_active)


def require_user(record: Record, name: str) -> User:
    found = store.find_user(record.connection, name)
    if found is None:
        raise unknown(name)
    return found


def unknown(name: str) -> NotFound:
    return NotFound(kind="user", name=name, hint="`taxiway access users` lists them.")
