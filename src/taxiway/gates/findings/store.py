"""Queries of findings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Select, insert, select, update

from taxiway.gates.findings.contract import Finding
from taxiway.gates.findings.tables import findings, things


def find(connection: Connection, finding: str, at: datetime) -> Finding | None:
    found = read(connection, select(findings).where(findings.c.id == finding), at)
    return found[0] if found else None


def about(connection: Connection, refs: Collection[str], at: datetime) -> list[Finding]:
    """Those about any of the things that are not closed."""
    here = select(things.c.finding).where(things.c.thing.in_(refs))
    return read(connection, select(findings).where(findings.c.id.in_(here), findings.c.state != "closed"), at)


def select_of(connection: Connection, projects: list[str] | None, thing: str, at: datetime) -> list[Finding]:
    """Those of the projects (None is all), about a thing where one is given."""
    query = select(findings)
    if projects is not None:
        query = query.where(findings.c.project.in_(projects))
    if thing:
        query = query.where(findings.c.id.in_(select(things.c.finding).where(things.c.thing == thing)))
    return read(connection, query, at)


def read(connection: Connection, query: Select[Any], at: datetime) -> list[Finding]:
    rows = connection.execute(query.order_by(findings.c.opened_at, findings.c.id)).mappings().all()
    named: dict[str, list[str]] = {row["id"]: [] for row in rows}
    if named:
        kept = select(things).where(things.c.finding.in_(named)).order_by(things.c.thing)
        for each in connection.execute(kept).mappings():
            named[each["finding"]].append(each["thing"])
    return [
        Finding(**row, things=named[row["id"]], is_overdue=row["state"] != "closed" and row["due_at"] <= at)
        for row in rows
    ]


def add(connection: Connection, finding: Finding) -> None:
    connection.execute(insert(findings).values(row_of(finding)))
    connection.execute(insert(things), [{"finding": finding.id, "thing": thing} for thing in finding.things])


def change(connection: Connection, finding: Finding) -> None:
    connection.execute(update(findings).where(findings.c.id == finding.id).values(row_of(finding)))


def row_of(finding: Finding) -> dict[str, Any]:
    return {name: value for name, value in asdict(finding).items() if name in findings.c}


def rename_model(connection: Connection, before: str, to: str) -> None:
    """What is known of a model follows its name."""
    head = f"model:{before}"
    for row in connection.execute(select(things).where(things.c.thing.startswith(head, autoescape=True))).mappings():
        if row["thing"] == head or row["thing"].startswith(f"{head}@"):
            here = (things.c.finding == row["finding"], things.c.thing == row["thing"])
            connection.execute(update(things).where(*here).values(thing=f"model:{to}{row['thing'][len(head) :]}"))
