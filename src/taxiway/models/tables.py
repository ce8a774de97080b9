"""Tables of models."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text, UniqueConstraint

from taxiway.models.bundle import Manifest
from taxiway.models.contract import Evaluation
from taxiway.storage.database import Json, Moment, metadata

models = Table(
    "models",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)

versions = Table(
    "model_versions",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("bundle", String(80), nullable=False, index=True),
    Column("manifest", Json(Manifest), nullable=False),
    Column("datasets", Json(list[str]), nullable=False),
    Column("risk", String(10), nullable=False),
    Column("evaluation", Json(Evaluation)),
    Column("stage", String(20), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("model", "bundle"),
)

stages = Table(
    "model_version_stages",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("stage", String(20), nullable=False),
    Column("entered_at", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
)

aliases = Table(
    "model_aliases",
    metadata,
    Column("model", String(64), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("moved_by", String(64), nullable=False),
    Column("moved_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
)

card_texts = Table(
    "model_card_texts",  # what people entered; what is recorded is read from where it was recorded
    metadata,
    Column("model", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)
