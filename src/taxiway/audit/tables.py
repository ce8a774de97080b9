"""Tables of the audit log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from taxiway.storage.database import Moment, metadata

entries = Table(
    "audit_entries",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False),
    Column("actor", String(100), nullable=False),
    Column("verb", String(100), nullable=False),
    Column("thing", String(400), nullable=False),
    Column("project", String(64)),
    Column("door", String(20), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("facts", Text, nullable=False),  # the JSON text that was hashed, kept to the letter
    Column("leaf", LargeBinary(32), nullable=False),
    Index("ix_audit_entries_thing_seq", "thing", "seq"),
    Index("ix_audit_entries_project_seq", "project", "seq"),
)

heads = Table(
    "audit_heads",
    metadata,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("frontier", LargeBinary, nullable=False),  # the roots of the full subtrees, largest first
    Column("at", Moment, nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
)

nodes = Table(
    "audit_nodes",  # the full subtrees above the leaves, so that a proof reads some twenty rows, not the log
    metadata,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary(32), nullable=False),
)
