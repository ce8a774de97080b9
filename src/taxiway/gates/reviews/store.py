"""Queries of reviews."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import asdict
from sqlalchemy import Connection, insert, select, update

from taxiway.gates.reviews.contract import Inventoried, Review
from taxiway.gates.reviews.tables import reviews, told


def add(connection: Connection, review: Review) -> None:
    connection.execute(insert(reviews).values(asdict(review)))


def reviews_of(connection: Connection, model: str, version: int) -> list[Review]:
    """Newest first."""
    query = select(reviews).where(reviews.c.model == model, reviews.c.version == version)
    query = query.order_by(reviews.c.at.desc(), reviews.c.id.desc())
    return [Review(**row) for row in connection.execute(query).mappings()]


def rename_model(connection: Connection, before: str, to: str) -> None:
    for table in (reviews, told):
        connection.execute(update(table).where(table.c.model == before).values(model=to))


def is_told(connection: Connection, entry: Inventoried) -> bool:
    here = (told.c.model == entry.model, told.c.version == entry.version, told.c.due_at == entry.due_at)
    return connection.execute(select(told.c.at).where(*here)).first() is not None


def tell(connection: Connection, entry: Inventoried, at: datetime) -> None:
    connection.execute(insert(told).values(model=entry.model, version=entry.version, due_at=entry.due_at, at=at))
