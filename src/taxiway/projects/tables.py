"""Tables of projects."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from taxiway.projects.contract import Kpi
from taxiway.storage.database import Json, Moment, metadata

projects = Table(
    "projects",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("risk", String(10), nullable=False),
    Column("path", String(64), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("sponsor", String(200), nullable=False),
    Column("kpi", Json(Kpi)),
    Column("created_at", Moment, nullable=False),
)

stages = Table(
    "project_stages",
    metadata,
    Column("project", String(64), primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("entered_at", Moment, nullable=False),
    Column("because", String(400), nullable=False),
)
