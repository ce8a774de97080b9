"""Tables of lineage."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table

from taxiway.storage.database import Moment, metadata

edges = Table(
    "lineage_edges",
    metadata,
    Column("source", String(400), primary_key=True),
    Column("verb", String(40), primary_key=True),
    Column("target", String(400), primary_key=True),
    Column("project", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_lineage_edges_target", "target"),
)
