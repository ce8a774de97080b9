"""Tables of waivers and broken glass. A row stays for good."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from taxiway.gates.contract import Digests
from taxiway.storage.database import Json, Moment, metadata

waivers = Table(
    "gate_waivers",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("project", String(64), nullable=False, index=True),
    Column("stage", String(20), nullable=False),
    Column("gate", String(80), nullable=False),
    Column("found", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("until", Moment, nullable=False, index=True),
    Column("digests", Json(Digests), nullable=False),
    Column("granted_by", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("granted_at", Moment),
    Column("revoked_by", String(64), nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_because", Text, nullable=False),
    Column("is_told", Boolean, nullable=False),  # that it ran out
    Index("ix_gate_waivers_model_version", "model", "version"),
)

broken = Table(
    "gate_broken_glass",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("model", String(300), nullable=False),
    Column("version", Integer, nullable=False),
    Column("project", String(64), nullable=False, index=True),
    Column("stage", String(20), nullable=False),
    Column("before", String(20), nullable=False),
    Column("bundle", String(80), nullable=False),
    Column("by", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("until", Moment, nullable=False, index=True),
    Column("unmet", Json(list[str]), nullable=False),
    Column("finding", String(32), nullable=False),
    Column("is_told", Boolean, nullable=False),
    Index("ix_gate_broken_glass_model_version", "model", "version"),
)
