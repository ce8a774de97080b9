"""Tables of monitors."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table

from taxiway.monitors.contract import Alert, Reference, Rules, Window
from taxiway.storage.database import Json, Moment, metadata

monitors = Table(
    "monitors",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("endpoint", String(64), nullable=False, index=True),
    Column("project", String(64), nullable=False, index=True),
    Column("model", String(320), nullable=False),
    Column("rules", Json(Rules), nullable=False),
    Column("reference", Json(Reference), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)

windows = Table(
    "monitor_windows",  # a window measured again gets a row of its own; the earlier ones stay
    metadata,
    Column("monitor", String(64), primary_key=True),
    Column("start", Moment, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("is_current", Boolean, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("labelled", Integer, nullable=False),
    Column("computed_at", Moment, nullable=False),
    Column("result", Json(Window), nullable=False),
    Index("ix_monitor_windows_current", "monitor", "is_current", "start"),
)

alerts = Table(
    "monitor_alerts",  # the primary key keeps it at one for a monitor, window and metric
    metadata,
    Column("monitor", String(64), primary_key=True),
    Column("window", Moment, primary_key=True),
    Column("metric", String(20), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("project", String(64), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("alert", Json(Alert), nullable=False),
)
