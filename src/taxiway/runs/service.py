"""The rules of runs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime

import msgspec

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.datasets.service import Datasets
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.kernel.ids import new_id
from taxiway.kernel.thing import parse
from taxiway.lineage.service import draw_edge
from taxiway.projects.service import enter_stage, open_project
from taxiway.runs import store
from taxiway.runs.contract import (
    CHANGES,
    LOCK,
    NOTEBOOK,
    SOURCES,
    AddArtifact,
    Artifact,
    CaptureRun,
    ChangeRun,
    Environment,
    Experiment,
    FinishRun,
    ListExperiments,
    ListRuns,
    Packages,
    Run,
    StartRun,
    UseDataset,
)
from taxiway.runs.experiments import check_experiment, number_of
from taxiway.runs.paths import check_key, check_path
from taxiway.runs.points import series
from taxiway.runs.refusals import RunEnded, RunTrashed
from taxiway.runs.search.searching import Searching
from taxiway.storage.blobs import Blobs
from taxiway.storage.database import Database

MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,80}")
KEPT_AS = {
    SOURCES: "application/json",
    CHANGES: "text/x-diff",
    NOTEBOOK: "application/x-ipynb+json",
    LOCK: "text/plain",
}


class Runs:
    """Experiments and runs. What they log in batches is taken by `logging.Log`."""

    def __init__(
        self, database: Database, ledger: Ledger, access: Access, blobs: Blobs, datasets: Datasets, clock: Clock
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.blobs = blobs
        access.digests.named_in.append(store.names_digest)
        self.datasets = datasets
        self.clock = clock
        self.settled: Callable[[Artifact], Artifact] = lambda artifact: artifact  # until stores are known
        self.search = Searching(database, access, clock)

    def start(self, caller: Caller, body: StartRun) -> Run:
        """Opens a run; the experiment, and the project `default`, are made at their first use.

        One whose id the client drew is opened once: the same again gives it as it is, also where it was moved to
        another experiment. Raises AlreadyExists where the id belongs to a run of another project.
        """
        check_experiment(body.experiment)
        for tag in body.tags:
            check_key("tags", tag)
        if body.id is not None and (found := self.opened(body.id, body)) is not None:
            return found
        id_ = body.id or new_id()

        def make(record: Record) -> Run:
            connection, at = record.connection, record.at
            if there := store.find(connection, [id_], at):  # opened this very moment by another process of the run
                return there[0]
            open_project(record, body.project)
            experiment = number_of(record, body.project, body.experiment)
            run = Run(
                id=id_,
                project=body.project,
                experiment=body.experiment,
                name=body.name or f"{body.experiment}-{store.count_runs(connection, experiment) + 1}",
                status="running",
                created_by=caller.name,
                started_at=min(body.started_at or at, at),
                heard_at=at,
                tags=body.tags,
            )
            number = store.add(connection, run, experiment)
            series.put_tags(connection, run=number, given=body.tags)
            enter_stage(record, body.project, "experiment", because=run.ref)
            record.note(experiment=body.experiment, name=run.name, tags=body.tags)
            return run

        return self.ledger.change(caller, "runs.start", f"run:{id_}", make, answer=Run, project=body.project)

    def opened(self, id_: str, body: StartRun) -> Run | None:
        """The run of that id, where it was opened before. Raises AlreadyExists for one that is elsewhere."""
        with self.database.read() as connection:
            found = store.find(connection, [id_], self.clock())
        if found and found[0].project != body.project:
            raise AlreadyExists(kind="run", name=id_, hint="Draw an id for each run.")
        return found[0] if found else None

    def capture(self, caller: Caller, body: CaptureRun, *, run: str) -> Run:
        """Keeps what a run was: its command, sources and surroundings."""
        project = self.project_of(run)
        digests = {path: d for path, d in kept_files(body).items() if d}
        sizes = {digest: self.size_of(caller, digest) for digest in digests.values()}

        def make(record: Record) -> Run:
            number = self.open_number(record, run)
            if body.command is not None:
                store.change(record.connection, number, command=body.command)
            if body.code is not None:
                store.change(record.connection, number, code=body.code)
            for path, digest in digests.items():
                artifact = Artifact(run, path, digest, sizes[digest], KEPT_AS[path], record.at)
                store.put_artifact(record.connection, number, artifact)
            if body.environment is not None:
                environment = sealed_environment(body.environment, body.packages)
                store.put_environment(record.connection, environment, body.packages)
                store.change(record.connection, number, environment=environment.digest)
                record.note(environment=environment.digest)
            record.note(command=body.command, code=body.code and msgspec.to_builtins(body.code))
            return store.whole(record.connection, [number], record.at)[0]

        return self.ledger.change(caller, "runs.capture", f"run:{run}", make, answer=Run, project=project)

    def change(self, caller: Caller, body: ChangeRun, *, run: str) -> Run:
        """Renames or tags a run, at any time; moves one that goes on. Raises RunEnded, ExperimentTrashed."""
        project = self.project_of(run)
        if body.experiment is not None:
            check_experiment(body.experiment)
        for tag in body.tags:
            check_key("tags", tag)

        def make(record: Record) -> Run:
            number = require(record, run).number
            before = store.whole(record.connection, [number], record.at)[0]
            if body.name is not None:
                store.change(record.connection, number, name=body.name)
            if body.experiment not in (None, before.experiment):
                self.open_number(record, run)
                experiment = number_of(record, project, body.experiment)
                store.change(record.connection, number, experiment=experiment)
                record.note(experiment=[before.experiment, body.experiment])
            series.put_tags(record.connection, run=number, given=body.tags)
            after = store.whole(record.connection, [number], record.at)[0]
            record.note(name=[before.name, after.name], tags=body.tags)
            return after

        return self.ledger.change(caller, "runs.change", f"run:{run}", make, answer=Run, project=project)

    def use(self, caller: Caller, body: UseDataset, *, run: str) -> Run:
        """Notes that a run read a dataset version, and draws the edge."""
        project = self.project_of(run)
        thing = parse(body.dataset)
        owner, slash, name = thing.name.partition("/")
        if thing.kind != "dataset" or not slash or not name or thing.version is None:
            expected = "a reference such as dataset:mortgage-approvals/loanapp@2"
            raise BadField(field="dataset", value=repr(body.dataset[:100]), expected=expected)
        about = f"{owner}/{name}"
        self.access.admit(caller, "datasets.read", kind="dataset", name=about, find=lambda: [owner])
        self.datasets.find(owner, name, thing.version)

        def make(record: Record) -> Run:
            number = self.open_number(record, run)
            store.add_input(record.connection, number, body.dataset)
            draw_edge(record, source=body.dataset, verb="read_by", target=f"run:{run}", project=project)
            record.note(dataset=body.dataset)
            return store.whole(record.connection, [number], record.at)[0]

        return self.ledger.change(caller, "runs.use", f"run:{run}", make, answer=Run, project=project)

    def add_artifact(self, caller: Caller, body: AddArtifact, *, run: str) -> Artifact:
        """Keeps a file with a run; while it runs, the same path may be written again. Raises RunEnded."""
        project = self.project_of(run)
        check_path(body.path)
        if not MEDIA_TYPE.fullmatch(body.media_type):
            expected = "a media type such as image/svg+xml"
            raise BadField(field="media_type", value=repr(body.media_type[:100]), expected=expected)
        size = self.size_of(caller, body.digest)
        if body.predictions is not None and body.predictions.digest != body.digest:
            self.size_of(caller, body.predictions.digest)

        def make(record: Record) -> Artifact:
            number = self.open_number(record, run)
            artifact = Artifact(run, body.path, body.digest, size, body.media_type, record.at, body.predictions)
            store.put_artifact(record.connection, number, artifact)
            record.note(path=body.path, digest=body.digest, size_bytes=size)
            return artifact

        return self.ledger.change(caller, "runs.add_artifact", f"run:{run}", make, answer=Artifact, project=project)

    def finish(self, caller: Caller, body: FinishRun, *, run: str) -> Run:
        """Ends a run and seals its metrics. Ending it again the same way gives the same answer; else RunEnded."""
        project = self.project_of(run)
        if (found := self.find(run)).status == body.status:
            return found

        def make(record: Record) -> Run:
            known = require(record, run)
            if known.status not in ("running", body.status):
                raise RunEnded(run=run, ended_as=known.status)
            if known.status == "running":
                sealed, points = series.seal(record.connection, known.number)
                store.change(
                    record.connection,
                    known.number,
                    status=body.status,
                    ended_at=self.ended_at(record, body, known.number),
                    heard_at=record.at,
                    cpu_s=body.cpu_s,
                    exit_code=body.exit_code,
                    failure=body.failure,
                    sealed=sealed,
                )
                record.note(**msgspec.to_builtins(body), sealed=sealed, points=points)
            ended = store.whole(record.connection, [known.number], record.at)[0]
            record.note(params=ended.params, metrics=ended.metrics)
            return ended

        return self.ledger.change(caller, "runs.finish", f"run:{run}", make, answer=Run, project=project)

    def ended_at(self, record: Record, body: FinishRun, number: int) -> datetime:
        """When a run ended: as it was told, but never after now, nor before it began."""
        (run,) = store.whole(record.connection, [number], record.at)
        return max(run.started_at, min(body.ended_at or record.at, record.at))

    # --- reading ---

    def find(self, run: str) -> Run:
        """Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, [run], self.clock())
        if not found:
            raise unknown(run)
        return found[0]

    def names(self, ids: list[str]) -> dict[str, str]:
        """What the runs of these ids are called; those that do not exist are left out."""
        with self.database.read() as connection:
            return store.names_of(connection, ids)

    def show(self, caller: Caller, *, run: str) -> Run:
        return self.find(run)

    def project_of(self, run: str) -> str:
        """Raises NotFound."""
        with self.database.read() as connection:
            known = store.known(connection, run)
        if known is None:
            raise unknown(run)
        return known.project

    def experiments(self, caller: Caller, body: ListExperiments) -> Page[Experiment]:
        """Every experiment of the projects that the caller may see, by name."""
        visible = self.access.visible(caller)
        if body.project:
            visible = [body.project] if visible is None or body.project in visible else []
        with self.database.read() as connection:
            return Page(store.experiments_of(connection, visible))

    def experiment_names(self, caller: Caller, project: str, *, most: int) -> list[str]:
        """The names of experiments of a project, or of all that the caller may see."""
        visible = self.access.visible(caller)
        if project:
            visible = [project] if visible is None or project in visible else []
        with self.database.read() as connection:
            return store.experiment_names(connection, visible, most)

    def artifacts(self, run: str) -> list[Artifact]:
        """The files of a run, by path. Raises NotFound."""
        with self.database.read() as connection:
            known = store.known(connection, run)
            if known is None:
                raise unknown(run)
            return store.artifacts_of(connection, run, known.number)

    def artifact(self, run: str, path: str) -> Artifact:
        """Raises NotFound."""
        found = next((a for a in self.artifacts(run) if a.path == path), None)
        if found is None:
            hint = f"`taxiway runs artifacts {run}` lists what the run left behind."
            raise NotFound(kind="artifact", name=path[:200], hint=hint)
        return self.settled(found)

    def with_artifact(self, digest: str) -> list[str]:
        """The ids of the runs that kept a file of this digest, oldest first."""
        with self.database.read() as connection:
            return store.runs_with_artifact(connection, digest)

    def packages(self, run: str) -> Packages:
        """Raises NotFound."""
        found = self.find(run)
        with self.database.read() as connection:
            return store.packages_of(connection, found.environment.digest if found.environment else "")

    def size_of(self, caller: Caller, digest: str) -> int:
        """The size of bytes that the caller may name. Raises NotFound where they were not sent first."""
        self.access.digests.require(caller, digest)
        return self.blobs.size(digest)

    def open_number(self, record: Record, run: str) -> int:
        """The number of a run that still takes something, within a change. Raises RunEnded, NotFound."""
        known = require(record, run)
        if known.status != "running":
            raise RunEnded(run=run, ended_as=known.status)
        store.change(record.connection, known.number, heard_at=record.at)
        return known.number

    def count(self, caller: Caller, ask: ListRuns) -> dict[str, int]:
        """How many runs a list has in all, by status."""
        return self.search.count(caller, ask)

    def list(self, caller: Caller, body: ListRuns) -> Page[Run]:
        """The runs that the caller may see and the filter lets through, in order."""
        return self.search.list(caller, body)


def require(record: Record, run: str) -> store.Known:
    """A run that takes changes. Raises NotFound, RunTrashed."""
    found = store.known(record.connection, run)
    if found is None:
        raise unknown(run)
    if found.is_trashed:
        raise RunTrashed(run=run)
    return found


def unknown(run: str) -> NotFound:
    return NotFound(kind="run", name=run[:100], hint="`taxiway runs list` shows those there are.")


def kept_files(body: CaptureRun) -> dict[str, str]:
    """The digests of the files that hold what a run started from, by the artifact's path."""
    code = body.code
    files = {SOURCES: code.sources, CHANGES: code.changes, NOTEBOOK: code.notebook} if code else {}
    return {**files, LOCK: body.lock}


def sealed_environment(environment: Environment, packages: dict[str, str]) -> Environment:
    """The environment with the digest over all that it says and over every package."""
    plain = msgspec.structs.replace(environment, packages=len(packages), digest="")
    said = msgspec.json.encode([plain, packages], order="sorted")
    return msgspec.structs.replace(plain, digest=f"sha256:{hashlib.sha256(said).hexdigest()}")
