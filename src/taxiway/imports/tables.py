"""Tables of imports."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from taxiway.storage.database import Moment, metadata

imports = Table(
    "imports",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("origin", Text, nullable=False),
    Column("project", String(64), nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("opened_at", Moment, nullable=False),
)

# What is here of what was there. stamp: of the state in which a thing was taken whole; empty where it was not yet.
imported = Table(
    "imported",
    metadata,
    Column("source", String(64), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("theirs", String(320), primary_key=True),
    Column("ours", String(600), nullable=False),
    Column("stamp", String(100), nullable=False),
    sqlite_with_rowid=False,
)
