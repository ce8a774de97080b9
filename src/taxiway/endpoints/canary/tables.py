"""Tables of canaries: each one, its whole clusters, and every look at them."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table

from taxiway.endpoints.canary.contract import Canary, Totals, Verdict
from taxiway.storage.database import Json, Moment, metadata

canaries = Table(
    "endpoint_canaries",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("endpoint", String(64), nullable=False),
    Column("state", String(20), nullable=False, index=True),
    Column("canary", Json(Canary), nullable=False),
    Index("ix_endpoint_canaries_endpoint", "endpoint", "id"),
)

clusters = Table(
    "endpoint_canary_clusters",
    metadata,
    Column("canary", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),  # in the order in which they became whole
    Column("totals", Json(Totals), nullable=False),
)

looks = Table(
    "endpoint_canary_looks",
    metadata,
    Column("canary", String(32), primary_key=True),
    Column("clusters", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("verdict", Json(Verdict), nullable=False),
)
