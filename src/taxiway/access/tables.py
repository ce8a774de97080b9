"""Tables of access."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, Text

from taxiway.storage.database import Moment, metadata

users = Table(
    "access_users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("display", Text, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
)

secrets = Table(
    "access_secrets",  # tokens, sessions and sign-in links: SHA-256 of 256 random bits, never the secret itself
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("user", String(64), nullable=False, index=True),
    Column("label", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("spent_at", Moment),
)

grants = Table(
    "access_grants",
    metadata,
    Column("user", String(64), primary_key=True),
    Column("project", String(64), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("granted_by", String(64), nullable=False),
    Column("granted_at", Moment, nullable=False),
)

# Whose bytes came whole: who sent some may name them. Binary, so that a note keeps no bytes that nothing else needs.
sent = Table(
    "access_sent",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("sender", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)
