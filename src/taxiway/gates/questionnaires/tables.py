"""Tables of questionnaires."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table, Text

from taxiway.gates.questionnaires.law import Answer, Question, Reading, Stop, TierRule
from taxiway.storage.database import Json, Moment, metadata

questionnaires = Table(
    "gate_questionnaires",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(80), nullable=False),
    Column("title", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("questions", Json(list[Question]), nullable=False),
    Column("tiers", Json(list[TierRule]), nullable=False),
    Column("stops", Json(list[Stop]), nullable=False),
    Column("text", Text, nullable=False),
    Column("published_by", String(64), nullable=False),
    Column("published_at", Moment, nullable=False),
)

sheets = Table(
    "gate_sheets",  # only ever added to
    metadata,
    Column("id", String(32), primary_key=True),
    Column("model", String(300), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("project", String(64), nullable=False),
    Column("questionnaire", String(80), nullable=False),
    Column("digest", String(80), nullable=False),
    Column("answers", Json(dict[str, Answer]), nullable=False),
    Column("reading", Json(Reading), nullable=False),
    Column("by", String(64), nullable=False),
    Column("roles", Json(list[str]), nullable=False),
    Column("at", Moment, nullable=False),
    Column("note", Text, nullable=False),
    Column("taken_from", String(32), nullable=False),
)
