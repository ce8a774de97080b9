"""Queries of waivers and broken glass."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Select, Table, insert, select, update

from taxiway.gates.exceptions.contract import Waiver
from taxiway.gates.exceptions.passed import BrokenGlass
from taxiway.gates.exceptions.tables import broken, waivers


def waivers_of(connection: Connection, model: str, version: int) -> list[Waiver]:
    """Newest first, as they are kept: what they count for is judged elsewhere."""
    return read(connection, select(waivers).where(waivers.c.model == model, waivers.c.version == version))


def living_waivers(connection: Connection, projects: list[str] | None, at: datetime) -> list[Waiver]:
    """Those that are not revoked and have not run out, newest first. projects: None is all."""
    query = select(waivers).where(waivers.c.revoked_at.is_(None), waivers.c.until > at)
    return read(connection, query if projects is None else query.where(waivers.c.project.in_(projects)))


def read(connection: Connection, query: Select[Any]) -> list[Waiver]:
    rows = connection.execute(query.order_by(waivers.c.asked_at.desc(), waivers.c.id.desc())).mappings()
    return [Waiver(**{name: value for name, value in row.items() if name != "is_told"}) for row in rows]


def add_waiver(connection: Connection, waiver: Waiver) -> None:
    connection.execute(insert(waivers).values(**row_of(waivers, waiver), is_told=False))


def keep_waiver(connection: Connection, waiver: Waiver) -> None:
    connection.execute(update(waivers).where(waivers.c.id == waiver.id).values(row_of(waivers, waiver)))


def broken_of(connection: Connection, model: str, version: int) -> list[BrokenGlass]:
    """Newest first."""
    return read_broken(connection, select(broken).where(broken.c.model == model, broken.c.version == version))


def read_broken(connection: Connection, query: Select[Any]) -> list[BrokenGlass]:
    rows = connection.execute(query.order_by(broken.c.at.desc(), broken.c.id.desc())).mappings()
    return [BrokenGlass(**{name: value for name, value in row.items() if name != "is_told"}) for row in rows]


def add_broken(connection: Connection, glass: BrokenGlass) -> None:
    connection.execute(insert(broken).values(**row_of(broken, glass), is_told=False))


def ended(connection: Connection, at: datetime) -> tuple[list[Waiver], list[BrokenGlass]]:
    """What was in force, has run out, and nobody was told of."""
    was_granted = (waivers.c.granted_at.is_not(None), waivers.c.revoked_at.is_(None))
    query = select(waivers).where(waivers.c.is_told.is_(False), waivers.c.until <= at, *was_granted)
    glass = select(broken).where(broken.c.is_told.is_(False), broken.c.until <= at)
    return read(connection, query), read_broken(connection, glass)


def told(connection: Connection, which: Waiver | BrokenGlass) -> bool:
    """False where it was told before, such as by another server."""
    table = waivers if isinstance(which, Waiver) else broken
    query = update(table).where(table.c.id == which.id, table.c.is_told.is_(False))
    return connection.execute(query.values(is_told=True)).rowcount == 1


def rename_model(connection: Connection, before: str, to: str) -> None:
    """What is known of a model follows its name."""
    for table in (waivers, broken):
        connection.execute(update(table).where(table.c.model == before).values(model=to))


def row_of(table: Table, record: Waiver | BrokenGlass) -> dict[str, Any]:
    return {name: value for name, value in asdict(record).items() if name in table.c}
