"""Queries of gates."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from msgspec.structs import asdict
from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from taxiway.gates.contract import Approval, Evidence, PathVersion, Request
from taxiway.gates.tables import approvals, evidence, paths, requests

ATTEMPT = "!"  # in the key of what is no evidence: a check that could not be asked, and may be asked again

# --- paths ---


def find_path(connection: Connection, name: str, version: int = 0) -> PathVersion | None:
    """version: 0 is the newest."""
    query = select(paths).where(paths.c.name == name).order_by(paths.c.version.desc()).limit(1)
    if version:
        query = query.where(paths.c.version == version)
    row = connection.execute(query).mappings().first()
    return PathVersion(**row) if row else None


def platform_paths(connection: Connection) -> list[PathVersion]:
    """The newest versions that the platform demands of some tier, by name."""
    return newest_paths(connection, paths.c.platform != [])


def newest_paths(connection: Connection, *which: ColumnElement[bool]) -> list[PathVersion]:
    newest = select(paths.c.name, func.max(paths.c.version).label("version")).group_by(paths.c.name).subquery()
    query = select(paths).join(newest, (paths.c.name == newest.c.name) & (paths.c.version == newest.c.version))
    query = query.where(*which)
    return [PathVersion(**row) for row in connection.execute(query.order_by(paths.c.name)).mappings()]


def add_path(connection: Connection, path: PathVersion) -> None:
    connection.execute(insert(paths).values({n: v for n, v in asdict(path).items() if n in paths.c}))


# --- models ---


def rename_model(connection: Connection, before: str, to: str) -> None:
    """What is known of a model follows its name."""
    for table in (evidence, approvals, requests):
        connection.execute(update(table).where(table.c.model == before).values(model=to))


# --- evidence ---


def find_evidence(connection: Connection, keys: Collection[str]) -> dict[str, Evidence]:
    """By key, those there are."""
    query = select(evidence).where(evidence.c.key.in_(keys))
    return {row["key"]: Evidence(**row) for row in connection.execute(query).mappings()}


def attempts_of(connection: Connection, model: str, version: int) -> dict[str, Evidence]:
    """The newest attempt of every check that could not be asked, by the key that its evidence would have."""
    here = (evidence.c.model == model, evidence.c.version == version, evidence.c.key.contains(ATTEMPT, autoescape=True))
    query = select(evidence).where(*here).order_by(evidence.c.at, evidence.c.id)
    return {row["key"].partition(ATTEMPT)[0]: Evidence(**row) for row in connection.execute(query).mappings()}


def evidence_of(connection: Connection, model: str, version: int) -> list[Evidence]:
    """Newest first."""
    here = (evidence.c.model == model, evidence.c.version == version)
    query = select(evidence).where(*here).order_by(evidence.c.at.desc(), evidence.c.id.desc())
    return [Evidence(**row) for row in connection.execute(query).mappings()]


def add_evidence(connection: Connection, found: Evidence) -> None:
    connection.execute(insert(evidence).values(asdict(found)))


# --- approvals and requests ---


def approvals_of(connection: Connection, model: str, version: int) -> list[Approval]:
    """Newest first, as they are kept: what they count for is judged elsewhere."""
    here = (approvals.c.model == model, approvals.c.version == version)
    query = select(approvals).where(*here).order_by(approvals.c.at.desc(), approvals.c.id.desc())
    return [Approval(**row) for row in connection.execute(query).mappings()]


def add_approval(connection: Connection, approval: Approval) -> None:
    row = {n: v for n, v in asdict(approval).items() if n in approvals.c}
    connection.execute(insert(approvals).values(row))


def withdraw(connection: Connection, approval: str, *, at: datetime, because: str) -> bool:
    """False where it was withdrawn before."""
    query = update(approvals).where(approvals.c.id == approval, approvals.c.withdrawn_at.is_(None))
    return connection.execute(query.values(withdrawn_at=at, withdrawn_because=because)).rowcount == 1


def find_request(connection: Connection, model: str, version: int, stage: str) -> Request | None:
    here = (requests.c.model == model, requests.c.version == version, requests.c.stage == stage)
    row = connection.execute(select(requests).where(*here)).mappings().first()
    return Request(**row) if row else None


def requests_of(connection: Connection, model: str, version: int) -> list[Request]:
    """Of all stages."""
    query = select(requests).where(requests.c.model == model, requests.c.version == version)
    return [Request(**row) for row in connection.execute(query.order_by(requests.c.stage)).mappings()]


def ask_anew(connection: Connection, request: Request) -> None:
    """Puts a request in the place of the one for the same stage."""
    here = (requests.c.model == request.model, requests.c.version == request.version)
    connection.execute(update(requests).where(*here, requests.c.stage == request.stage).values(asdict(request)))


def add_request(connection: Connection, request: Request) -> None:
    connection.execute(insert(requests).values(asdict(request)))


def all_requests(connection: Connection, projects: list[str] | None) -> list[Request]:
    """Oldest first; `projects` limits whose, None is everyone's."""
    query = select(requests).order_by(requests.c.at)
    if projects is not None:
        query = query.where(requests.c.project.in_(projects))
    return [Request(**row) for row in connection.execute(query).mappings()]
