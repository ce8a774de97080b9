"""Tables of evidence."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from taxiway.evidence.dsse import Envelope
from taxiway.storage.database import Json, Moment, metadata

keys = Table(
    "evidence_keys",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("public", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("retired_at", Moment),
    Column("revoked_at", Moment),
    Column("revoked_by", String(100), nullable=False),
    Column("because", Text, nullable=False),
)

statements = Table(
    "evidence_statements",
    metadata,
    Column("id", String(32), primary_key=True),  # ordered by time
    Column("predicate_type", String(200), nullable=False),
    Column("thing", String(400), nullable=False),
    Column("project", String(64)),
    Column("key", String(64), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("by", String(100), nullable=False),
    Column("at", Moment, nullable=False),
    Column("envelope", Json(Envelope), nullable=False),
    Index("ix_evidence_statements_thing_id", "thing", "id"),
    Index("ix_evidence_statements_project_id", "project", "id"),
    Index("ix_evidence_statements_digest", "digest"),
)

subjects = Table(
    "evidence_subjects",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("statement", String(32), primary_key=True),
    Column("name", String(400), primary_key=True),
    Index("ix_evidence_subjects_statement", "statement"),
)
