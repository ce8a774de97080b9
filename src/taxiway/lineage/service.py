"""The rule of lineage: edges are added with the change that makes them, and never taken away."""

from __future__ import annotations

from sqlalchemy import Connection, insert, or_, select

from taxiway.audit.service import Record
from taxiway.kernel.errors import BadField
from taxiway.lineage.contract import Edge, Graph, WalkFrom
from taxiway.lineage.tables import edges
from taxiway.storage.database import Database

MOST_STEPS = 50


def draw_edge(record: Record, *, source: str, verb: str, target: str, project: str) -> None:
    """Adds an edge within a change. An edge that is there already stays as it was."""
    known = select(edges.c.at).where(edges.c.source == source, edges.c.verb == verb, edges.c.target == target)
    if record.connection.execute(known).first() is None:
        row = {"source": source, "verb": verb, "target": target, "project": project, "at": record.at}
        record.connection.execute(insert(edges).values(row))


class Lineage:
    """Walks over the edges."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def walk(self, ask: WalkFrom, projects: list[str] | None = None) -> Graph:
        """Every edge on a way into the thing (upstream) or out of it (downstream), oldest first.

        Upstream edges are followed up only and downstream edges down only, so that siblings stay out.
        projects: what the caller may see; None is everything.
        """
        if not 1 <= ask.steps <= MOST_STEPS:
            raise BadField(field="steps", value=str(ask.steps), expected=f"a number from 1 to {MOST_STEPS}")
        found: dict[tuple[str, str, str], Edge] = {}
        with self.database.read() as connection:
            for is_up in (True, False):
                frontier, seen = {ask.thing}, {ask.thing}
                for _ in range(ask.steps):
                    step = edges_at(connection, frontier, is_up=is_up, projects=projects)
                    found.update({(e.source, e.verb, e.target): e for e in step})
                    frontier = {e.source if is_up else e.target for e in step} - seen
                    seen |= frontier
                    if not frontier:
                        break
        return Graph(ask.thing, sorted(found.values(), key=lambda e: (e.at, e.source, e.target)))


def edges_at(connection: Connection, things: set[str], *, is_up: bool, projects: list[str] | None) -> list[Edge]:
    """The edges that end in (up) or start from (down) any of the things. A thing without a version stands for all."""
    column = edges.c.target if is_up else edges.c.source
    versions = [column.like(f"{thing}@%") for thing in things if "@" not in thing]
    query = select(edges).where(or_(column.in_(things), *versions))
    if projects is not None:
        query = query.where(edges.c.project.in_(projects))
    return [Edge(source=r.source, verb=r.verb, target=r.target, at=r.at) for r in connection.execute(query)]
