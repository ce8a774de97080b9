"""All that was logged to runs, read for many of them at once: what clients of other systems show."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import BigInteger, Connection, Select, bindparam, select, type_coerce

from taxiway.runs.contract import RunStatus
from taxiway.runs.tables import keys, latest, params, readings, runs, sources, tags
from taxiway.storage.rows import Numbers, is_among


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
    asked = {"numbers": numbers}
    found = {row[0]: RunSheet(*row) for row in connection.execute(SHEETS, asked).all()}
    metrics = connection.execute(METRICS, asked).all()
    given = connection.execute(PARAMS, asked).all()
    tagged = connection.execute(TAGS, asked).all()
    # Named and put in order here: the database would do so for each of thousands of rows.
    named = {"numbers": list({row[1] for rows in (metrics, given, tagged) for row in rows})}
    names = {row[0]: row[1] for row in connection.execute(KEYS, named).all()}
    for number, key, value, step, at in metrics:
        found[number].metrics.append(Newest(names[key], value, step, at))
    for number, key, kind, text in given:
        found[number].params.append((names[key], text if kind != "bool" else text.capitalize()))
    for number, key, text in tagged:
        found[number].tags.append((names[key], text))
    for row in connection.execute(READINGS, asked).all():
        found[row[0]].readings.append(Reading(*row[1:]))
    for sheet in found.values():
        sheet.metrics.sort(key=attrgetter("key"))
        sheet.params.sort()
        sheet.tags.sort()
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
NUMBERS = bindparam("numbers", type_=Numbers)
SHEETS = RUNS.where(is_among(runs.c.number, NUMBERS))
# Made once: to put a statement together takes as long as to run it.
METRICS = select(latest.c.run, latest.c.key, latest.c.value, latest.c.step, type_coerce(latest.c.at, BigInteger)).where(
    is_among(latest.c.run, NUMBERS)
)
PARAMS = select(params.c.run, params.c.key, params.c.kind, params.c.text).where(is_among(params.c.run, NUMBERS))
TAGS = select(tags.c.run, tags.c.key, tags.c.text).where(is_among(tags.c.run, NUMBERS))
KEYS = select(keys.c.number, keys.c.name).where(is_among(keys.c.number, NUMBERS))
READINGS: Select[Any] = (
    select(readings.c.run, *(sources.c[name] for name in Reading.__struct_fields__ if name != "tags"), readings.c.tags)
    .join(sources, sources.c.number == readings.c.source)
    .where(is_among(readings.c.run, NUMBERS))
    .order_by(readings.c.run, readings.c.source)
)
