"""Tables of access."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, Text

from taxiway.storage.database import Json, Moment, metadata

users = Table(
    "access_users",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("kind", String(10), nullable=False),
    Column("display", Text, nullable=False),
    Column("is_admin", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("accountable", String(64), nullable=False),  # who answers for a service account
    Column("deactivated_at", Moment),
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
    Column("granted_by", String(200), nullable=False),  # somebody, or "oidc:" and the group at the provider
    Column("granted_at", Moment, nullable=False),
    Column("in_return", Boolean, nullable=False),  # who granted it had a role from who got it
)

# That a holder of a role has somebody act in it for them, in one project, until a date.
delegations = Table(
    "access_delegations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("role", String(20), nullable=False),
    Column("giver", String(64), nullable=False),
    Column("taker", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", String(64), nullable=False),
)

# What gives power and waits for the word of a second admin.
proposals = Table(
    "access_proposals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("user", String(64), nullable=False),
    Column("project", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String(10), nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", Moment),
    Column("rules", Json(dict[str, str]), nullable=False),
)

# Whose bytes came whole: who sent some may name them. Binary, so that a note keeps no bytes that nothing else needs.
sent = Table(
    "access_sent",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("sender", String(64), primary_key=True),
    Column("at", Moment, nullable=False),
)
