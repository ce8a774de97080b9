"""The rule of lineage: edges are added with the change that makes them, and never taken away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, insert, or_, select, update

from taxiway.audit.service import Record
from taxiway.kernel.errors import BadField
from taxiway.kernel.thing import parse
from taxiway.lineage.contract import Edge, Graph, WalkFrom
from taxiway.lineage.tables import edges
from taxiway.storage.database import Database

MOST_STEPS = 50
MOST_EDGES = 2000
BATCH = 200
VERSIONED = ("dataset:", "model:", "path:")


def draw_edge(record: Record, *, source: str, verb: str, target: str, project: str) -> None:
    """Adds an edge within a change. An edge that is there already stays as it was."""
    known = select(edges.c.at).where(edges.c.source == source, edges.c.verb == verb, edges.c.target == target)
    if record.connection.execute(known).first() is None:
        row = {"source": source, "verb": verb, "target": target, "project": project, "at": record.at}
        record.connection.execute(insert(edges).values(row))


def rename_things(record: Record, names: Mapping[str, str]) -> None:
    """Gives the things at both ends of edges other references: old to new."""
    for column in (edges.c.source, edges.c.target):
        for before, after in names.items():
            changed = update(edges).where(column == before).values({column.name: after})
            record.connection.execute(changed)


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
        kind, name, _ = parse(ask.thing)
        with self.database.read() as connection:
            if kind == "project":
                of_project = select(edges).where(edges.c.project == name)
                found = read_edges(connection, of_project, projects=projects, most=MOST_EDGES)
            else:
                up = walk_one_way(connection, ask, projects, is_up=True)
                found = {**up, **walk_one_way(connection, ask, projects, is_up=False)}
        ordered = sorted(found.values(), key=lambda e: (e.at, e.source, e.target))
        return Graph(ask.thing, ordered, is_cut=len(found) >= MOST_EDGES)


def upstream_of(connection: Connection, thing: str) -> set[str]:
    """Everything on a way into a thing, however long, as that connection sees it; the thing itself is not in it."""
    seen, frontier = {thing}, {thing}
    while frontier:
        found: set[str] = set()
        for things in batched(sorted(frontier)):
            found |= set(connection.execute(select(edges.c.source).where(edges.c.target.in_(things))).scalars())
        frontier = found - seen
        seen |= frontier
    return seen - {thing}


Edges = dict[tuple[str, str, str], Edge]


def walk_one_way(connection: Connection, ask: WalkFrom, projects: list[str] | None, *, is_up: bool) -> Edges:
    """The edges on the ways into the thing (up) or out of it (down), nearest first, `MOST_EDGES` or a few more."""
    found: Edges = {}
    frontier, seen = {ask.thing}, {ask.thing}
    for _ in range(ask.steps):
        step: Edges = {}
        for things in batched(sorted(frontier)):
            query = select(edges).where(at_end(things, is_up=is_up))
            step |= read_edges(connection, query, projects=projects, most=MOST_EDGES - len(found))
        found |= step
        frontier = {e.source if is_up else e.target for e in step.values()} - seen
        seen |= frontier
        if not frontier or len(found) >= MOST_EDGES:
            break
    return found


def at_end(things: list[str], *, is_up: bool) -> ColumnElement[bool]:
    """Whether an edge ends in (up) or starts from (down) one of the things.

    A thing without a version stands for all its versions, an endpoint for all its revisions.
    """
    column = edges.c.target if is_up else edges.c.source
    several = [column.startswith(f"{thing}@", autoescape=True) for thing in things if is_without_version(thing)]
    revisions = [f"revision:{thing.removeprefix('endpoint:')}/" for thing in things if thing.startswith("endpoint:")]
    several += [column.startswith(revision, autoescape=True) for revision in revisions]
    return or_(column.in_(things), *several)


def is_without_version(thing: str) -> bool:
    return thing.startswith(VERSIONED) and "@" not in thing


def read_edges(connection: Connection, query: Select[Any], *, projects: list[str] | None, most: int) -> Edges:
    """The edges that a query finds in the projects that may be seen, the oldest first, at most so many."""
    if projects is not None:
        query = query.where(edges.c.project.in_(projects))
    query = query.order_by(edges.c.at, edges.c.source, edges.c.target).limit(max(most, 0))
    found = connection.execute(query)
    return {(r.source, r.verb, r.target): Edge(source=r.source, verb=r.verb, target=r.target, at=r.at) for r in found}


def batched(things: list[str]) -> Iterator[list[str]]:
    """The things in batches that fit into one query."""
    for start in range(0, len(things), BATCH):
        yield things[start : start + BATCH]
