"""Tables of endpoints. Inferences are no rows here: they are in the inference log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from taxiway.endpoints.contract import LabelValue
from taxiway.endpoints.gateway.configuration import Configuration
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.guard import Cause
from taxiway.endpoints.rollout.split import Split
from taxiway.endpoints.setup import Setup
from taxiway.endpoints.steering.counters import Counters
from taxiway.gates.contract import Standing
from taxiway.storage.database import Json, Moment, metadata

endpoints = Table(
    "endpoints",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("project", String(64), nullable=False, index=True),
    Column("serves", String(20), nullable=False),
    Column("active", Integer, nullable=False),
    Column("is_stopped", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_by", String(64), nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("stopped_by", String(64), nullable=False),
    Column("stopped_at", Moment),
    Column("fallback", Json(dict[str, Any] | None)),  # what each row is answered with while it is stopped
    Column("rollout", Json(Rollout), nullable=False),  # how its requests are divided
)

revisions = Table(
    "endpoint_revisions",
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("bundle", String(80), nullable=False),
    Column("workers", Integer, nullable=False),
    Column("may_run_code", Boolean, nullable=False),
    Column("setup", Json(Setup), nullable=False),
    Column("note", Text, nullable=False),
    Column("standing", Json(Standing)),  # how the gates stood when it was deployed
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("live_at", Moment),
    Column("refusal", Text, nullable=False),  # why the gateway did not take it; empty where it did
    Column("fell_at", Moment),  # when it gave its traffic back by itself, for `refusal`
    Column("counted", Json(Counters), nullable=False),  # all that was ever counted of it
    Column("seen", Json(Counters), nullable=False),  # the gateway's own counters when they were last read
)

splits = Table(
    "endpoint_splits",  # every split that was declared
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("split", Json(Split), nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause", Text, nullable=False),  # why the gateway went back by itself; empty where somebody chose it
)

falls = Table(
    "endpoint_falls",  # revisions that gave their traffic back by themselves
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),  # of the split that it fell from
    Column("revision", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("to", Json(Split), nullable=False),
    Column("cause", Json(Cause), nullable=False),
    Column("log_tail", Json(list[str]), nullable=False),
)

traffic = Table(
    "endpoint_traffic",
    metadata,
    Column("endpoint", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("minute_at", Moment, primary_key=True),
    Column("requests", BigInteger, nullable=False),
    Column("errors", BigInteger, nullable=False),
    Column("p50_ms", Float),
    Column("p99_ms", Float),
)

labels = Table(
    "endpoint_labels",
    metadata,
    Column("prediction_id", String(32), primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("endpoint", String(64), nullable=False),
    Column("label", Json(LabelValue), nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Index("ix_endpoint_labels_endpoint_recorded_at", "endpoint", "recorded_at"),
)

configurations = Table(
    "gateway_configurations",  # one row: what the gateway should serve now
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("serial", BigInteger, nullable=False),
    Column("configuration", Json(Configuration), nullable=False),
)
