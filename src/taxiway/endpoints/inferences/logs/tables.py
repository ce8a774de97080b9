"""The table of inference logs: how each is kept. What is in them is on the disk of the gateway's home."""

from __future__ import annotations

from sqlalchemy import Column, String, Table, Text

from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.storage.database import Json, Moment, metadata

logs = Table(
    "endpoint_logs",  # no row: kept as every log is that nobody changed
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("policy", Json(LogPolicy), nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", String(64), nullable=False),
    Column("changed_at", Moment, nullable=False),
)
