"""Queries of projects."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from taxiway.projects.contract import Project, ProjectStage, ProjectStageEntry
from taxiway.projects.tables import projects, stages


def add(connection: Connection, project: Project) -> None:
    connection.execute(insert(projects).values(columns(project)))


def change(connection: Connection, project: Project) -> None:
    connection.execute(update(projects).where(projects.c.name == project.name).values(columns(project)))


def find(connection: Connection, name: str) -> Project | None:
    row = connection.execute(select(projects).where(projects.c.name == name)).mappings().first()
    return Project(**row) if row else None


def all_of(connection: Connection, names: list[str] | None) -> list[Project]:
    """Projects by name; `names` limits which, None is every one."""
    query = select(projects).order_by(projects.c.name)
    if names is not None:
        query = query.where(projects.c.name.in_(names))
    return [Project(**row) for row in connection.execute(query).mappings()]


def names_of(connection: Connection, names: list[str] | None, most: int | None) -> list[str]:
    """The first names in order; `names` limits which, None is every one."""
    query = select(projects.c.name).order_by(projects.c.name).limit(most)
    if names is not None:
        query = query.where(projects.c.name.in_(names))
    return list(connection.execute(query).scalars())


def stages_of(connection: Connection, project: str) -> list[ProjectStageEntry]:
    query = select(stages).where(stages.c.project == project).order_by(stages.c.number)
    rows = connection.execute(query)
    return [ProjectStageEntry(stage=r.stage, entered_at=r.entered_at, because=r.because) for r in rows]


def stages_of_all(connection: Connection, names: list[str] | None) -> dict[str, list[ProjectStageEntry]]:
    """The ways of several projects by name, each in order; `names` limits which, None is every one."""
    query = select(stages).order_by(stages.c.project, stages.c.number)
    if names is not None:
        query = query.where(stages.c.project.in_(names))
    found: dict[str, list[ProjectStageEntry]] = {}
    for r in connection.execute(query):
        found.setdefault(r.project, []).append(ProjectStageEntry(r.stage, r.entered_at, r.because))
    return found


def add_stage(connection: Connection, *, project: str, stage: ProjectStage, number: int, at: Any, because: str) -> bool:
    """Adds a stage, unless the project entered it before; says whether it is new."""
    known = select(stages.c.number).where(stages.c.project == project, stages.c.stage == stage)
    if connection.execute(known).first():
        return False
    row = {"project": project, "stage": stage, "number": number, "entered_at": at, "because": because}
    connection.execute(insert(stages).values(row))
    return True


def columns(project: Project) -> dict[str, Any]:
    return msgspec.structs.asdict(project)
