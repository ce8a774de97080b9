"""Tables of hooks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from taxiway.storage.database import Json, Moment, metadata

hooks = Table(
    "hooks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("name", String(63), nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Json(list[str]), nullable=False),
    Column("secret", LargeBinary),  # sealed with the home's key; none where deliveries are not signed
    Column("is_active", Boolean, nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("given_up", BigInteger, nullable=False),
    Column("dropped", BigInteger, nullable=False),
)

# What is to be told, written with the change that it tells of.
deliveries = Table(
    "hook_deliveries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("hook", String(32), nullable=False),
    Column("event", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("status", Integer, nullable=False),
    Column("error", Text, nullable=False),
    Index(None, "hook", "state", "due_at"),
    Index(None, "hook", "id"),
    Index(None, "state", "due_at"),
)
