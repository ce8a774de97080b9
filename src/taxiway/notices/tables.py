"""The tables of notices."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from taxiway.storage.database import Moment, metadata

notices = Table(
    "notices",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("key", String(500), nullable=False),  # what it is about: of those to be done one waits per key and person
    Column("kind", String(10), nullable=False),
    Column("is_todo", Boolean, nullable=False),
    Column("project", String(64), nullable=False),
    Column("thing", String(400), nullable=False),
    Column("what", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("read_at", Moment),
    Column("done_at", Moment),
    Column("gone_at", Moment),
    Column("letter", String(32), nullable=False, index=True),
    Index(None, "person", "done_at", "gone_at"),
    Index(None, "project", "is_todo", "gone_at"),
)

people = Table(
    "notice_people",
    metadata,
    Column("person", String(64), primary_key=True),
    Column("address", Text, nullable=False),
    Column("delivery", String(10), nullable=False),
    Column("hour", Integer, nullable=False),
)

# E-mails, written with what they tell of.
letters = Table(
    "notice_letters",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("person", String(64), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("tried_at", Moment),
    Column("error", Text, nullable=False),
    Index(None, "state", "due_at"),
)

# Projects in which something changed since what waits in them was last written down.
marks = Table(
    "notice_marks",
    metadata,
    Column("project", String(64), primary_key=True),
    Column("serial", String(32), nullable=False),
)
