"""Queries of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, func, insert, or_, select

from taxiway.datasets.contract import DatasetSummary, DatasetVersion, Profile
from taxiway.datasets.tables import profiles, versions

FIELDS = [versions.c[name] for name in DatasetVersion.__struct_fields__]


def add(connection: Connection, version: DatasetVersion, profile: Profile) -> None:
    passed = None if version.result is None else version.result.passed
    connection.execute(insert(versions).values(**msgspec.structs.asdict(version), passed=passed))
    key = {"project": version.project, "name": version.name, "version": version.version}
    connection.execute(insert(profiles).values(**key, profile=profile))


def find(connection: Connection, project: str, name: str, version: int) -> DatasetVersion | None:
    """A version; 0 is the newest."""
    query = select(*FIELDS).where(versions.c.project == project, versions.c.name == name)
    if version:
        query = query.where(versions.c.version == version)
    row = connection.execute(query.order_by(versions.c.version.desc()).limit(1)).mappings().first()
    return DatasetVersion(**row) if row else None


def all_of(connection: Connection, project: str, name: str) -> list[DatasetVersion]:
    """Every version, newest first."""
    query = select(*FIELDS).where(versions.c.project == project, versions.c.name == name)
    rows = connection.execute(query.order_by(versions.c.version.desc())).mappings()
    return [DatasetVersion(**row) for row in rows]


def with_digest(connection: Connection, digest: str) -> list[DatasetVersion]:
    """The versions whose file or table has the digest, oldest first."""
    query = select(*FIELDS).where(or_(versions.c.digest == digest, versions.c.table == digest))
    order = (versions.c.created_at, versions.c.project, versions.c.name, versions.c.version)
    return [DatasetVersion(**row) for row in connection.execute(query.order_by(*order)).mappings()]


def names_digest(connection: Connection, digest: str, projects: Sequence[str]) -> bool:
    """Whether the file or table of a version in these projects has the digest."""
    is_it = or_(versions.c.digest == digest, versions.c.table == digest)
    query = select(versions.c.version).where(is_it, versions.c.project.in_(projects))
    return connection.execute(query.limit(1)).first() is not None


def profile_of(connection: Connection, version: DatasetVersion) -> Profile:
    at = (profiles.c.project == version.project, profiles.c.name == version.name, profiles.c.version == version.version)
    profile: Profile = connection.execute(select(profiles.c.profile).where(*at)).scalar_one()
    return profile


def summaries(connection: Connection, projects: list[str] | None) -> list[DatasetSummary]:
    """Every dataset by its newest version, by project and name; `projects` limits whose, None is everyone's."""
    newest = (
        select(versions.c.project, versions.c.name, func.max(versions.c.version).label("newest"))
        .group_by(versions.c.project, versions.c.name)
        .subquery()
    )
    is_newest = and_(
        versions.c.project == newest.c.project,
        versions.c.name == newest.c.name,
        versions.c.version == newest.c.newest,
    )
    query = select(*FIELDS).join(newest, is_newest).order_by(versions.c.project, versions.c.name)
    if projects is not None:
        query = query.where(versions.c.project.in_(projects))
    return [summary(DatasetVersion(**row)) for row in connection.execute(query).mappings()]


def summary(newest: DatasetVersion) -> DatasetSummary:
    shared: dict[str, Any] = {n: getattr(newest, n) for n in ("project", "name", "rows", "size_bytes", "digest")}
    return DatasetSummary(
        **shared,
        versions=newest.version,
        columns=len(newest.columns),
        passed=None if newest.result is None else newest.result.passed,
        findings=0 if newest.result is None else len(newest.result.findings),
        created_by=newest.created_by,
        created_at=newest.created_at,
    )
