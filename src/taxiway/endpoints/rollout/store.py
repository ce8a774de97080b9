"""Queries of splits that were, and of revisions that fell."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select

from taxiway.endpoints.rollout.contract import SplitEntry
from taxiway.endpoints.rollout.falls import Fall
from taxiway.endpoints.tables import falls, splits

MOST_ENTRIES = 50


def add_split(connection: Connection, endpoint: str, entry: SplitEntry) -> None:
    values = {name: getattr(entry, name) for name in entry.__struct_fields__}
    connection.execute(insert(splits).values(endpoint=endpoint, **values))


def splits_of(connection: Connection, endpoint: str) -> list[SplitEntry]:
    """The latest, newest first."""
    query = select(splits).where(splits.c.endpoint == endpoint).order_by(splits.c.number.desc()).limit(MOST_ENTRIES)
    return [
        SplitEntry(**{name: row[name] for name in SplitEntry.__struct_fields__})
        for row in connection.execute(query).mappings()
    ]


def find_split(connection: Connection, endpoint: str, number: int) -> SplitEntry | None:
    query = select(splits).where(splits.c.endpoint == endpoint, splits.c.number == number)
    row = connection.execute(query).mappings().first()
    return SplitEntry(**{name: row[name] for name in SplitEntry.__struct_fields__}) if row else None


def add_fall(connection: Connection, fall: Fall) -> None:
    connection.execute(insert(falls).values({name: getattr(fall, name) for name in fall.__struct_fields__}))


def has_fall(connection: Connection, fall: Fall) -> bool:
    here = (falls.c.endpoint == fall.endpoint, falls.c.number == fall.number, falls.c.revision == fall.revision)
    return connection.execute(select(falls.c.at).where(*here)).first() is not None


def last_fall(connection: Connection, endpoint: str) -> Fall | None:
    query = select(falls).where(falls.c.endpoint == endpoint).order_by(falls.c.at.desc()).limit(1)
    row = connection.execute(query).mappings().first()
    return Fall(**row) if row else None
