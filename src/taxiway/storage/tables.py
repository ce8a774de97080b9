"""Tables of storage itself: the write path, and what servers on one database have in common."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table, Text

from taxiway.storage.database import Moment, metadata

requests = Table(
    "requests",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(80), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)

# What holds for every server on the database, such as where its files are kept.
platform = Table(
    "platform",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
