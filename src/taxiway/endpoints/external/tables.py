"""Tables of external endpoints. What they answered is in the inference log, as of all endpoints."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from taxiway.storage.database import metadata

externals = Table(
    "external_endpoints",
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("url", Text, nullable=False),
)

fed = Table(
    "fed_predictions",  # what was fed already: so that twice is once, and labels find it by the other side's id
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("given", String(64), primary_key=True),  # the SHA-256 of the other side's id
    Column("row", Integer, primary_key=True),
    Column("prediction_id", String(32), nullable=False),
    Column("digest", String(64), nullable=False),  # of its answer
)
