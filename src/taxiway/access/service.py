"""The rules of access: secrets are kept as hashes, links work once, nobody gives themselves a role."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from taxiway.access import store
from taxiway.access.accounts import Accounts, unknown
from taxiway.access.contract import (
    AddUser,
    Grant,
    GrantRole,
    KeptToken,
    LastOwner,
    LinkSpent,
    MakeToken,
    SelfGrant,
    SignInLink,
    Token,
    User,
    WhoAmI,
)
from taxiway.access.delegation.service import Delegations, active, as_grants
from taxiway.access.digests import Digests
from taxiway.access.holdings import Holding, holdings_of
from taxiway.access.memory import Memory
from taxiway.access.proposals.granting import put_grant
from taxiway.access.proposals.service import Proposals
from taxiway.access.provider.contract import Binding
from taxiway.access.provider.service import SignIns, list_bindings
from taxiway.access.roles import Role, may, roles_for
from taxiway.access.secrets import hash_secret, new_secret
from taxiway.access.terminals.service import Terminals, unkeyed
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from taxiway.storage.database import Database

LINK_LIVES = timedelta(hours=1)
SESSION_LIVES = timedelta(hours=12)
LONGEST_TOKEN_DAYS = 365
UNSEEN = "If it is there, you may not read it: an owner of its project gives roles."


class Access:
    """People, service accounts, their secrets and their roles.

    sign_ins: sign-ins by an identity provider, where the server has one.
    """

    def __init__(self, database: Database, ledger: Ledger, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.clock = clock
        self.memory = Memory()
        self.accounts = Accounts(database, ledger, clock, self.memory)
        self.proposals = Proposals(database, ledger, self.memory)
        self.delegations = Delegations(database, ledger, clock, self.memory, self._may_grant)
        self.digests = Digests(database, ledger.writer)
        self.sign_ins: SignIns | None = None
        self.terminals = Terminals(ledger, self.most_token_days)

    # --- people ---

    def add_user(self, caller: Caller, body: AddUser) -> User:
        """As `Accounts.add`."""
        return self.accounts.add(caller, body)

    def users(self, caller: Caller) -> Page[User]:
        """Everybody, for who holds a role somewhere; who holds none sees only themselves."""
        with self.database.read() as connection:
            is_someone = caller.is_admin or store.find_grants(connection, user=caller.name)
        return Page([user for user in self.accounts.all() if is_someone or user.name == caller.name])

    def people(self, connection: Connection) -> list[str]:
        """The names of all persons, as that connection sees them, also of those who were deactivated."""
        return [user.name for user in store.all_users(connection) if user.kind == "person"]

    def active_people(self, connection: Connection) -> list[str]:
        """The names of the persons who can sign in."""
        return [user.name for user in store.all_users(connection) if user.kind == "person" and user.is_active]

    def admins(self, connection: Connection) -> list[str]:
        """The names of the persons who run the platform."""
        found = store.all_users(connection)
        return [user.name for user in found if user.kind == "person" and user.is_admin and user.is_active]

    def who_am_i(self, caller: Caller) -> WhoAmI:
        with self.database.read() as connection:
            grants = store.find_grants(connection, user=caller.name)
        return WhoAmI(
            name=caller.name,
            kind=caller.kind,
            is_admin=caller.is_admin,
            can_approve=caller.can_approve,
            grants=grants,
        )

    # --- secrets ---

    def make_token(self, caller: Caller, body: MakeToken, *, user: str) -> Token:
        most = self.most_token_days(user)
        if not 1 <= body.days <= most:
            raise BadField(field="days", value=str(body.days), expected=f"a number from 1 to {most}")
        token, until = self._make_secret(caller, user, "token", body.label, timedelta(days=body.days))
        return Token(user=user, token=token, expires_at=until)

    def most_token_days(self, user: str) -> int:
        """For how many days a token of somebody may hold."""
        return self.sign_ins.most_token_days(user, LONGEST_TOKEN_DAYS) if self.sign_ins else LONGEST_TOKEN_DAYS

    def bindings(self, caller: Caller) -> Page[Binding]:
        """Which accounts of the identity provider are who here, by user."""
        return list_bindings(self.database)

    def my_tokens(self, caller: Caller) -> Page[KeptToken]:
        """The caller's own tokens that hold now, newest first."""
        with self.database.read() as connection:
            return Page(store.tokens_of(connection, caller.name, self.clock()))

    def make_my_token(self, caller: Caller, body: MakeToken) -> Token:
        """A token for the caller. The local user of a server without login has no account, so none."""
        if caller.kind == "local":
            raise NotFound(kind="user", name=caller.name, hint="Without sign-in no token is needed.")
        return self.make_token(caller, body, user=caller.name)

    def revoke_my_token(self, caller: Caller, *, token: str) -> Page[KeptToken]:
        """Ends one of the caller's own tokens and gives those that remain. Raises NotFound."""

        return self.accounts.revoke_token(caller, user=caller.name, token=token)

    def make_link(self, caller: Caller, *, user: str) -> SignInLink:
        secret, until = self._make_secret(caller, user, "link", "sign-in link", LINK_LIVES)
        return SignInLink(user=user, path=f"/sign-in/{secret}", expires_at=until)

    def _make_secret(self, caller: Caller, user: str, kind: str, label: str, lives: timedelta) -> tuple[str, datetime]:
        secret = new_secret(kind)

        def make(record: Record) -> datetime:
            found = store.find_user(record.connection, user)
            if found is None:
                raise unknown(user)
            if not found.is_active:
                expected = "an active account (`taxiway access activate NAME` lets one in again)"
                raise BadField(field="user", value=repr(user), expected=expected)
            if kind == "link" and found.kind != "person":
                raise BadField(field="user", value=repr(user), expected="a person; a service account takes a token")
            until = record.at + lives
            secret_kept = store.Secret(
                digest=hash_secret(secret),
                kind=kind,
                user=user,
                label=label,
                created_at=record.at,
                expires_at=until,
            )
            store.add_secret(record.connection, secret_kept)
            record.note(label=label, expires_at=until)
            return until

        # A secret is never kept, so a retry cannot get the first one again: each call makes a new one.
        until = self.ledger.change(unkeyed(caller), f"access.make_{kind}", f"user:{user}", make, answer=datetime)
        return secret, until

    def sign_in(self, link: str, request_id: str) -> str:
        """The session that a link opens. Raises LinkSpent."""
        session = new_secret("session")

        def make(record: Record) -> str:
            digest = hash_secret(link)
            user = store.user_of_secret(record.connection, digest=digest, kinds=("link",), at=record.at)
            if user is None or not store.spend_secret(record.connection, digest, record.at):
                raise LinkSpent
            record.thing = f"user:{user.name}"
            secret_kept = store.Secret(
                digest=hash_secret(session),
                kind="session",
                user=user.name,
                label="browser",
                created_at=record.at,
                expires_at=record.at + SESSION_LIVES,
            )
            store.add_secret(record.connection, secret_kept)
            record.note(user=user.name)
            return session

        anonymous = Caller(name="anonymous", kind="person", door="page", request_id=request_id)
        return self.ledger.change(anonymous, "access.sign_in", "user:unknown", make, answer=str)

    def sign_out(self, caller: Caller, session: str) -> None:
        def make(record: Record) -> bool:
            record.after_commit(self.memory.forget)
            return store.spend_secret(record.connection, hash_secret(session), record.at)

        self.ledger.change(caller, "access.sign_out", f"user:{caller.name}", make, answer=bool)

    def user_of(self, secret: str, *kinds: str) -> User | None:
        """Whose secret this is, if it holds now."""
        digest, state = hash_secret(secret), self.memory.state
        known = self.memory.holder(digest)
        if known is not None and known.kind in kinds and known.expires_at > self.clock():
            return known.user
        with self.database.read() as connection:
            found = store.holder_of(connection, digest=digest, kinds=kinds, at=self.clock())
        if found is not None:
            self.memory.keep_holder(digest, found, state)
        return found.user if found else None

    def is_known(self, secret: str) -> bool:
        """Whether `user_of` answers for this secret without asking the database."""
        return self.memory.holder(hash_secret(secret)) is not None

    def is_settled(self, caller: Caller, project: str) -> bool:
        """Whether `is_allowed` answers for this caller without asking the database."""
        return caller.is_admin or self.memory.grants_in(project) is not None

    def invokers(self, project: str) -> dict[str, store.HeldToken]:
        """The hashes of the tokens that may invoke the project's endpoints, each with its user and its end."""
        with self.database.read() as connection:
            digests = store.token_digests(connection, self.clock())
            users = {user.name: user for user in store.all_users(connection)}
            roles = store.find_grants(connection, project=project)
        allowed = set()
        for user in users.values():
            held = frozenset(g.role for g in roles if g.user == user.name)
            if may(needs="endpoints.invoke", roles=held, is_admin=user.is_admin, is_platform=False):
                allowed.add(user.name)
        return {digest: held for digest, held in digests.items() if held.user in allowed}

    # --- roles ---

    def grant_role(self, caller: Caller, body: GrantRole, *, project: str, user: str) -> Grant:
        """Gives somebody a role; what they hold already stays as it was given. Raises NotFound, SecondAdminNeeded,
        SelfGrant."""
        if caller.name == user:
            refusal = SelfGrant(user=user)
            self.ledger.refused(caller, "access.grant_role", f"user:{user}", refusal, project=project)
            raise refusal
        self.proposals.hold_grant(caller, body.role, project=project, user=user)

        def make(record: Record) -> Grant:
            if store.find_user(record.connection, user) is None:
                raise NotFound(kind="user", name=user, hint="Add them first with `taxiway access add`.")
            record.after_commit(self.memory.forget)
            return put_grant(record, Grant(user, project, body.role, caller.name, record.at))

        return self.ledger.change(caller, "access.grant_role", f"user:{user}", make, answer=Grant, project=project)

    def own(self, record: Record, *, user: str, project: str) -> None:
        """Makes someone the owner of a project, within the change that opens it or records them as its owner."""
        grant = Grant(user=user, project=project, role="owner", granted_by=record.caller.name, granted_at=record.at)
        if user != record.caller.name:
            record.also("access.grant_role", f"user:{user}", role="owner")
        store.add_grant(record.connection, grant)
        record.after_commit(self.memory.forget)

    def revoke_role(self, caller: Caller, *, project: str, user: str) -> Page[Grant]:
        def make(record: Record) -> Page[Grant]:
            owners = {g.user for g in store.find_grants(record.connection, project=project) if g.role == "owner"}
            if owners == {user}:
                raise LastOwner(user=user, project=project)
            if store.remove_grants(record.connection, user=user, project=project) == 0:
                raise NotFound(kind="role", name=f"{user} in {project}")
            record.after_commit(self.memory.forget)
            return Page(store.find_grants(record.connection, project=project))

        return self.ledger.change(
            caller, "access.revoke_role", f"user:{user}", make, answer=Page[Grant], project=project
        )

    def grants(self, *, project: str) -> Page[Grant]:
        with self.database.read() as connection:
            return Page(store.find_grants(connection, project=project))

    def holdings(self, connection: Connection, *, project: str, roles: Collection[Role], at: datetime) -> list[Holding]:
        """The ways in which persons act in any of the roles in a project at a moment, by somebody else's grant.

        Read over the given connection, so that inside a change it is so as of that change.
        """
        users = {user.name: user for user in store.all_users(connection)}
        grants = store.find_grants(connection, project=project)
        return holdings_of(grants, active(connection, project, at), users, roles)

    def people_with(
        self, connection: Connection, *, project: str, roles: Collection[Role], at: datetime | None = None
    ) -> dict[str, list[Role]]:
        """Who could act in any of the roles in a project now by a grant of their own, with which of them."""
        found: dict[str, list[Role]] = {}
        for each in self.holdings(connection, project=project, roles=roles, at=at or self.clock()):
            if each.is_active and not each.in_return and not each.on_behalf_of:
                found.setdefault(each.user, []).append(each.role)
        return found

    def people_who_may(self, needs: str, project: str) -> list[str]:
        """The persons whose role in the project includes a permission, by name; the admins where there is nobody."""
        able = roles_for(needs)
        with self.database.read() as connection:
            users = store.all_users(connection)
            people = [user.name for user in users if user.kind == "person" and user.is_active]
            grants = store.find_grants(connection, project=project)
            found = sorted({grant.user for grant in grants if grant.role in able and grant.user in people})
            return found or self.admins(connection)

    # --- permission ---

    def require(self, caller: Caller, needs: str, project: str | None) -> None:
        """Nothing, or NotAllowed with who could. project: None for what belongs to the platform."""
        if self.is_allowed(caller, needs, project):
            return
        who_can = self.who_can(caller, needs, project)
        where = f"the project {project}" if project else "the platform"
        refusal = NotAllowed(actor=caller.name, needs=needs, where=where, who_can=who_can)
        self.ledger.refused(
            caller, needs, f"project:{project}" if project else "platform:taxiway", refusal, project=project
        )
        raise refusal

    def admit(
        self, caller: Caller, needs: str, *, kind: str, name: str, find: Callable[[], Collection[str]]
    ) -> Collection[str]:
        """The projects of a thing, in all of which the caller may do what `needs` says.

        find: gives them, or raises NotFound. Who may not read a thing is told what they are told of one that is not
        there, word for word, so that nobody learns what there is. Raises NotFound, and NotAllowed for who may read it.
        """
        if caller.is_admin:
            return find()
        try:
            projects = find()
        except NotFound:
            raise NotFound(kind=kind, name=name, hint=UNSEEN) from None
        for project in projects:
            try:
                self.require(caller, needs, project)
            except NotAllowed:
                if not self.is_member(caller, project):
                    raise NotFound(kind=kind, name=name, hint=UNSEEN) from None
                raise
        return projects

    def is_member(self, caller: Caller, project: str) -> bool:
        """Whether the caller holds a role in the project, each of which lets them read what is in it."""
        return caller.is_admin or any(grant.user == caller.name for grant in self._grants_in(project))

    def who_can(self, caller: Caller, needs: str, project: str | None) -> list[str]:
        """Who else may do it, by name: whom to ask."""
        grants = self.grants(project=project).items if project else []
        able = roles_for(needs)
        return sorted({g.user for g in grants if g.role in able and g.user != caller.name})

    def is_allowed(self, caller: Caller, needs: str, project: str | None) -> bool:
        """Whether the caller may do what `needs` says: for pages that offer only what can be done."""
        if caller.is_admin:
            return True
        roles = frozenset(g.role for g in self._grants_in(project) if g.user == caller.name) if project else frozenset()
        return may(needs=needs, roles=roles, is_admin=False, is_platform=project is None)

    def _grants_in(self, project: str) -> Sequence[Grant]:
        state, known = self.memory.state, self.memory.grants_in(project)
        if known is None:
            with self.database.read() as connection:
                known = store.find_grants(connection, project=project)
                known += as_grants(connection, project, self.clock())
            self.memory.keep_grants(project, known, state)
        return known

    def visible(self, caller: Caller) -> list[str] | None:
        """The projects whose things the caller may read; None is all of them."""
        if caller.is_admin:
            return None
        with self.database.read() as connection:
            found = {grant.project for grant in store.find_grants(connection, user=caller.name)}
            at = self.clock()
            taken = {each.project for each in store.delegations_of(connection, taker=caller.name)}
            for project in taken - found:
                found |= {project for each in active(connection, project, at) if each.taker == caller.name}
            return sorted(found)

    def _may_grant(self, caller: Caller, project: str) -> bool:
        return self.is_allowed(caller, "access.grant", project)
