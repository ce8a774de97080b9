"""Queries of external endpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import asdict
from sqlalchemy import Connection, insert, select, update

from taxiway.endpoints.external.tables import externals, fed

AT_ONCE = 400


class Known(Struct, frozen=True):
    """A row that was fed: what it is called here, and the digest of its answer."""

    given: str
    row: int
    prediction_id: str
    digest: str


def hashed(given: str) -> str:
    """What the other side's id is kept as."""
    return hashlib.sha256(given.encode()).hexdigest()


def urls(connection: Connection) -> dict[str, str]:
    """Where each external endpoint answers; empty where nobody said."""
    return {row.endpoint: row.url for row in connection.execute(select(externals))}


def is_external(connection: Connection, endpoint: str) -> bool:
    query = select(externals.c.endpoint).where(externals.c.endpoint == endpoint)
    return connection.execute(query).first() is not None


def keep(connection: Connection, endpoint: str, url: str) -> None:
    here = update(externals).where(externals.c.endpoint == endpoint).values(url=url)
    if connection.execute(here).rowcount == 0:
        connection.execute(insert(externals).values(endpoint=endpoint, url=url))


def known(connection: Connection, endpoint: str, given: Collection[str]) -> list[Known]:
    """The rows of these requests that were fed, by the hashes of the other side's ids."""
    wanted, found = sorted(given), []
    columns = (fed.c.given, fed.c.row, fed.c.prediction_id, fed.c.digest)
    for start in range(0, len(wanted), AT_ONCE):
        query = select(*columns).where(fed.c.endpoint == endpoint, fed.c.given.in_(wanted[start : start + AT_ONCE]))
        found += [Known(**row) for row in connection.execute(query).mappings()]
    return found


def own_ids(connection: Connection, endpoint: str, given: Collection[str]) -> dict[str, str]:
    """What fed predictions are called here, by the other side's ids."""
    names = {hashed(each): each for each in given}
    return {names[each.given]: each.prediction_id for each in known(connection, endpoint, names.keys())}


def add(connection: Connection, endpoint: str, rows: list[Known]) -> None:
    if rows:
        connection.execute(insert(fed), [{"endpoint": endpoint, **asdict(each)} for each in rows])


def called_here(connection: Connection, given: str) -> list[tuple[str, str]]:
    """What requests are called here that the other side calls `given`, each with its endpoint."""
    query = select(fed.c.endpoint, fed.c.prediction_id).where(fed.c.given == hashed(given)).distinct()
    return [(row.endpoint, row.prediction_id) for row in connection.execute(query)]
