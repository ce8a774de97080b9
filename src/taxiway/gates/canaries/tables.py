"""The table of how canaries ended."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from taxiway.gates.canaries.contract import CanaryEvidence
from taxiway.storage.database import Json, Moment, metadata

canary_evidence = Table(
    "gate_canaries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("evidence", Json(CanaryEvidence), nullable=False),
)
