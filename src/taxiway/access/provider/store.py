"""Queries of people from an identity provider."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, delete, insert, select, update

from taxiway.access.provider.contract import Binding
from taxiway.access.provider.port import Ended
from taxiway.access.provider.tables import bindings, sessions


class Session(Struct, frozen=True):
    """A session of ours that a provider opened."""

    digest: str
    issuer: str
    subject: str
    session: str
    nonce: str
    id_token: bytes
    expires_at: datetime


def find_binding(connection: Connection, *, issuer: str, subject: str) -> Binding | None:
    query = select(bindings).where(bindings.c.issuer == issuer, bindings.c.subject == subject)
    row = connection.execute(query).mappings().first()
    return Binding(**row) if row else None


def binding_of(connection: Connection, user: str) -> Binding | None:
    row = connection.execute(select(bindings).where(bindings.c.user == user)).mappings().first()
    return Binding(**row) if row else None


def all_bindings(connection: Connection) -> list[Binding]:
    """By user."""
    return [Binding(**row) for row in connection.execute(select(bindings).order_by(bindings.c.user)).mappings()]


def put_binding(connection: Connection, binding: Binding) -> None:
    """Keeps a new binding, or what is new of one: whose it is never changes."""
    known = (bindings.c.issuer == binding.issuer, bindings.c.subject == binding.subject)
    news = asdict(binding)
    changed = {name: news[name] for name in ("email", "groups", "seen_at", "admin_group")}
    if connection.execute(update(bindings).where(*known).values(changed)).rowcount == 0:
        connection.execute(insert(bindings).values(news))


def is_nonce_used(connection: Connection, nonce: str) -> bool:
    return connection.execute(select(sessions.c.digest).where(sessions.c.nonce == nonce)).first() is not None


def add_session(connection: Connection, session: Session) -> None:
    connection.execute(insert(sessions).values(asdict(session)))


def find_session(connection: Connection, digest: str) -> Session | None:
    row = connection.execute(select(sessions).where(sessions.c.digest == digest)).mappings().first()
    return Session(**row) if row else None


def sessions_of(connection: Connection, ended: Ended) -> list[Session]:
    """The sessions that ended: the one that is named, or all of the person."""
    query = select(sessions).where(sessions.c.issuer == ended.issuer)
    if ended.session:
        query = query.where(sessions.c.session == ended.session)
    if ended.subject:
        query = query.where(sessions.c.subject == ended.subject)
    return [Session(**row) for row in connection.execute(query).mappings()]


def drop_old_sessions(connection: Connection, before: datetime) -> None:
    connection.execute(delete(sessions).where(sessions.c.expires_at < before))
