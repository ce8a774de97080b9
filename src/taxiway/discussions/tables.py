"""The tables of discussions."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from taxiway.discussions.contract import Edit
from taxiway.storage.database import Json, Moment, metadata

threads = Table(
    "discussion_threads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("thing", String(400), nullable=False, index=True),
    Column("project", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("last_at", Moment, nullable=False),
    Column("asked", Json(list[str]), nullable=False),
    Column("role", String(20), nullable=False),
    Column("is_asking", Boolean, nullable=False),
    Column("resolved_by", String(64), nullable=False),
    Column("resolved_at", Moment),
    Index(None, "project", "last_at"),
)

comments = Table(
    "discussion_comments",
    metadata,
    Column("thread", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("by", String(64), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("text", Text, nullable=False),
    Column("answer", String(10), nullable=False),
    Column("mentions", Json(list[str]), nullable=False),
    Column("edits", Json(list[Edit]), nullable=False),
    Column("withdrawn_at", Moment),
)
