"""The rules of people from a provider: one account there is one user here for ever; groups give roles and take them."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from taxiway.access import store as users
from taxiway.access.contract import User
from taxiway.access.memory import Memory
from taxiway.access.provider import store
from taxiway.access.provider.contract import Binding
from taxiway.access.provider.granting import sync_admin, sync_roles
from taxiway.access.provider.mapping import Mapping
from taxiway.access.provider.port import Attempt, Ended, Identity
from taxiway.access.provider.refusals import (
    AccountClosed,
    AlreadyConnected,
    AttemptUnknown,
    NameTaken,
    NotAdded,
)
from taxiway.access.secrets import hash_secret, new_secret
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.storage.database import Database
from taxiway.storage.keys import Keys, KeyUnusable

KEPT_LONGER = timedelta(days=1)  # so that a token's nonce is known until the token itself has run out
ID_TOKEN = "id token of {}"  # noqa: S105 - a label, no secret
FROM = "oidc"


class SignIns:
    """Sign-ins by one provider."""

    def __init__(self, database: Database, ledger: Ledger, memory: Memory, keys: Keys, mapping: Mapping) -> None:
        self.database = database
        self.ledger = ledger
        self.memory = memory
        self.keys = keys
        self.mapping = mapping

    @property
    def session_lives(self) -> timedelta:
        return timedelta(hours=self.mapping.session_hours)

    def enter(self, identity: Identity, attempt: Attempt, request_id: str, public_url: str) -> str:
        """The session of who signed in there, with the roles that their groups give here.

        Raises AttemptUnknown for a token that opened one already, ClaimUnfit, GroupMissing, NameTaken, NotAdded,
        AlreadyConnected, AccountClosed.
        """
        session = new_secret("session")

        def make(record: Record) -> str:
            if store.is_nonce_used(record.connection, attempt.nonce):
                raise AttemptUnknown(public_url=public_url)
            groups = self.mapping.groups_of(identity.claims)
            self.mapping.require_allowed(groups)
            user, binding = self._find(record, identity, attempt.user)
            record.thing = f"user:{user.name}"
            display = self.mapping.display_of(identity.claims) or user.display
            user, admin_group = sync_admin(record, self.mapping, binding, user, groups)
            users.change_user(record.connection, msgspec.structs.replace(user, display=display))
            sync_roles(record, self.mapping, user.name, groups)
            email = self.mapping.email_of(identity.claims)
            known = {"email": email, "groups": sorted(groups), "admin_group": admin_group, "seen_at": record.at}
            store.put_binding(record.connection, msgspec.structs.replace(binding, **known))
            if attempt.before:
                users.spend_secret(record.connection, attempt.before, record.at)
            self._open(record, identity, attempt, user.name, session)
            record.after_commit(self.memory.forget)
            record.note(user=user.name, issuer=identity.issuer, subject=identity.subject, groups=sorted(groups))
            return session

        anonymous = Caller(name="anonymous", kind="person", door="page", request_id=request_id)
        return self.ledger.change(anonymous, "access.sign_in", "user:unknown", make, answer=str)

    def _find(self, record: Record, identity: Identity, wants: str) -> tuple[User, Binding]:
        """Who the account there is here; a new user where it may make one. wants: who connects theirs to it."""
        connection, provider = record.connection, self.mapping.provider
        binding = store.find_binding(connection, issuer=identity.issuer, subject=identity.subject)
        if binding is None:
            name = wants or self.mapping.name_of(identity.claims)
            if (other := store.binding_of(connection, name)) is not None:
                if wants:
                    raise AlreadyConnected(provider=provider, user=other.user)
                raise NameTaken(provider=provider, user=name, is_bound=True)
            user = users.find_user(connection, name)
            if user is not None and not wants:
                raise NameTaken(provider=provider, user=name, is_bound=False)
            if user is None:
                user = self._add(record, name)
            binding = Binding(
                issuer=identity.issuer,
                subject=identity.subject,
                user=name,
                email="",
                groups=[],
                bound_at=record.at,
                seen_at=record.at,
            )
        elif wants and wants != binding.user:
            raise AlreadyConnected(provider=provider, user=binding.user)
        else:
            user = users.find_user(connection, binding.user)
        if user is None or user.kind != "person" or not user.is_active:
            raise AccountClosed(user=binding.user)
        return user, binding

    def _add(self, record: Record, name: str) -> User:
        if not self.mapping.makes_people:
            raise NotAdded(provider=self.mapping.provider, user=name)
        user = User(name=name, kind="person", display=name, is_admin=False, created_at=record.at, added_by=FROM)
        users.add_user(record.connection, user)
        record.also("access.add_user", f"user:{name}", kind="person", by=FROM)
        return user

    def _open(self, record: Record, identity: Identity, attempt: Attempt, user: str, session: str) -> None:
        digest, until = hash_secret(session), record.at + self.session_lives
        kept = users.Secret(
            digest=digest,
            kind="session",
            user=user,
            label=f"browser, by {self.mapping.provider}",
            created_at=record.at,
            expires_at=until,
        )
        users.add_secret(record.connection, kept)
        store.drop_old_sessions(record.connection, record.at - KEPT_LONGER)
        opened = store.Session(
            digest=digest,
            issuer=identity.issuer,
            subject=identity.subject,
            session=identity.session,
            nonce=attempt.nonce,
            id_token=self.keys.seal(identity.id_token, ID_TOKEN.format(digest)),
            expires_at=until,
        )
        store.add_session(record.connection, opened)

    def id_token_of(self, session: str) -> str:
        """By which token of the provider a session was opened; empty where none was."""
        with self.database.read() as connection:
            found = store.find_session(connection, hash_secret(session))
        try:
            return self.keys.unseal(found.id_token, ID_TOKEN.format(found.digest)) if found else ""
        except KeyUnusable:
            return ""

    def end(self, ended: Ended, request_id: str) -> int:
        """Ends the sessions that the provider says have ended, and gives how many held until now."""
        with self.database.read() as connection:
            if not (ended.session or ended.subject) or not store.sessions_of(connection, ended):
                return 0

        def make(record: Record) -> int:
            found = store.sessions_of(record.connection, ended)
            count = sum(users.spend_secret(record.connection, each.digest, record.at) for each in found)
            record.after_commit(self.memory.forget)
            binding = found and store.find_binding(record.connection, issuer=found[0].issuer, subject=found[0].subject)
            record.thing = f"user:{binding.user}" if binding else record.thing
            record.note(ended=count, by=FROM)
            return count

        caller = Caller(name="anonymous", kind="person", door="api", request_id=request_id)
        return self.ledger.change(caller, "access.end_sessions", "user:unknown", make, answer=int)

    def most_token_days(self, user: str, otherwise: int) -> int:
        """For how many days a token of somebody may hold: fewer for people of the provider."""
        with self.database.read() as connection:
            is_bound = store.binding_of(connection, user) is not None
        return min(otherwise, self.mapping.token_days) if is_bound else otherwise

    def is_connected(self, user: str) -> bool:
        with self.database.read() as connection:
            return store.binding_of(connection, user) is not None


def list_bindings(database: Database) -> Page[Binding]:
    """Who is bound to which account of a provider, by user."""
    with database.read() as connection:
        return Page(store.all_bindings(connection))
