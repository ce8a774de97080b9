"""Tables of stores."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from taxiway.storage.database import Moment, metadata

stores = Table(
    "stores",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("added_by", String(64), nullable=False),
    Column("added_at", Moment, nullable=False),
)

# Files that stay where they are. digest: empty until somebody read the file for the first time.
placed = Table(
    "placed_files",
    metadata,
    Column("ref", String(71), primary_key=True),
    Column("store", String(64), nullable=False, index=True),
    Column("place", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("digest", String(71), nullable=False, index=True),
)
