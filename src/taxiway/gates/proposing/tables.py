"""The table of proposals of paths."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from taxiway.gates.planning.contract import Plan
from taxiway.storage.database import Json, Moment, metadata

proposals = Table(
    "gate_path_proposals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("path", String(64), nullable=False, index=True),
    Column("before", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("name", String(300), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("reason", Text, nullable=False),
    Column("plan", Json(Plan), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", Moment),
    Column("comment", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
