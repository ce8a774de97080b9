"""The table of movements that gates watched."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from taxiway.gates.observing.contract import Missed
from taxiway.storage.database import Json, Moment, metadata

observations = Table(
    "gate_observations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("path", String(64), nullable=False),
    Column("path_version", Integer, nullable=False),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("project", String(64), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("missed", Json(list[Missed]), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_gate_observations_path", "path", "id"),
)
