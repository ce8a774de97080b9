"""The table of findings."""

from __future__ import annotations

from sqlalchemy import Column, Index, String, Table, Text

from taxiway.gates.findings.contract import Step
from taxiway.storage.database import Json, Moment, metadata

findings = Table(
    "gate_findings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("project", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("severity", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("owner", String(64), nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("remediation", Text, nullable=False),
    Column("opened_by", String(64), nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("resolved_by", String(64), nullable=False),
    Column("closed_by", String(64), nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("steps", Json(list[Step]), nullable=False),
    Index("ix_gate_findings_project_state", "project", "state"),
)

things = Table(
    "gate_finding_things",  # what a finding is about
    metadata,
    Column("finding", String(32), primary_key=True),
    Column("thing", String(400), primary_key=True, index=True),
)
