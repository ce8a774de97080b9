"""Tables of people from an identity provider."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table, Text

from taxiway.storage.database import Json, Moment, metadata

# Whose account at the provider is who here. A row stays for good, or a name could become somebody else's.
bindings = Table(
    "access_bindings",
    metadata,
    Column("issuer", String(500), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("user", String(64), nullable=False, unique=True),
    Column("email", Text, nullable=False),
    Column("groups", Json(list[str]), nullable=False),
    Column("bound_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("admin_group", String(190), nullable=False),  # by which they are an admin; empty if by nobody or a person
)

# The sessions that a provider opened, by the digest of ours, until they run out.
sessions = Table(
    "access_provider_sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("issuer", String(500), nullable=False),
    Column("subject", String(255), nullable=False),
    Column("session", String(255), nullable=False),  # the provider's own name for it
    Column("nonce", String(64), nullable=False, unique=True),  # a token opens one session, once
    Column("id_token", LargeBinary, nullable=False),  # sealed; says to the provider which session to end
    Column("expires_at", Moment, nullable=False),
)
