"""Queries of movements that gates watched."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import Connection, insert, select, update

from taxiway.gates.observing.contract import Observation
from taxiway.gates.observing.tables import observations


def add(connection: Connection, seen: Observation) -> None:
    connection.execute(insert(observations).values(asdict(seen)))


def of_path(connection: Connection, path: str, projects: list[str] | None, most: int) -> list[Observation]:
    """Newest first; `projects` limits whose, None is everyone's."""
    query = select(observations).where(observations.c.path == path)
    if projects is not None:
        query = query.where(observations.c.project.in_(projects))
    query = query.order_by(observations.c.id.desc()).limit(most)
    return [Observation(**row) for row in connection.execute(query).mappings()]


def rename_model(connection: Connection, before: str, to: str) -> None:
    connection.execute(update(observations).where(observations.c.model == before).values(model=to))
