"""Queries of access."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, func, insert, select, update

from taxiway.access.contract import Grant, KeptToken, User
from taxiway.access.delegation.contract import Delegation
from taxiway.access.memory import Holder
from taxiway.access.proposals.contract import AdminProposal
from taxiway.access.tables import delegations, grants, secrets, sent, users
from taxiway.access.tables import proposals as waiting

TOKEN_ID_LENGTH = 16


def find_user(connection: Connection, name: str) -> User | None:
    row = connection.execute(select(users).where(users.c.name == name)).mappings().first()
    return User(**row) if row else None


def all_users(connection: Connection) -> list[User]:
    return [User(**row) for row in connection.execute(select(users).order_by(users.c.name)).mappings()]


def add_user(connection: Connection, user: User) -> None:
    connection.execute(insert(users).values(columns_of(user)))


def change_user(connection: Connection, user: User) -> None:
    connection.execute(update(users).where(users.c.name == user.name).values(columns_of(user)))


def columns_of(user: User) -> dict[str, Any]:
    return {name: value for name, value in asdict(user).items() if name in users.c}


def put_sent(connection: Connection, digest: bytes, sender: str, at: datetime) -> None:
    """Notes who sent bytes, and when last."""
    connection.execute(delete(sent).where(sent.c.digest == digest, sent.c.sender == sender))
    connection.execute(insert(sent).values(digest=digest, sender=sender, at=at))


class Secret(Struct, frozen=True):
    """A secret as it is kept."""

    digest: str
    kind: str
    user: str
    label: str
    created_at: datetime
    expires_at: datetime


def add_secret(connection: Connection, secret: Secret) -> None:
    connection.execute(insert(secrets).values(asdict(secret)))


def user_of_secret(connection: Connection, *, digest: str, kinds: tuple[str, ...], at: datetime) -> User | None:
    """The user whose secret this is, if it still holds at that time."""
    found = holder_of(connection, digest=digest, kinds=kinds, at=at)
    return found.user if found else None


def holder_of(connection: Connection, *, digest: str, kinds: tuple[str, ...], at: datetime) -> Holder | None:
    """The same, with the secret's kind and until when it holds."""
    query = (
        select(users, secrets.c.kind.label("secret_kind"), secrets.c.expires_at)
        .join(secrets, secrets.c.user == users.c.name)
        .where(
            secrets.c.digest == digest,
            secrets.c.kind.in_(kinds),
            secrets.c.expires_at > at,
            secrets.c.spent_at.is_(None),
            users.c.deactivated_at.is_(None),
        )
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        return None
    user = User(**{name: row[name] for name in User.__struct_fields__ if name in users.c})
    return Holder(user, row["secret_kind"], row["expires_at"])


def secret_with_label(connection: Connection, *, digest: str, kind: str, at: datetime) -> tuple[User, str] | None:
    """The user whose secret this is, with its label, if it still holds at that time."""
    user = user_of_secret(connection, digest=digest, kinds=(kind,), at=at)
    label = connection.execute(select(secrets.c.label).where(secrets.c.digest == digest)).scalar()
    return (user, label) if user is not None and label is not None else None


def spend_secret(connection: Connection, digest: str, at: datetime) -> bool:
    """Marks a secret as used; false where it was already."""
    query = update(secrets).where(secrets.c.digest == digest, secrets.c.spent_at.is_(None)).values(spent_at=at)
    return connection.execute(query).rowcount == 1


def tokens_of(connection: Connection, user: str, at: datetime) -> list[KeptToken]:
    """The tokens of a user that hold at that time, newest first."""
    query = (
        select(secrets)
        .where(secrets.c.user == user, secrets.c.kind == "token")
        .where(secrets.c.expires_at > at, secrets.c.spent_at.is_(None))
        .order_by(secrets.c.created_at.desc(), secrets.c.digest)
    )
    return [
        KeptToken(
            id=row["digest"][:TOKEN_ID_LENGTH],
            label=row["label"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
        )
        for row in connection.execute(query).mappings()
    ]


def end_token(connection: Connection, *, user: str, token: str, at: datetime) -> bool:
    """Ends the user's token with this id; false where none holds."""
    query = (
        update(secrets)
        .where(secrets.c.user == user, secrets.c.kind == "token", secrets.c.spent_at.is_(None))
        .where(func.substr(secrets.c.digest, 1, TOKEN_ID_LENGTH) == token)
        .values(spent_at=at)
    )
    return connection.execute(query).rowcount > 0


def end_secrets(connection: Connection, user: str, at: datetime) -> int:
    """Ends every token, session and link of a user; gives how many."""
    held = (secrets.c.user == user, secrets.c.spent_at.is_(None), secrets.c.expires_at > at)
    return connection.execute(update(secrets).where(*held).values(spent_at=at)).rowcount


class HeldToken(NamedTuple):
    """Whose token it is, and until when."""

    user: str
    expires_at: datetime


def token_digests(connection: Connection, at: datetime) -> dict[str, HeldToken]:
    """The hash of every token that holds at that time, with its user and its end."""
    query = select(secrets.c.digest, secrets.c.user, secrets.c.expires_at).join(users, secrets.c.user == users.c.name)
    query = query.where(secrets.c.kind == "token", secrets.c.expires_at > at, secrets.c.spent_at.is_(None))
    query = query.where(users.c.deactivated_at.is_(None))
    return {row.digest: HeldToken(row.user, row.expires_at) for row in connection.execute(query)}


def delegations_of(connection: Connection, *, project: str | None = None, taker: str | None = None) -> list[Delegation]:
    """Newest first, as they are kept: whether one still holds is judged elsewhere."""
    query = select(delegations).order_by(delegations.c.made_at.desc(), delegations.c.id.desc())
    if project is not None:
        query = query.where(delegations.c.project == project)
    if taker is not None:
        query = query.where(delegations.c.taker == taker)
    return [Delegation(**row) for row in connection.execute(query).mappings()]


def add_delegation(connection: Connection, made: Delegation) -> None:
    row = {name: value for name, value in asdict(made).items() if name in delegations.c}
    connection.execute(insert(delegations).values(row))


def end_delegation(connection: Connection, delegation: str, *, by: str, at: datetime) -> None:
    query = update(delegations).where(delegations.c.id == delegation, delegations.c.revoked_at.is_(None))
    connection.execute(query.values(revoked_at=at, revoked_by=by))


def proposals(connection: Connection) -> list[AdminProposal]:
    """Newest first."""
    query = select(waiting).order_by(waiting.c.at.desc(), waiting.c.id.desc())
    return [AdminProposal(**row) for row in connection.execute(query).mappings()]


def find_proposal(connection: Connection, proposal: str) -> AdminProposal | None:
    row = connection.execute(select(waiting).where(waiting.c.id == proposal)).mappings().first()
    return AdminProposal(**row) if row else None


def add_proposal(connection: Connection, proposal: AdminProposal) -> None:
    connection.execute(insert(waiting).values(asdict(proposal)))


def decide(connection: Connection, decided: AdminProposal) -> None:
    connection.execute(update(waiting).where(waiting.c.id == decided.id).values(asdict(decided)))


def add_grant(connection: Connection, grant: Grant) -> None:
    remove = delete(grants).where(
        grants.c.user == grant.user, grants.c.project == grant.project, grants.c.role == grant.role
    )
    connection.execute(remove)
    connection.execute(insert(grants).values(asdict(grant)))


def remove_grants(connection: Connection, *, user: str, project: str) -> int:
    query = delete(grants).where(grants.c.user == user, grants.c.project == project)
    return connection.execute(query).rowcount


def remove_grant(connection: Connection, grant: Grant) -> None:
    """Takes one role."""
    same = (grants.c.user == grant.user, grants.c.project == grant.project, grants.c.role == grant.role)
    connection.execute(delete(grants).where(*same))


def find_grants(connection: Connection, *, user: str | None = None, project: str | None = None) -> list[Grant]:
    query = select(grants).order_by(grants.c.project, grants.c.user, grants.c.role)
    if user is not None:
        query = query.where(grants.c.user == user)
    if project is not None:
        query = query.where(grants.c.project == project)
    return [Grant(**row) for row in connection.execute(query).mappings()]
