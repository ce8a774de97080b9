"""Tables of models."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table, Text

from taxiway.models.bundles.bundle import Manifest
from taxiway.models.contract import Evaluation
from taxiway.storage.database import Json, Moment, metadata

LONGEST_NAME = 300

# A model that was deleted keeps its row, and so do its versions: a number is given once under a name.
models = Table(
    "models",
    metadata,
    Column("name", String(LONGEST_NAME), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("numbered", Integer, nullable=False),  # the highest version there ever was
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("deleted_at", Moment),
)

versions = Table(
    "model_versions",
    metadata,
    Column("model", String(LONGEST_NAME), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("bundle", String(80), nullable=False, index=True),  # empty for a version that only names its source
    Column("manifest", Json(Manifest)),
    Column("source", Text, nullable=False),
    Column("run", String(32), index=True),
    Column("run_label", String(300), nullable=False),  # the run as whoever registered it wrote it
    Column("folder", String(1000)),  # where in the run, or in the logged model, its files lie
    Column("logged_model", String(34), nullable=False, index=True),
    Column("unfit", Text, nullable=False),
    Column("datasets", Json(list[str]), nullable=False),
    Column("risk", String(10), nullable=False),
    Column("evaluation", Json(Evaluation)),
    Column("stage", String(20), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    Index(None, "model", "bundle"),
)

stages = Table(
    "model_version_stages",
    metadata,
    Column("model", String(LONGEST_NAME), primary_key=True),
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
    Column("model", String(LONGEST_NAME), primary_key=True),
    Column("alias", String(255), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("moved_by", String(64), nullable=False),
    Column("moved_at", Moment, nullable=False),
    Column("reason", Text, nullable=False),
)

card_texts = Table(
    "model_card_texts",  # what people entered; what is recorded is read from where it was recorded
    metadata,
    Column("model", String(LONGEST_NAME), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("field", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

# Tags of a model, and with a number those of its version.
tags = Table(
    "model_tags",
    metadata,
    Column("model", String(LONGEST_NAME), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),  # 0: the model's own
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

# --- what runs made, before it is registered ---

logged_models = Table(
    "logged_models",
    metadata,
    Column("id", String(34), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("experiment", Integer, nullable=False, index=True),
    Column("name", String(500), nullable=False),
    Column("kind", String(500), nullable=False),
    Column("status", String(10), nullable=False),
    Column("status_message", Text, nullable=False),
    Column("run", String(32), nullable=False, index=True),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("deleted_at", Moment),
)

logged_tags = Table(
    "logged_model_tags",
    metadata,
    Column("model", String(34), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

logged_params = Table(
    "logged_model_params",
    metadata,
    Column("model", String(34), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("value", Text, nullable=False),
)

logged_files = Table(
    "logged_model_files",
    metadata,
    Column("model", String(34), primary_key=True),
    Column("path", String(1000), primary_key=True),
    Column("digest", String(71), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("added_at", Moment, nullable=False),
)

# One point for each key, run and data: the newest by step, time and value. A NaN is NULL.
logged_metrics = Table(
    "logged_model_metrics",
    metadata,
    Column("model", String(34), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("run", String(32), primary_key=True),
    Column("dataset", String(500), primary_key=True),
    Column("dataset_digest", String(36), primary_key=True),
    Column("value", Float),
    Column("step", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Index(None, "key", "value"),
)

# What a run took in or brought forth, of models that were logged before.
logged_uses = Table(
    "logged_model_uses",
    metadata,
    Column("run", String(32), primary_key=True),
    Column("model", String(34), primary_key=True),
    Column("role", String(10), primary_key=True),  # input, output
    Column("step", BigInteger, nullable=False),
)
