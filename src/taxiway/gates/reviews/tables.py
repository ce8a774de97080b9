"""Tables of reviews."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from taxiway.storage.database import Moment, metadata

reviews = Table(
    "gate_reviews",  # only ever added to
    metadata,
    Column("id", String(32), primary_key=True),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("project", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("findings", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
)

# Which due dates were told, so that each is told once, whichever server sees it first.
told = Table(
    "gate_reviews_told",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("due_at", Moment, primary_key=True),
    Column("at", Moment, nullable=False),
)
