"""Queries of how inference logs are kept."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, insert, select, update

from taxiway.endpoints.inferences.logs.tables import logs
from taxiway.endpoints.inferences.policy import LogPolicy


class KeptPolicy(Struct, frozen=True):
    """How an endpoint's log is kept, since when and by whose word."""

    endpoint: str
    policy: LogPolicy
    reason: str
    changed_by: str
    changed_at: datetime


def find(connection: Connection, endpoint: str) -> KeptPolicy | None:
    row = connection.execute(select(logs).where(logs.c.endpoint == endpoint)).mappings().first()
    return KeptPolicy(**row) if row else None


def policies(connection: Connection) -> dict[str, LogPolicy]:
    """By endpoint; of those alone whose policy was ever changed."""
    return {row.endpoint: row.policy for row in connection.execute(select(logs.c.endpoint, logs.c.policy))}


def keep(connection: Connection, kept: KeptPolicy) -> None:
    values = asdict(kept)
    if connection.execute(update(logs).where(logs.c.endpoint == kept.endpoint).values(values)).rowcount == 0:
        connection.execute(insert(logs).values(values))
