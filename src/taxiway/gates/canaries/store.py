"""Queries of how canaries ended."""

from __future__ import annotations

from msgspec.structs import replace
from sqlalchemy import Connection, insert, select, update

from taxiway.gates.canaries.contract import CanaryEvidence
from taxiway.gates.canaries.tables import canary_evidence


def add(connection: Connection, evidence: CanaryEvidence) -> None:
    row = {"id": evidence.id, "model": evidence.model, "version": evidence.version, "at": evidence.at}
    connection.execute(insert(canary_evidence).values(**row, evidence=evidence))


def canaries_of(connection: Connection, model: str, version: int) -> list[CanaryEvidence]:
    """Newest first."""
    mine = (canary_evidence.c.model == model, canary_evidence.c.version == version)
    query = select(canary_evidence.c.evidence).where(*mine).order_by(canary_evidence.c.id.desc())
    return [replace(each, model=model) for each in connection.execute(query).scalars()]


def rename_model(connection: Connection, before: str, to: str) -> None:
    connection.execute(update(canary_evidence).where(canary_evidence.c.model == before).values(model=to))
