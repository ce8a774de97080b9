"""Tables of gates."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Integer, String, Table, Text

from taxiway.gates.contract import Digests, GateStage, Outcome, PathStage
from taxiway.gates.exceptions.passed import Leeway
from taxiway.projects.contract import RiskTier
from taxiway.storage.database import Json, Moment, metadata

paths = Table(
    "gate_paths",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(80), nullable=False, index=True),
    Column("risk", Json(list[RiskTier]), nullable=False),
    Column("aliases", Json(dict[GateStage, str]), nullable=False),
    Column("stages", Json(list[PathStage]), nullable=False),
    Column("mode", String(20), nullable=False),
    Column("platform", Json(list[RiskTier]), nullable=False),
    Column("leeway", Json(Leeway), nullable=False),
    Column("text", Text, nullable=False),
    Column("published_by", String(64), nullable=False),
    Column("accepted_by", String(64), nullable=False),
    Column("published_at", Moment, nullable=False),
)

evidence = Table(
    "gate_evidence",  # only ever added to
    metadata,
    Column("key", String(80), primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("gate", String(80), nullable=False),
    Column("check", String(64), nullable=False),
    Column("parameters", Json(dict[str, Any]), nullable=False),
    Column("path", String(100), nullable=False),
    Column("path_digest", String(80), nullable=False),
    Column("inputs", Json(dict[str, str]), nullable=False),
    Column("outcome", Json(Outcome), nullable=False),
    Column("tools", Json(dict[str, str]), nullable=False),
    Column("author", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

approvals = Table(
    "gate_approvals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("stage", String(20), nullable=False),
    Column("by", String(64), nullable=False),
    Column("role", String(20), nullable=False),
    Column("comment", Text, nullable=False),
    Column("digests", Json(Digests), nullable=False),
    Column("at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("withdrawn_at", Moment),
    Column("withdrawn_because", Text, nullable=False),
    Column("on_behalf_of", String(64), nullable=False),  # who delegated the role; empty where it is their own
)

requests = Table(
    "gate_requests",
    metadata,
    Column("model", String(300), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("stage", String(20), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("by", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("earlier", Json(list[str]), nullable=False),  # who asked before, where it was asked anew
)
