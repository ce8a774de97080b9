"""Tables of datasets."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from taxiway.datasets.contract import Profile, StoredColumn
from taxiway.datasets.terms import Contract, ContractResult
from taxiway.storage.database import Json, Moment, metadata

versions = Table(
    "dataset_versions",
    metadata,
    Column("project", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(71), nullable=False, index=True),
    Column("table", String(71), nullable=False, index=True),
    Column("fingerprint", String(71), nullable=False),
    Column("format", String(10), nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("columns", Json(list[StoredColumn]), nullable=False),
    Column("contract", Json(Contract)),
    Column("result", Json(ContractResult)),
    Column("passed", Boolean),
    Column("derived_from", Json(list[str]), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
)

profiles = Table(
    "dataset_profiles",
    metadata,
    Column("project", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("profile", Json(Profile), nullable=False),
)
