"""All that was logged to runs, read for many of them at once: what clients of other systems show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Select, select, type_coerce

from taxiway.runs.contract import RunStatus
from taxiway.runs.experiments import portions
from taxiway.runs.tables import keys, latest, params, readings, runs, sources, tags


class Newest(NamedTuple):
    """The newest point of a metric: value None is NaN, at in microseconds since 1970."""

    key: str
    value: float | None
    step: int
    at: int


class Reading(Struct, frozen=True):
    """Data that a run read, as its client describes it; the tag `mlflow.data.context` says what for."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str
    profile: str
    tags: dict[str, str] = {}


class RunSheet(Struct):
    """A run with all that was logged to it. Times in microseconds since 1970. location: where its files are, if not
    with us. user: the label that its client gave."""

    number: int
    id: str
    experiment: int
    project: str
    name: str
    status: RunStatus
    user: str
    location: str
    started_at: int
    ended_at: int | None
    is_trashed: bool
    metrics: list[Newest] = []
    params: list[tuple[str, str]] = []
    tags: list[tuple[str, str]] = []
    readings: list[Reading] = []


def run_sheets(connection: Connection, numbers: Sequence[int]) -> list[RunSheet]:
    """The runs of these numbers in their order; those that do not exist are left out."""
    found: dict[int, RunSheet] = {}
    for some in portions(numbers):
        for row in connection.execute(RUNS.where(runs.c.number.in_(some))).all():
            found[row[0]] = RunSheet(*row)
        for number, *metric in connection.execute(METRICS.where(latest.c.run.in_(some))).all():
            found[number].metrics.append(Newest(*metric))
        for number, key, kind, text in connection.execute(PARAMS.where(params.c.run.in_(some))).all():
            found[number].params.append((key, text if kind != "bool" else text.capitalize()))
        for number, key, text in connection.execute(TAGS.where(tags.c.run.in_(some))).all():
            found[number].tags.append((key, text))
        add_readings(connection, found, some)
    return [found[number] for number in numbers if number in found]


def run_facts(connection: Connection, id_: str) -> RunSheet | None:
    """The run of this id without what was logged to it."""
    row = connection.execute(RUNS.where(runs.c.id == id_)).first()
    return RunSheet(*row) if row else None


# Moments as the numbers that they are: for thousands of runs, making objects of them would take longest.
RUNS: Select[Any] = select(
    runs.c.number,
    runs.c.id,
    runs.c.experiment,
    runs.c.project,
    runs.c.name,
    runs.c.status,
    runs.c.user,
    runs.c.location,
    type_coerce(runs.c.started_at, BigInteger),
    type_coerce(runs.c.ended_at, BigInteger),
    runs.c.deleted_at.is_not(None),
)
METRICS = (
    select(latest.c.run, keys.c.name, latest.c.value, latest.c.step, type_coerce(latest.c.at, BigInteger))
    .join(keys, keys.c.number == latest.c.key)
    .order_by(keys.c.name)
)
PARAMS = (
    select(params.c.run, keys.c.name, params.c.kind, params.c.text)
    .join(keys, keys.c.number == params.c.key)
    .order_by(keys.c.name)
)
TAGS = select(tags.c.run, keys.c.name, tags.c.text).join(keys, keys.c.number == tags.c.key).order_by(keys.c.name)


def add_readings(connection: Connection, found: dict[int, RunSheet], numbers: Sequence[int]) -> None:
    query = (
        select(readings.c.run, readings.c.tags, sources)
        .join(sources, sources.c.number == readings.c.source)
        .where(readings.c.run.in_(numbers))
        .order_by(readings.c.run, readings.c.source)
    )
    names = [name for name in Reading.__struct_fields__ if name != "tags"]
    for row in connection.execute(query).mappings():
        found[row["run"]].readings.append(Reading(**{name: row[name] for name in names}, tags=row["tags"]))
