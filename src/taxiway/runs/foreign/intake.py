"""Taking runs as they were in another system: their times, their ends and their whole histories.

Everything here is done twice as well as once: what is there already stays, and only what is missing is added. Runs
that are new are written together, with a few statements for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from sqlalchemy import Connection, bindparam, func, select, update

from taxiway.audit.service import Record
from taxiway.kernel.errors import BadField
from taxiway.projects.service import enter_stage, open_project
from taxiway.runs import store
from taxiway.runs.contract import Artifact, RunStatus
from taxiway.runs.experiments import put_tags as put_experiment_tags
from taxiway.runs.foreign.arriving import Columns, distinct, missing
from taxiway.runs.foreign.foreign import add_reading
from taxiway.runs.foreign.sheets import Reading
from taxiway.runs.paths import check_key, check_path
from taxiway.runs.points import series
from taxiway.runs.points.appending import add_histories, add_history
from taxiway.runs.points.history import Series
from taxiway.runs.points.segments import History
from taxiway.runs.refusals import ParamFixed
from taxiway.runs.search import words
from taxiway.runs.tables import LONGEST_HEAD, artifacts, latest, params, readings, runs, tags
from taxiway.storage.database import EPOCH
from taxiway.storage.rows import Into, put_rows

AT_ONCE = 500  # SQLite's statements hold a bounded number of values
LONGEST_NAME = 1000
LONGEST_USER = 250
OPEN = ("running", "scheduled")
RESOLUTION = timedelta(microseconds=1)

RUNS = Into(
    "runs",
    (
        ("id", "varchar"),
        ("experiment", "integer"),
        ("project", "varchar"),
        ("name", "varchar"),
        ("status", "varchar"),
        ("created_by", "varchar"),
        ('"user"', "varchar"),
        ("started_at", "bigint"),
        ("heard_at", "bigint"),
        ("ended_at", "bigint"),
        ("deleted_at", "bigint"),
        ("failure", "text"),
        ("command", "text"),
        ("sealed", "varchar"),
    ),
)
TAGS = Into("run_tags", (("run", "integer"), ("key", "integer"), ("text", "text"), ("head", "varchar")))
WORDS = Into("run_words", (("word", "varchar"), ("run", "integer")), "ON CONFLICT DO NOTHING")


class Foreign(Struct, frozen=True):
    """What a run, or a part of it, was in the other system. is_whole: nothing more of it is to come for now."""

    id: str
    project: str
    experiment: int
    name: str
    status: RunStatus
    user: str
    started_at: datetime
    ended_at: datetime | None
    deleted_at: datetime | None
    params: Mapping[str, str] = {}
    tags: Mapping[str, str] = {}
    series: Sequence[Columns] = ()
    inputs: Sequence[Reading] = ()
    is_whole: bool = True

    @property
    def shown_name(self) -> str:
        return self.name[:LONGEST_NAME] or self.id


class Arrived(Struct):
    """What became of runs that came. refused: for the run's id, what was not taken as it was."""

    new: int = 0
    changed: int = 0
    points: int = 0
    refused: list[tuple[str, str]] = []


def place_experiment(
    record: Record, *, project: str, name: str, given: Mapping[str, str] | None = None, is_deleted: bool = False
) -> int:
    """The number of an experiment, which is opened where there is none. given: its tags. is_deleted: if it is new."""
    open_project(record, project)
    connection = record.connection
    number = store.experiment_number(connection, project=project, name=name)
    if number is None:
        enter_stage(record, project, "experiment", because=record.thing)
        number = store.add_experiment(connection, project=project, name=name, by=record.caller.name, at=record.at)
        if is_deleted:
            store.change_experiment(connection, number, deleted_at=record.at)
    if given:
        put_experiment_tags(connection, number, given)
    return number


def take_runs(record: Record, given: Sequence[Foreign]) -> Arrived:
    """Takes runs, or parts of them, each id at most once."""
    query = select(runs.c.id, runs.c.number).where(runs.c.id.in_([run.id for run in given]))
    known = {row.id: row.number for row in record.connection.execute(query)}
    arrived = Arrived(refused=[])
    add_new(record, [run for run in given if run.id not in known], arrived)
    for run in given:
        if run.id in known:
            change_known(record, run, known[run.id], arrived)
    add_inputs(record, given)
    return arrived


def add_inputs(record: Record, given: Sequence[Foreign]) -> None:
    """Notes the data that runs read, each once."""
    reading = [run for run in given if run.inputs]
    query = select(runs.c.id, runs.c.number).where(runs.c.id.in_([run.id for run in reading]))
    numbers = {row.id: row.number for row in record.connection.execute(query)} if reading else {}
    for run in reading:
        for one in run.inputs:
            add_reading(record, numbers[run.id], run.experiment, one)


# --- new runs, together ---


def add_new(record: Record, new: Sequence[Foreign], arrived: Arrived) -> None:
    if not new:
        return
    connection, now = record.connection, micros(record.at)
    by = record.caller.name
    rows = [
        (
            run.id,
            run.experiment,
            run.project,
            run.shown_name,
            run.status,
            by,
            run.user[:LONGEST_USER],
            micros(run.started_at),
            now if run.ended_at is None else micros(run.ended_at),
            None if run.ended_at is None else micros(run.ended_at),
            None if run.deleted_at is None else micros(run.deleted_at),
            "",
            "[]",
            "",
        )
        for run in new
    ]
    put_rows(connection, RUNS, rows)
    query = select(runs.c.id, runs.c.number).where(runs.c.id.in_([run.id for run in new]))
    numbers = {row.id: row.number for row in connection.execute(query)}
    add_texts(connection, new, numbers)
    histories = {numbers[run.id]: histories_of(run.series) for run in new}
    seals = add_histories(connection, {number: given for number, given in histories.items() if given})
    whole = [numbers[run.id] for run in new if run.is_whole and run.status not in OPEN]
    sealing = update(runs).where(runs.c.number == bindparam("here")).values(sealed=bindparam("seal"))
    if whole:
        nothing = series.seal_over([])
        connection.execute(sealing, [{"here": number, "seal": seals.get(number, nothing)} for number in whole])
    arrived.new += len(new)
    arrived.points += sum(len(points) for given in histories.values() for points in given.values())


def add_texts(connection: Connection, new: Sequence[Foreign], numbers: Mapping[str, int]) -> None:
    """Parameters, tags and the words to be found by, of runs that have none yet."""
    keys = series.key_numbers(connection, {name for run in new for name in (*run.params, *run.tags)})
    given = [(numbers[run.id], keys[name], value) for run in new for name, value in run.params.items()]
    series.put_params(connection, given)
    tagged = [
        (numbers[run.id], keys[name], text, text[:LONGEST_HEAD]) for run in new for name, text in run.tags.items()
    ]
    put_rows(connection, TAGS, tagged)
    found = [(word, numbers[run.id]) for run in new for word in sorted(words.words_of_run(run.shown_name, run.tags))]
    put_rows(connection, WORDS, found)


def histories_of(given: Sequence[Columns]) -> dict[str, History]:
    return {one.key: distinct(one).history() for one in given if one.steps.size}


# --- runs that are here ---


def change_known(record: Record, run: Foreign, number: int, arrived: Arrived) -> None:
    """What changed there since then changes here; points, parameters and tags come to those there are."""
    connection = record.connection
    facts = {"status": run.status, "ended_at": run.ended_at, "deleted_at": run.deleted_at}
    store.change(connection, number, name=run.shown_name, user=run.user[:LONGEST_USER], **facts)
    arrived.refused += [(run.id, str(refusal)) for refusal in add_params(connection, run, number)]
    series.put_tags(connection, run=number, given=dict(run.tags))
    there = store.counts_of(connection, number)
    new = {}
    for one in run.series:
        kept = one
        if there.get(one.key, 0) != one.before:
            kept = missing(one, Series(connection, run=number, key=one.key).whole())
        if kept.steps.size:
            new[one.key] = distinct(kept).history()
    if new:
        add_history(connection, run=number, given=new)
    if run.is_whole and run.status not in OPEN:
        seal(connection, number)
    arrived.changed += 1
    arrived.points += sum(len(points) for points in new.values())


def add_params(connection: Connection, run: Foreign, number: int) -> list[ParamFixed]:
    """Adds the parameters that a run does not have; the refusals of those that have another value."""
    kept = store.params_of(connection, [number])[number]
    new = {name: value for name, value in run.params.items() if name not in kept}
    series.add_params(connection, run=number, id_=run.id, given=dict(new))
    return [
        ParamFixed(run=run.id, param=name, value=repr(kept[name]), given=repr(value))
        for name, value in run.params.items()
        if name in kept and kept[name] != value
    ]


def seal(connection: Connection, number: int) -> None:
    """Keeps the digest over all that an ended run logged."""
    sealed, _ = series.seal(connection, number)
    store.change(connection, number, sealed=sealed)


# --- files ---


def put_files(connection: Connection, run: str, files: Sequence[Artifact]) -> None:
    """Names the files of a run, each in place of what had its path."""
    known = store.known(connection, run)
    assert known is not None, "the run was taken before its files"
    for file in files:
        check_path(file.path)
        store.put_artifact(connection, known.number, file)


# --- checking ---


def checked_texts(field: str, given: Mapping[str, str]) -> tuple[dict[str, str], list[BadField]]:
    """What has a name that can be shown, and the refusals of the rest."""
    good, refused = {}, []
    for name, value in given.items():
        try:
            check_key(field, name)
            check_text(f"{field}.{name}", value)
        except BadField as refusal:
            refused.append(refusal)
        else:
            good[name] = value
    return good, refused


def check_text(field: str, value: str) -> None:
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise BadField(field=field, value=repr(value[:100]), expected="a text without NUL characters")


def micros(moment: datetime) -> int:
    return (moment - EPOCH) // RESOLUTION


# --- counting ---


class Kept(Struct, frozen=True):
    """How much some runs hold here."""

    runs: int = 0
    params: int = 0
    tags: int = 0
    points: int = 0
    inputs: int = 0
    files: int = 0
    file_bytes: int = 0


def count(connection: Connection, ids: Sequence[str]) -> Kept:
    """What runs of these ids hold, all taken together, counted in the tables themselves."""
    total = [0] * len(Kept.__struct_fields__)
    for start in range(0, len(ids), AT_ONCE):
        here = runs.c.id.in_(ids[start : start + AT_ONCE])
        numbers = select(runs.c.number).where(here)
        part = [connection.execute(select(func.count()).select_from(runs).where(here)).scalar_one()]
        for table, what in (
            (params, func.count()),
            (tags, func.count()),
            (latest, func.coalesce(func.sum(latest.c.points), 0)),
            (readings, func.count()),
            (artifacts, func.count()),
            (artifacts, func.coalesce(func.sum(artifacts.c.size_bytes), 0)),
        ):
            query = select(what).select_from(table).where(table.c.run.in_(numbers))
            part.append(int(connection.execute(query).scalar_one()))
        total = [one + more for one, more in zip(total, part, strict=True)]
    return Kept(*total)
