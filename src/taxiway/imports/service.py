"""The rules of imports: what comes is checked, placed once, and what cannot be taken is named, never dropped."""

from __future__ import annotations

import hashlib
import re

import numpy as np
from msgspec.structs import asdict, replace
from sqlalchemy import Connection

from taxiway.audit.service import Ledger, Record
from taxiway.imports import store
from taxiway.imports.contract import (
    MOST_POINTS,
    AskStamps,
    Counts,
    Import,
    IncomingExperiment,
    IncomingRun,
    IncomingSeries,
    OpenImport,
    Skipped,
    Stamps,
    TakeExperiments,
    Taken,
    TakeRuns,
)
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound, TaxiwayError, TooLarge
from taxiway.kernel.ids import is_name
from taxiway.models.logged.service import LoggedModels
from taxiway.projects.service import DEFAULT, Projects
from taxiway.runs.foreign import intake
from taxiway.runs.foreign.arriving import Columns
from taxiway.runs.foreign.intake import Foreign
from taxiway.runs.foreign.sheets import Reading
from taxiway.runs.paths import check_key
from taxiway.runs.points import times
from taxiway.storage.database import Database, read_moment
from taxiway.traces.service import Traces

RUN_ID = re.compile(r"[0-9a-f]{32}")
LONGEST_SHOWN = 200


class Imports:
    """Sources, what came from them and what that is here."""

    def __init__(self, ledger: Ledger, projects: Projects, logged: LoggedModels, traces: Traces, clock: Clock) -> None:
        self.database: Database = ledger.database
        self.ledger = ledger
        self.projects = projects
        self.logged = logged
        self.traces = traces
        self.clock = clock

    def open(self, caller: Caller, body: OpenImport, *, source: str) -> Import:
        """The import of a source, begun at its first time. Raises BadField, NotFound."""
        if not is_name(source):
            raise BadField(field="source", value=repr(source[:100]), expected="a name of a-z, 0-9, '.', '_' and '-'")
        if body.project and body.project != DEFAULT:
            self.projects.find(body.project)
        if (found := self._find(source)) is not None:
            return self.with_counts(found)

        def make(record: Record) -> Import:
            new = Import(source, body.origin, body.project, caller.name, record.at)
            store.add(record.connection, new)
            record.note(origin=body.origin, project=body.project)
            return new

        return self.ledger.change(caller, "imports.open", f"import:{source}", make, answer=Import)

    def show(self, caller: Caller, *, source: str) -> Import:
        """An import with what is here of it, counted in the tables themselves. Raises NotFound."""
        return self.with_counts(self.require(source))

    def stamps(self, caller: Caller, body: AskStamps, *, source: str) -> Stamps:
        self.require(source)
        with self.database.read() as connection:
            return Stamps(store.stamps(connection, source, body.kind, body.ids))

    def with_counts(self, found: Import) -> Import:
        with self.database.read() as connection:
            kinds = store.count(connection, found.source)
            kept = intake.count(connection, store.all_ours(connection, found.source, "run"))
            measures, uses = self.logged.count(connection, store.all_ours(connection, found.source, "logged"))
            traces, spans, remarks = self.traces.count(connection, store.all_ours(connection, found.source, "trace"))
        here = Counts(
            experiments=kinds.get("experiment", 0),
            logged=kinds.get("logged", 0),
            measures=measures,
            uses=uses,
            traces=traces,
            spans=spans,
            remarks=remarks,
            models=kinds.get("model", 0),
            versions=kinds.get("version", 0),
            aliases=kinds.get("alias", 0),
            **asdict(kept),
        )
        return replace(found, here=here)

    # --- taking ---

    def take_experiments(self, caller: Caller, body: TakeExperiments, *, source: str) -> Taken:
        """Opens the experiments that are not here yet; each by its name. `default` takes what names none."""
        opened = self.require(source)

        def make(record: Record) -> Taken:
            connection = record.connection
            known = store.ours(connection, source, "experiment", [one.id for one in body.experiments])
            skipped: list[Skipped] = []
            rows = []
            for one in body.experiments:
                place = known[one.id].split("/", 1) if one.id in known else self._place(opened, one)
                try:
                    check_key("name", one.name)
                    intake.place_experiment(
                        record, project=place[0], name=place[1], given=one.tags, is_deleted=one.is_deleted
                    )
                except TaxiwayError as refusal:
                    skipped.append(Skipped("experiment", one.name[:LONGEST_SHOWN], str(refusal)))
                    continue
                rows.append((one.id, "/".join(place), "placed"))
            store.mark(connection, source, "experiment", rows)
            taken = Taken(new=len([row for row in rows if row[0] not in known]), skipped=skipped)
            record.note(new=taken.new, of=len(body.experiments))
            return taken

        return self.ledger.change(caller, "imports.experiments", f"import:{source}", make, answer=Taken)

    def _place(self, opened: Import, one: IncomingExperiment) -> list[str]:
        """The project and name of a new experiment: `project/name` where there is such a project."""
        if opened.project:
            return [opened.project, one.name]
        if one.id == "0" and one.name == "Default":
            return [DEFAULT, DEFAULT]
        project, slash, rest = one.name.partition("/")
        if slash and rest and is_name(project) and self._has_project(project):
            return [project, rest]
        return [DEFAULT, one.name]

    def _has_project(self, name: str) -> bool:
        try:
            self.projects.find(name)
        except NotFound:
            return False
        return True

    def take_runs(self, caller: Caller, body: TakeRuns, *, source: str) -> Taken:
        """Takes runs, or parts of them, in one change; parts that came before add nothing.

        Raises TooLarge, BadField for columns that are none.
        """
        self.require(source)
        points = sum(len(series.steps) // 8 for run in body.runs for series in run.series)
        if points > MOST_POINTS:
            raise TooLarge(what="The number of points", limit=MOST_POINTS, found=points)
        columns = [[columns_of(series) for series in run.series] for run in body.runs]

        def make(record: Record) -> Taken:
            part = RunPart(record, source, body.runs)
            for run, series in zip(body.runs, columns, strict=True):
                part.add(run, series)
            taken = part.take()
            record.note(new=taken.new, changed=taken.changed, points=taken.points, skipped=len(taken.skipped))
            return taken

        return self.ledger.change(caller, "imports.runs", f"import:{source}", make, answer=Taken)

    def run_here(self, source: str, theirs: str) -> str:
        """The id here of a run there. Raises NotFound."""
        with self.database.read() as connection:
            found = store.ours(connection, source, "run", [theirs])
        if theirs not in found:
            raise NotFound(kind="imported run", name=theirs, hint="Send the run before its files and models.")
        return found[theirs]

    def known(self, source: str, kind: str, theirs: str) -> tuple[str, str] | None:
        """What a thing of theirs is here, and its stamp."""
        with self.database.read() as connection:
            ours = store.ours(connection, source, kind, [theirs]).get(theirs)
            stamp = store.stamps(connection, source, kind, [theirs]).get(theirs, "")
        return None if ours is None else (ours, stamp)

    def keyed(self, caller: Caller, source: str, what: str) -> Caller:
        """The caller with an idempotency key, so that a step that was cut off is not done twice."""
        key = hashlib.sha256(f"{source}/{what}".encode()).hexdigest()[:40]
        return replace(caller, key=f"import-{key}", fingerprint=what)

    def mark(self, caller: Caller, source: str, kind: str, theirs: tuple[str, str, str]) -> None:
        """Notes what a thing is here: theirs, ours and the stamp of what was taken."""

        def make(record: Record) -> None:
            store.mark(record.connection, source, kind, [theirs])
            record.note(kind=kind, theirs=theirs[0], ours=theirs[1])

        plain = replace(caller, key=None)
        self.ledger.change(plain, "imports.mark", f"import:{source}", make, answer=type(None))

    def _find(self, source: str) -> Import | None:
        with self.database.read() as connection:
            return store.find(connection, source)

    def require(self, source: str) -> Import:
        """Raises NotFound."""
        found = self._find(source)
        if found is None:
            raise NotFound(kind="import", name=source[:100], hint="`PUT /api/imports/{source}` begins one.")
        return found

    def list(self, caller: Caller) -> Page[Import]:
        with self.database.read() as connection:
            return Page(store.all_imports(connection))


class RunPart:
    """Some runs on their way in, within one change."""

    def __init__(self, record: Record, source: str, runs: list[IncomingRun]) -> None:
        self.record = record
        self.source = source
        connection: Connection = record.connection
        self.known = store.ours(connection, source, "run", [run.id for run in runs])
        self.places = store.ours(connection, source, "experiment", list({run.experiment for run in runs}))
        self.experiments: dict[str, int] = {}
        self.ready: dict[str, Foreign] = {}
        self.marks: list[tuple[str, str, str]] = []
        self.skipped: list[Skipped] = []

    def add(self, run: IncomingRun, series: list[Columns]) -> None:
        """Makes a run ready to be taken, or says why it is not."""
        if run.experiment not in self.places:
            self.skipped.append(Skipped("run", run.id, f"its experiment {run.experiment!r} was not taken"))
            return
        id_ = self.known.get(run.id) or run_id(self.source, run.id)
        if id_ in self.ready:
            self.skipped.append(Skipped("run", run.id, "it stands twice in one part"))
            return
        if id_ != run.id:
            self.skipped.append(
                Skipped("run id", run.id, f"taken as {id_}: an id here has 32 hexadecimal digits", is_lost=False)
            )
        project, name = self.places[run.experiment].split("/", 1)
        if run.experiment not in self.experiments:
            self.experiments[run.experiment] = intake.place_experiment(self.record, project=project, name=name)
        params, odd_params = intake.checked_texts("params", run.params)
        tags, odd_tags = intake.checked_texts("tags", run.tags)
        self.skipped += [Skipped("value", run.id, str(refusal)) for refusal in (*odd_params, *odd_tags)]
        self.ready[id_] = Foreign(
            id=id_,
            project=project,
            experiment=self.experiments[run.experiment],
            name=run.name,
            status=run.status,
            user=run.user,
            started_at=read_moment(run.started_at),
            ended_at=None if run.ended_at is None else read_moment(run.ended_at),
            deleted_at=self.record.at if run.is_deleted else None,
            params=params,
            tags=tags,
            series=[one for one in series if self._is_good(run, one.key)],
            inputs=[Reading(**asdict(one)) for one in run.inputs],
            is_whole=run.stamp != "",
        )
        self.marks.append((run.id, id_, run.stamp))

    def _is_good(self, run: IncomingRun, key: str) -> bool:
        try:
            check_key("metric", key)
        except BadField as refusal:
            self.skipped.append(Skipped("metric", run.id, str(refusal)))
            return False
        return True

    def take(self) -> Taken:
        """Takes all that is ready."""
        arrived = intake.take_runs(self.record, list(self.ready.values()))
        store.mark(self.record.connection, self.source, "run", self.marks)
        refused = [Skipped("value", run, problem) for run, problem in arrived.refused]
        return Taken(arrived.new, arrived.changed, arrived.points, [*self.skipped, *refused])


def run_id(source: str, theirs: str) -> str:
    """The id of a run: its own where it is one here too, else one that is always drawn alike."""
    if RUN_ID.fullmatch(theirs):
        return theirs
    return hashlib.sha256(f"{source}/{theirs}".encode()).hexdigest()[:32]


def columns_of(series: IncomingSeries) -> Columns:
    """Raises BadField for columns of different lengths, or moments before 1970."""
    size = len(series.steps)
    if size % 8 or not size == len(series.at) == len(series.values):
        field = f"series.{series.key[:100]}"
        raise BadField(field=field, value="columns of different lengths", expected="8 bytes a point in each of three")
    at = np.frombuffer(series.at, "<i8").astype(np.int64)
    if at.size and not times.is_moment(latest := times.signed(int(times.unsigned(at).max()))):
        raise BadField(field="at", value=str(latest), expected=times.WORDS)
    return Columns(
        series.key,
        np.frombuffer(series.steps, "<i8").astype(np.int64),
        at,
        np.frombuffer(series.values, "<f8").astype(np.float64),
        series.before,
    )
