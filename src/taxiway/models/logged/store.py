"""Queries of logged models."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec.structs import asdict
from sqlalchemy import Connection, RowMapping, Table, delete, func, insert, select, update

from taxiway.kernel.numbers import from_wire, to_wire
from taxiway.models.logged.contract import LoggedFile, LoggedMetric, LoggedModel
from taxiway.models.tables import (
    logged_files,
    logged_metrics,
    logged_models,
    logged_params,
    logged_tags,
    logged_uses,
    versions,
)

Role = Literal["input", "output"]
MOST_IDS = 500
LIVING = logged_models.c.deleted_at.is_(None)


def add(connection: Connection, model: LoggedModel) -> None:
    row = {name: value for name, value in asdict(model).items() if name in logged_models.c}
    connection.execute(insert(logged_models).values(row))
    put_texts(connection, logged_tags, model.id, model.tags)
    put_texts(connection, logged_params, model.id, model.params)


def change(connection: Connection, id_: str, **values: Any) -> None:
    connection.execute(update(logged_models).where(logged_models.c.id == id_).values(values))


def find(connection: Connection, id_: str) -> LoggedModel | None:
    found = whole(connection, connection.execute(select(logged_models).where(logged_models.c.id == id_, LIVING)))
    return found[0] if found else None


def has(connection: Connection, id_: str) -> bool:
    """Whether a model has this id, also one that was deleted."""
    return connection.execute(select(logged_models.c.id).where(logged_models.c.id == id_)).first() is not None


def count(connection: Connection, table: Table, ids: Sequence[str]) -> int:
    """How many rows of a table hang on these models."""
    found = select(func.count()).select_from(table)
    return sum(connection.execute(found.where(table.c.model.in_(some))).scalar_one() for some in batches(ids))


def within(connection: Connection, experiments: Sequence[int]) -> list[LoggedModel]:
    """All of these experiments, in no order."""
    found: list[LoggedModel] = []
    for some in batches(experiments):
        query = select(logged_models).where(logged_models.c.experiment.in_(some), LIVING)
        found += whole(connection, connection.execute(query))
    return found


def made_by(connection: Connection, run: str) -> list[LoggedModel]:
    """Oldest first."""
    query = select(logged_models).where(logged_models.c.run == run, LIVING)
    return whole(connection, connection.execute(query.order_by(logged_models.c.created_at, logged_models.c.id)))


def of_projects(connection: Connection, projects: list[str] | None) -> list[LoggedModel]:
    """Newest first; None is everyone's."""
    query = select(logged_models).where(LIVING).order_by(logged_models.c.created_at.desc(), logged_models.c.id)
    query = query if projects is None else query.where(logged_models.c.project.in_(projects))
    return whole(connection, connection.execute(query))


def whole(connection: Connection, result: Any) -> list[LoggedModel]:
    """Models with all that hangs on them, in the order of the rows."""
    rows: list[RowMapping] = list(result.mappings())
    ids = [row["id"] for row in rows]
    tags, params = texts(connection, logged_tags, ids), texts(connection, logged_params, ids)
    metrics, registered = metrics_of(connection, ids), registered_of(connection, ids)
    plain = [name for name in LoggedModel.__struct_fields__ if name in logged_models.c]
    return [
        LoggedModel(
            **{name: row[name] for name in plain},
            params=params.get(row["id"], {}),
            tags=tags.get(row["id"], {}),
            metrics=metrics.get(row["id"], []),
            registered=registered.get(row["id"], []),
        )
        for row in rows
    ]


# --- texts, metrics, registrations ---


def put_texts(connection: Connection, table: Table, id_: str, given: Mapping[str, str]) -> None:
    if given:
        drop_texts(connection, table, id_, list(given))
        rows = [{"model": id_, "key": key, "value": value} for key, value in given.items()]
        connection.execute(insert(table), rows)


def drop_texts(connection: Connection, table: Table, id_: str, keys: Sequence[str]) -> None:
    connection.execute(delete(table).where(table.c.model == id_, table.c.key.in_(keys)))


def texts(connection: Connection, table: Table, ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for some in batches(ids):
        for row in connection.execute(select(table).where(table.c.model.in_(some)).order_by(table.c.key)).mappings():
            found.setdefault(row["model"], {})[row["key"]] = row["value"]
    return found


def keep_metric(connection: Connection, id_: str, metric: LoggedMetric) -> None:
    """Keeps a point where it is newer than what is there: by step, then time, then value."""
    c = logged_metrics.c
    here = [c.model == id_, c.key == metric.key, c.run == metric.run]
    here += [c.dataset == metric.dataset, c.dataset_digest == metric.dataset_digest]
    row = connection.execute(select(logged_metrics).where(*here)).mappings().first()
    if row is not None:
        if rank(metric_of(row)) >= rank(metric):
            return
        connection.execute(delete(logged_metrics).where(*here))
    number = from_wire(metric.value)
    value = None if math.isnan(number) else number
    connection.execute(insert(logged_metrics).values(asdict(metric) | {"model": id_, "value": value}))


def rank(metric: LoggedMetric) -> tuple[int, Any, float]:
    value = from_wire(metric.value)
    return metric.step, metric.at, math.inf if math.isnan(value) else value


def metrics_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[LoggedMetric]]:
    found: dict[str, list[LoggedMetric]] = {}
    c = logged_metrics.c
    for some in batches(ids):
        query = select(logged_metrics).where(c.model.in_(some)).order_by(c.key, c.at, c.run, c.dataset)
        for row in connection.execute(query).mappings():
            found.setdefault(row["model"], []).append(metric_of(row))
    return found


def metric_of(row: RowMapping) -> LoggedMetric:
    value = to_wire(math.nan if row["value"] is None else row["value"])
    return LoggedMetric(row["key"], value, row["step"], row["at"], row["run"], row["dataset"], row["dataset_digest"])


def registered_of(connection: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for some in batches(ids):
        query = select(versions.c.logged_model, versions.c.model, versions.c.version)
        query = query.where(versions.c.logged_model.in_(some), versions.c.deleted_at.is_(None))
        for row in connection.execute(query.order_by(versions.c.created_at, versions.c.version)):
            found.setdefault(row.logged_model, []).append(f"{row.model}@{row.version}")
    return found


# --- files and uses ---


def files_of(connection: Connection, id_: str) -> list[LoggedFile]:
    """By path."""
    query = select(logged_files).where(logged_files.c.model == id_).order_by(logged_files.c.path)
    names = LoggedFile.__struct_fields__
    return [LoggedFile(**{n: row[n] for n in names}) for row in connection.execute(query).mappings()]


def put_file(connection: Connection, id_: str, file: LoggedFile) -> None:
    """Adds a file in place of what had its path."""
    drop_file(connection, id_, file.path)
    connection.execute(insert(logged_files).values(asdict(file) | {"model": id_}))


def drop_file(connection: Connection, id_: str, path: str) -> bool:
    gone = delete(logged_files).where(logged_files.c.model == id_, logged_files.c.path == path)
    return connection.execute(gone).rowcount > 0


def kept_digests(connection: Connection) -> set[str]:
    """The digests of the files of living models."""
    query = select(logged_files.c.digest).join(logged_models, logged_models.c.id == logged_files.c.model).where(LIVING)
    return set(connection.execute(query).scalars())


def names_digest(connection: Connection, digest: str, projects: Sequence[str]) -> bool:
    """Whether a file of a living model in these projects has the digest."""
    query = select(logged_files.c.digest).join(logged_models, logged_models.c.id == logged_files.c.model).where(LIVING)
    mine = query.where(logged_files.c.digest == digest, logged_models.c.project.in_(projects))
    return connection.execute(mine.limit(1)).first() is not None


def put_use(connection: Connection, *, run: str, model: str, role: Role, step: int) -> None:
    c = logged_uses.c
    connection.execute(delete(logged_uses).where(c.run == run, c.model == model, c.role == role))
    connection.execute(insert(logged_uses).values(run=run, model=model, role=role, step=step))


def uses_of(connection: Connection, runs: Sequence[str], role: Role) -> dict[str, list[tuple[str, int]]]:
    """For each run the models and steps, in the order of their ids."""
    found: dict[str, list[tuple[str, int]]] = {}
    for some in batches(runs):
        query = select(logged_uses).where(logged_uses.c.run.in_(some), logged_uses.c.role == role)
        for row in connection.execute(query.order_by(logged_uses.c.model)).mappings():
            found.setdefault(row["run"], []).append((row["model"], row["step"]))
    return found


def batches(ids: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (ids[at : at + MOST_IDS] for at in range(0, len(ids), MOST_IDS))
