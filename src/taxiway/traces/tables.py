"""Tables of traces."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, String, Table, Text

from taxiway.storage.database import Json, Moment, metadata
from taxiway.traces.contract import Span

LONGEST_HEAD = 64  # how much of a text is indexed, as for the tags of runs

traces = Table(
    "traces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("experiment", Integer, nullable=False),
    Column("project", String(64), nullable=False),
    Column("state", String(7), nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("duration_ms", BigInteger),
    Column("client_id", String(250)),
    Column("request", Text),
    Column("response", Text),
    Column("spans", Integer, nullable=False),
    Column("is_told", Boolean, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("added_at", Moment, nullable=False),
    Index(None, "experiment", "started_ms"),
    Index(None, "project", "started_ms"),
)

spans = Table(
    "trace_spans",
    metadata,
    Column("trace", String(64), primary_key=True),
    Column("id", String(16), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(250), nullable=False),
    Column("state", String(5), nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("content", Json(Span), nullable=False),
)

# What a program said in pairs: `tag` may change, `fact` comes with the trace.
marks = Table(
    "trace_marks",
    metadata,
    Column("trace", String(64), primary_key=True),
    Column("kind", String(4), primary_key=True),
    Column("key", String(250), primary_key=True),
    Column("text", Text, nullable=False),
    Column("head", String(LONGEST_HEAD), nullable=False),
    Index(None, "kind", "key", "head", "trace"),
)

remarks = Table(
    "trace_remarks",
    metadata,
    Column("trace", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(250), nullable=False),
    Column("kind", String(11), nullable=False),
    Column("content", Json(dict[str, Any]), nullable=False),
    Column("value", Text),  # what it says, as text, and where that is a number, as one: to be searched
    Column("number", Float),
    Column("made_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
)

links = Table(
    "trace_runs",
    metadata,
    Column("trace", String(64), primary_key=True),
    Column("run", String(32), primary_key=True, index=True),
)

files = Table(
    "trace_files",
    metadata,
    Column("trace", String(64), primary_key=True),
    Column("path", String(1000), primary_key=True),
    Column("digest", String(71), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("added_at", Moment, nullable=False),
)
