"""Queries of canaries."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from taxiway.endpoints.canary.contract import Canary, Totals, Verdict
from taxiway.endpoints.canary.tables import canaries, clusters, looks


def add(connection: Connection, canary: Canary) -> None:
    row = {"id": canary.id, "endpoint": canary.endpoint, "state": canary.state}
    connection.execute(insert(canaries).values(**row, canary=canary))


def keep(connection: Connection, canary: Canary) -> None:
    here = canaries.c.id == canary.id
    connection.execute(update(canaries).where(here).values(state=canary.state, canary=canary))


def find(connection: Connection, id_: str) -> Canary | None:
    return connection.execute(select(canaries.c.canary).where(canaries.c.id == id_)).scalar()


def latest(connection: Connection, endpoint: str) -> Canary | None:
    query = select(canaries.c.canary).where(canaries.c.endpoint == endpoint).order_by(canaries.c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def running(connection: Connection) -> list[Canary]:
    query = select(canaries.c.canary).where(canaries.c.state == "running").order_by(canaries.c.id)
    return list(connection.execute(query).scalars())


def add_clusters(connection: Connection, id_: str, found: list[Totals], after: int) -> None:
    rows = [{"canary": id_, "number": after + at, "totals": each} for at, each in enumerate(found, 1)]
    if rows:
        connection.execute(insert(clusters), rows)


def clusters_of(connection: Connection, id_: str) -> list[Totals]:
    """In the order in which they became whole."""
    query = select(clusters.c.totals).where(clusters.c.canary == id_).order_by(clusters.c.number)
    return list(connection.execute(query).scalars())


def add_look(connection: Connection, id_: str, verdict: Verdict, at: datetime) -> None:
    connection.execute(insert(looks).values(canary=id_, clusters=verdict.clusters, at=at, verdict=verdict))


def looks_of(connection: Connection, id_: str) -> list[Verdict]:
    """Oldest first."""
    query = select(looks.c.verdict).where(looks.c.canary == id_).order_by(looks.c.clusters)
    return list(connection.execute(query).scalars())
