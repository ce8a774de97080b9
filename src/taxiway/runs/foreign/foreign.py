"""Runs as clients of other systems make them: under times, users and names of their own, and open to a later word.

What ours may not do, they may: take up a run again that has ended, which the audit log then says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct
from sqlalchemy import delete, insert, select

from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.ids import new_id
from taxiway.projects.service import enter_stage
from taxiway.runs import experiments, store
from taxiway.runs.contract import Run, RunStatus
from taxiway.runs.foreign.sheets import Reading, RunSheet, run_facts, run_sheets
from taxiway.runs.points import series
from taxiway.runs.refusals import RunTrashed
from taxiway.runs.search import words
from taxiway.runs.service import unknown
from taxiway.runs.tables import keys, readings, sources, tags
from taxiway.storage.database import EPOCH, Database
from taxiway.storage.rows import inserting

CONTEXT = "mlflow.data.context"
ENDED = ("finished", "failed", "stopped")
RESOLUTION = timedelta(microseconds=1)


class OpenRun(Struct, frozen=True):
    """A new run. user: a label, whoever it is that calls."""

    experiment: int
    name: str
    user: str
    started_at: datetime
    tags: dict[str, str] = {}


class UpdateRun(Struct, frozen=True):
    """What is None stays as it is."""

    status: RunStatus | None = None
    ended_at: datetime | None = None
    name: str | None = None


class Described(NamedTuple):
    """Data that runs of an experiment read. context: what for, such as training."""

    experiment: int
    name: str
    digest: str
    context: str


class ForeignRuns:
    """Opening, changing and reading runs for clients of other systems. What they log is taken by `log.Log`."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.database = database
        self.ledger = ledger

    def open(self, caller: Caller, body: OpenRun) -> RunSheet:
        """The new run. Raises NotFound for the experiment, ExperimentTrashed."""
        id_ = new_id()

        def make(record: Record) -> RunSheet:
            connection = record.connection
            experiments.ensure(record, body.experiment)
            project, name, location = experiments.living(connection, body.experiment)
            place = f"{location}/{id_}/artifacts" if "://" in location else ""
            record.project = project
            run = Run(
                id=id_,
                project=project,
                experiment=name,
                name=body.name,
                status="running",
                created_by=caller.name,
                started_at=body.started_at,
                heard_at=record.at,
            )
            number = store.add(connection, run, body.experiment, user=body.user, location=place)
            series.put_tags(connection, run=number, given=body.tags)
            enter_stage(record, project, "experiment", because=run.ref)
            record.note(experiment=name, name=run.name, user=body.user, tags=body.tags)
            return new_sheet(number, run, body, place)

        return self.ledger.change(caller, "runs.start", f"run:{id_}", make, answer=RunSheet)

    def update(self, caller: Caller, body: UpdateRun, *, run: str) -> None:
        """Renames a run, ends it or takes it up again. Raises NotFound, RunTrashed."""

        def make(record: Record) -> None:
            known = self._living(record, run)
            values: dict[str, Any] = {"heard_at": record.at}
            if body.name is not None:
                values["name"] = body.name
            if body.ended_at is not None:
                values["ended_at"] = body.ended_at
            if body.status in ENDED:
                sealed, points = series.seal(record.connection, known.number)
                values |= {"status": body.status, "sealed": sealed, "ended_at": body.ended_at or record.at}
                record.verb = "runs.finish"
                record.note(points=points)
            elif body.status is not None:
                is_running = body.status == "running"
                values |= {"status": body.status, "sealed": "", "ended_at": None if is_running else body.ended_at}
                record.verb = "runs.reopen" if known.status in ENDED else "runs.change"
            store.change(record.connection, known.number, **values)
            record.note(before=known.status, **{name: v for name, v in values.items() if name != "heard_at"})

        self._change(caller, "runs.change", run, make)

    def untag(self, caller: Caller, key: str, *, run: str) -> None:
        """Raises NotFound, also for the tag, and RunTrashed."""

        def make(record: Record) -> None:
            known = self._living(record, run)
            number = select(keys.c.number).where(keys.c.name == key).scalar_subquery()
            dropping = delete(tags).where(tags.c.run == known.number, tags.c.key == number)
            with words.kept(record.connection, known.number):
                is_gone = record.connection.execute(dropping).rowcount > 0
            if not is_gone:
                raise NotFound(kind="tag", name=key[:100], hint=f"The run {run} has no such tag.")
            record.note(tag=key)

        self._change(caller, "runs.untag", run, make)

    def read(self, caller: Caller, given: Sequence[Reading], *, run: str) -> None:
        """Notes the data that a run read, each by name and digest once. Raises NotFound, RunTrashed."""

        def make(record: Record) -> None:
            known = self._living(record, run)
            experiment = run_sheets(record.connection, [known.number])[0].experiment
            for one in given:
                add_reading(record, known.number, experiment, one)
            record.note(data=[f"{one.name}@{one.digest}" for one in given])

        self._change(caller, "runs.read_data", run, make)

    def _change(self, caller: Caller, verb: str, run: str, make: Callable[[Record], None]) -> None:
        self.ledger.change(caller, verb, f"run:{run}", make, answer=type(None))

    def _living(self, record: Record, run: str) -> store.Known:
        """The run within a change, whose project it says. Raises NotFound, RunTrashed."""
        known = store.known(record.connection, run)
        if known is None:
            raise unknown(run)
        record.project = known.project
        if known.is_trashed:
            raise RunTrashed(run=run)
        return known

    # --- reading ---

    def known(self, run: str) -> store.Known:
        """Raises NotFound."""
        with self.database.read() as connection:
            found = store.known(connection, run)
        if found is None:
            raise unknown(run)
        return found

    def facts(self, run: str) -> RunSheet:
        """The run without what was logged to it. Raises NotFound."""
        with self.database.read() as connection:
            found = run_facts(connection, run)
        if found is None:
            raise unknown(run)
        return found

    def sheet(self, run: str) -> RunSheet:
        """Raises NotFound."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            return run_sheets(connection, [known.number])[0]

    def sheets(self, numbers: Sequence[int]) -> list[RunSheet]:
        with self.database.read() as connection:
            return run_sheets(connection, numbers)

    def described(self, numbers: Collection[int], *, most: int) -> list[Described]:
        """The data that runs of these experiments read, each with what for, by experiment and name."""
        query = (
            select(sources.c.experiment, sources.c.name, sources.c.digest, readings.c.context)
            .join(readings, readings.c.source == sources.c.number)
            .where(sources.c.experiment.in_(numbers))
            .distinct()
            .order_by(sources.c.experiment, sources.c.name, sources.c.digest, readings.c.context)
        )
        with self.database.read() as connection:
            return [Described(*row) for row in connection.execute(query.limit(most))]


def new_sheet(number: int, run: Run, body: OpenRun, location: str) -> RunSheet:
    """A run that was opened this moment, as it would be read."""
    return RunSheet(
        number=number,
        id=run.id,
        experiment=body.experiment,
        project=run.project,
        name=run.name,
        status="running",
        user=body.user,
        location=location,
        started_at=(run.started_at - EPOCH) // RESOLUTION,
        ended_at=None,
        is_trashed=False,
        tags=sorted(body.tags.items()),
    )


def add_reading(record: Record, run: int, experiment: int, given: Reading) -> None:
    """Keeps the description of data once for an experiment, and that the run read it."""
    connection = record.connection
    described = {name: getattr(given, name) for name in Reading.__struct_fields__ if name != "tags"}
    adding = inserting(connection, sources).values(experiment=experiment, **described)
    connection.execute(adding.on_conflict_do_nothing())
    where = (sources.c.experiment == experiment, sources.c.name == given.name, sources.c.digest == given.digest)
    number = connection.execute(select(sources.c.number).where(*where)).scalar_one()
    there = select(readings.c.run).where(readings.c.run == run, readings.c.source == number)
    if connection.execute(there).first() is None:
        row = {"run": run, "source": number, "name": given.name, "digest": given.digest, "tags": given.tags}
        connection.execute(insert(readings).values(**row, context=given.tags.get(CONTEXT, "")))
