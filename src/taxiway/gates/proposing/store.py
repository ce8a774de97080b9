"""Queries of proposals of paths."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import Connection, insert, select, update

from taxiway.gates.proposing.contract import Proposal, ProposalState
from taxiway.gates.proposing.tables import proposals

MOST = 500


def add(connection: Connection, proposal: Proposal) -> None:
    connection.execute(insert(proposals).values({n: v for n, v in asdict(proposal).items() if n in proposals.c}))


def find(connection: Connection, id_: str) -> Proposal | None:
    row = connection.execute(select(proposals).where(proposals.c.id == id_)).mappings().first()
    return Proposal(**row) if row else None


def newest(connection: Connection, path: str, state: ProposalState | None) -> list[Proposal]:
    """Newest first, at most 500; path: empty for any."""
    query = select(proposals).order_by(proposals.c.id.desc()).limit(MOST)
    if path:
        query = query.where(proposals.c.path == path)
    if state is not None:
        query = query.where(proposals.c.state == state)
    return [Proposal(**row) for row in connection.execute(query).mappings()]


def decide(connection: Connection, after: Proposal) -> bool:
    """Keeps how it was decided. False where it was decided before."""
    query = update(proposals).where(proposals.c.id == after.id, proposals.c.state == "open")
    values = {name: getattr(after, name) for name in ("state", "decided_by", "decided_at", "comment", "version")}
    return connection.execute(query.values(**values)).rowcount == 1
