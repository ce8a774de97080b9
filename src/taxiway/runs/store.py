"""Queries of runs: the run itself, its artifacts, inputs and surroundings. What it logged is in `series`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, func, insert, select, update

from taxiway.kernel.numbers import Number, to_wire
from taxiway.runs.compare import Scalar
from taxiway.runs.contract import Artifact, Environment, Experiment, Packages, Run
from taxiway.runs.search import words
from taxiway.runs.search.conditions import status_at
from taxiway.runs.tables import artifacts, environments, experiments, inputs, keys, latest, params, runs, tags


def experiment_number(connection: Connection, *, project: str, name: str) -> int | None:
    query = select(experiments.c.number).where(experiments.c.project == project, experiments.c.name == name)
    found: int | None = connection.execute(query).scalar()
    return found


def add_experiment(connection: Connection, *, project: str, name: str, by: str, at: datetime) -> int:
    row: dict[str, Any] = {"project": project, "name": name, "created_by": by, "created_at": at, "changed_at": at}
    if (project, name) == ("default", "default"):
        row["number"] = 0  # known by it to other systems' clients, also before it is stored
    return primary_key(connection.execute(insert(experiments).values(row)))


def change_experiment(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(experiments).where(experiments.c.number == number).values(**values))


def is_experiment_trashed(connection: Connection, number: int) -> bool:
    query = select(experiments.c.deleted_at).where(experiments.c.number == number)
    return connection.execute(query).scalar() is not None


def count_runs(connection: Connection, experiment: int) -> int:
    query = select(func.count()).select_from(runs).where(runs.c.experiment == experiment)
    return connection.execute(query).scalar() or 0


def experiment_names(connection: Connection, projects: list[str] | None, most: int) -> list[str]:
    """The names of experiments outside the trash, each once; `projects` limits which, None is every one."""
    query = select(experiments.c.name).where(experiments.c.deleted_at.is_(None)).distinct()
    if projects is not None:
        query = query.where(experiments.c.project.in_(projects))
    return list(connection.execute(query.order_by(experiments.c.name).limit(most)).scalars())


def experiments_of(connection: Connection, projects: list[str] | None) -> list[Experiment]:
    """Experiments outside the trash by project and name; `projects` limits which, None is every one."""
    living = and_(runs.c.experiment == experiments.c.number, runs.c.deleted_at.is_(None))
    query = (
        select(experiments, func.count(runs.c.number).label("runs"))
        .outerjoin(runs, living)
        .where(experiments.c.deleted_at.is_(None))
        .group_by(experiments.c.number)
        .order_by(experiments.c.project, experiments.c.name)
    )
    if projects is not None:
        query = query.where(experiments.c.project.in_(projects))
    names = Experiment.__struct_fields__
    return [Experiment(**{n: row[n] for n in names}) for row in connection.execute(query).mappings()]


def add(connection: Connection, run: Run, experiment: int, *, user: str = "", location: str = "") -> int:
    columns = (
        "id",
        "project",
        "name",
        "status",
        "created_by",
        "started_at",
        "heard_at",
        "failure",
        "command",
        "sealed",
    )
    row = {name: getattr(run, name) for name in columns}
    number = primary_key(
        connection.execute(insert(runs).values(experiment=experiment, user=user, location=location, **row))
    )
    words.add(connection, number, words.words_of(run.name))
    return number


def primary_key(result: Any) -> int:
    return int(result.inserted_primary_key[0])


def change(connection: Connection, number: int, **values: Any) -> None:
    changing = update(runs).where(runs.c.number == number).values(**values)
    if "name" not in values:
        connection.execute(changing)
        return
    with words.kept(connection, number):
        connection.execute(changing)


class Known(msgspec.Struct, frozen=True):
    """What every change looks at first."""

    number: int
    project: str
    status: str
    is_trashed: bool = False


def known(connection: Connection, id_: str) -> Known | None:
    is_trashed = runs.c.deleted_at.is_not(None)
    query = select(runs.c.number, runs.c.project, runs.c.status, is_trashed).where(runs.c.id == id_)
    row = connection.execute(query).first()
    return Known(*row) if row else None


def names_of(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    rows = connection.execute(select(runs.c.id, runs.c.name).where(runs.c.id.in_(ids)))
    return {row.id: row.name for row in rows}


def find(connection: Connection, ids: Sequence[str], now: datetime) -> list[Run]:
    """The runs of these ids, in their order; those that do not exist are left out."""
    rows = connection.execute(select(runs.c.number, runs.c.id).where(runs.c.id.in_(ids)))
    numbers = {row.id: row.number for row in rows}
    return whole(connection, [numbers[id_] for id_ in ids if id_ in numbers], now)


def whole(connection: Connection, numbers: Sequence[int], now: datetime) -> list[Run]:
    """The runs of these numbers, in their order, with all they logged."""
    query = (
        select(runs, experiments.c.name.label("experiment_name"), status_at(now).label("seen_status"))
        .join(experiments, runs.c.experiment == experiments.c.number)
        .where(runs.c.number.in_(numbers))
    )
    rows = {row["number"]: row for row in connection.execute(query).mappings()}
    given_params, given_tags = params_of(connection, numbers), tags_of(connection, numbers)
    measured, read = latest_of(connection, numbers), inputs_of(connection, numbers)
    places = environments_of(connection, {row["environment"] for row in rows.values() if row["environment"]})
    same = ["id", "project", "name", "created_by", "started_at", "heard_at", "ended_at", "cpu_s"]
    same += ["exit_code", "failure", "command", "code", "sealed", "deleted_at"]
    return [
        Run(
            experiment=row["experiment_name"],
            status=row["seen_status"],
            params=given_params[number],
            metrics=measured[number],
            tags=given_tags[number],
            inputs=read[number],
            environment=places.get(row["environment"]),
            **{name: row[name] for name in same},
        )
        for number in numbers
        if (row := rows.get(number)) is not None
    ]


def params_of(connection: Connection, numbers: Sequence[int]) -> defaultdict[int, dict[str, Scalar]]:
    query = select(params.c.run, keys.c.name, params.c.kind, params.c.text)
    query = query.join(keys, keys.c.number == params.c.key).where(params.c.run.in_(numbers)).order_by(keys.c.name)
    found: defaultdict[int, dict[str, Scalar]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.run][row.name] = read_scalar(row.kind, row.text)
    return found


def read_scalar(kind: str, text: str) -> Scalar:
    """A parameter as it was given."""
    match kind:
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text)
        case _:
            return text


def tags_of(connection: Connection, numbers: Sequence[int]) -> defaultdict[int, dict[str, str]]:
    query = select(tags.c.run, keys.c.name, tags.c.text)
    query = query.join(keys, keys.c.number == tags.c.key).where(tags.c.run.in_(numbers)).order_by(keys.c.name)
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.run][row.name] = row.text
    return found


def latest_of(connection: Connection, numbers: Sequence[int]) -> defaultdict[int, dict[str, Number]]:
    query = select(latest.c.run, keys.c.name, latest.c.value)
    query = query.join(keys, keys.c.number == latest.c.key).where(latest.c.run.in_(numbers)).order_by(keys.c.name)
    found: defaultdict[int, dict[str, Number]] = defaultdict(dict)
    for row in connection.execute(query):
        found[row.run][row.name] = to_wire(float("nan") if row.value is None else row.value)
    return found


def counts_of(connection: Connection, number: int) -> dict[str, int]:
    """How many points each metric of a run has."""
    query = select(keys.c.name, latest.c.points).join(keys, keys.c.number == latest.c.key)
    return {row.name: row.points for row in connection.execute(query.where(latest.c.run == number))}


def inputs_of(connection: Connection, numbers: Sequence[int]) -> defaultdict[int, list[str]]:
    query = select(inputs).where(inputs.c.run.in_(numbers)).order_by(inputs.c.dataset)
    found: defaultdict[int, list[str]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.run].append(row.dataset)
    return found


def add_input(connection: Connection, number: int, dataset: str) -> None:
    if dataset not in inputs_of(connection, [number])[number]:
        connection.execute(insert(inputs).values(run=number, dataset=dataset))


# --- artifacts ---


def put_artifact(connection: Connection, number: int, artifact: Artifact) -> None:
    """Adds an artifact in place of what had its path."""
    connection.execute(delete(artifacts).where(artifacts.c.run == number, artifacts.c.path == artifact.path))
    row = {name: getattr(artifact, name) for name in Artifact.__struct_fields__} | {"run": number}
    connection.execute(insert(artifacts).values(row))


def artifacts_of(connection: Connection, id_: str, number: int) -> list[Artifact]:
    """By path."""
    query = select(artifacts).where(artifacts.c.run == number).order_by(artifacts.c.path)
    return [Artifact(**{**row, "run": id_}) for row in connection.execute(query).mappings()]


def runs_with_artifact(connection: Connection, digest: str) -> list[str]:
    query = select(runs.c.id).join(artifacts, artifacts.c.run == runs.c.number).where(artifacts.c.digest == digest)
    return [row.id for row in connection.execute(query.order_by(runs.c.number))]


def names_digest(connection: Connection, digest: str, projects: Sequence[str]) -> bool:
    """Whether a run of these projects kept a file of this digest."""
    query = select(artifacts.c.run).join(runs, runs.c.number == artifacts.c.run)
    mine = query.where(artifacts.c.digest == digest, runs.c.project.in_(projects))
    return connection.execute(mine.limit(1)).first() is not None


# --- environments ---


def put_environment(connection: Connection, environment: Environment, packages: dict[str, str]) -> None:
    """Keeps an environment; the same one is kept once."""
    query = select(environments.c.digest).where(environments.c.digest == environment.digest)
    if connection.execute(query).first() is None:
        row = {"digest": environment.digest, "environment": environment, "packages": packages}
        connection.execute(insert(environments).values(row))


def environments_of(connection: Connection, digests: set[str]) -> dict[str, Environment]:
    query = select(environments.c.digest, environments.c.environment).where(environments.c.digest.in_(digests))
    return {row.digest: row.environment for row in connection.execute(query)}


def packages_of(connection: Connection, digest: str) -> Packages:
    found = connection.execute(select(environments.c.packages).where(environments.c.digest == digest)).scalar()
    return Packages(digest, found or {})
