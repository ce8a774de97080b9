"""Tables of runs. Rows of metrics, parameters and tags name their run and key by small integers: they are many."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine

from taxiway.runs.again.sameness import Reproduction
from taxiway.runs.contract import Code, Environment, Predictions
from taxiway.storage.database import Json, Moment, metadata
from taxiway.storage.exact import ExactFloat

LONGEST_HEAD = 64  # how much of a text is indexed; PostgreSQL refuses index rows beyond some 2,700 bytes


def exact(length: int) -> TypeEngine[str]:
    """A text that sorts and compares by code point on both databases, whatever language PostgreSQL was set up for."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


experiments = Table(
    "experiments",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("project", String(64), nullable=False),
    Column("name", exact(500), nullable=False),
    Column("location", Text, nullable=False, server_default=""),  # a label that a client gave, or a registered store
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("changed_at", Moment, nullable=False),
    Column("deleted_at", Moment),
    UniqueConstraint("project", "name"),
    sqlite_autoincrement=True,  # a number is never given again: other systems' clients know experiments by it
)

experiment_tags = Table(
    "experiment_tags",
    metadata,
    Column("experiment", Integer, primary_key=True, autoincrement=False),
    Column("key", exact(250), primary_key=True),
    Column("text", Text, nullable=False),
    sqlite_with_rowid=False,
)

runs = Table(
    "runs",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("id", String(32), nullable=False, unique=True),
    Column("experiment", Integer, ForeignKey("experiments.number"), nullable=False),
    Column("project", String(64), nullable=False),
    Column("name", exact(1000), nullable=False),
    Column("status", String(10), nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("user", exact(250), nullable=False, server_default=""),  # whom the client named, a label
    Column("location", Text, nullable=False, server_default=""),  # where its files are, if not with us
    Column("started_at", Moment, nullable=False, index=True),
    Column("heard_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("cpu_s", Float),
    Column("exit_code", Integer),
    Column("failure", Text, nullable=False),
    Column("command", Json(list[str]), nullable=False),
    Column("code", Json(Code)),
    Column("environment", String(71)),
    Column("sealed", String(71), nullable=False),
    Column("deleted_at", Moment),  # when it went to the trash
    Index(
        None, "deleted_at", sqlite_where=text("deleted_at IS NOT NULL"), postgresql_where=text("deleted_at IS NOT NULL")
    ),
    Index(None, "experiment", "started_at"),
    Index(None, "project", "started_at"),
    sqlite_autoincrement=True,
)

keys = Table(
    "run_keys",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("name", String(250), nullable=False, unique=True),
)

params = Table(
    "run_params",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(5), nullable=False),  # str, bool, int, float
    Column("text", Text, nullable=False),
    Column("head", exact(LONGEST_HEAD), nullable=False),
    Column("value", Float),  # where it is a number other than NaN
    Index(None, "key", "head", "run"),
    Index(None, "key", "value", "run"),
    sqlite_with_rowid=False,
)

tags = Table(
    "run_tags",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("text", Text, nullable=False),
    Column("head", exact(LONGEST_HEAD), nullable=False),
    Index(None, "key", "head", "run"),
    sqlite_with_rowid=False,
)

# Full text: the words of a run's name, note and tags. Our own index, so that both databases find the same.
words = Table(
    "run_words",
    metadata,
    Column("word", exact(LONGEST_HEAD), primary_key=True),
    Column("run", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

views = Table(
    "run_views",
    metadata,
    Column("project", String(64), primary_key=True),  # "" is the list over all projects
    Column("name", String(100), primary_key=True),
    Column("query", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)

# A NaN is stored as NULL, because SQLite would make it one anyway: comparisons leave it out, orders put it last.
latest = Table(
    "run_latest",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("value", ExactFloat),
    Column("step", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("low", Float),  # of all values that are numbers
    Column("high", Float),
    Column("points", BigInteger, nullable=False),
    Column("sealed", BigInteger, nullable=False),  # how many of the points are in segments
    Index(None, "key", "value", "run"),
    sqlite_with_rowid=False,
)

# The open tail of every series. Writer and sequence in its key keep honest duplicates and apply a repeat once.
points = Table(
    "run_points",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("key", Integer, primary_key=True, autoincrement=False),
    Column("writer", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("step", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("value", ExactFloat),
    sqlite_with_rowid=False,
)

# The sealed parts of series: up to 4096 points each, in order, with the ends of what they hold.
segments = Table(
    "run_segments",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("key", Integer, nullable=False),
    Column("points", Integer, nullable=False),
    Column("first_step", BigInteger, nullable=False),
    Column("last_step", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("low", Float),
    Column("high", Float),
    Column("data", LargeBinary, nullable=False),
    Index(None, "run", "key", "points"),
)

writers = Table(
    "run_writers",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("writer", String(32), nullable=False),
    UniqueConstraint("run", "writer"),
    sqlite_autoincrement=True,
)

batches = Table(
    "run_batches",
    metadata,
    Column("writer", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("size", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    sqlite_with_rowid=False,
)

artifacts = Table(
    "run_artifacts",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("path", String(1000), primary_key=True),
    Column("digest", String(71), nullable=False, index=True),
    Column("size_bytes", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("added_at", Moment, nullable=False),
    Column("predictions", Json(Predictions)),
)

inputs = Table(
    "run_inputs",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("dataset", String(300), primary_key=True),
)

# Data that other systems' clients say a run read: described by them, not pinned by us as `inputs` are.
sources = Table(
    "run_sources",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("experiment", Integer, nullable=False),
    Column("name", exact(500), nullable=False),
    Column("digest", exact(36), nullable=False),
    Column("source_type", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("profile", Text, nullable=False),
    UniqueConstraint("experiment", "name", "digest"),
)

readings = Table(
    "run_readings",
    metadata,
    Column("run", Integer, primary_key=True, autoincrement=False),
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("name", exact(500), nullable=False),
    Column("digest", exact(36), nullable=False),
    Column("context", exact(500), nullable=False),  # what for, such as training
    Column("tags", Json(dict[str, str]), nullable=False),
    Index(None, "name", "run"),
    Index(None, "digest", "run"),
    sqlite_with_rowid=False,
)

# A run done again, as it was found when it was held against the first. What was found never changes.
reproductions = Table(
    "run_reproductions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("run", Integer, ForeignKey("runs.number"), nullable=False, index=True),
    Column("again", String(32), nullable=False),
    Column("verdict", String(20), nullable=False),
    Column("found", Json(Reproduction), nullable=False),
    Column("at", Moment, nullable=False),
)

environments = Table(
    "run_environments",
    metadata,
    Column("digest", String(71), primary_key=True),
    Column("environment", Json(Environment), nullable=False),
    Column("packages", Json(dict[str, str]), nullable=False),
)
