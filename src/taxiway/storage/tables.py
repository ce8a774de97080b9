"""Tables of the write path itself."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, String, Table

from taxiway.storage.database import Moment, metadata

requests = Table(
    "requests",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("fingerprint", String(80), nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("at", Moment, nullable=False, index=True),
)
