"""The SDK of runs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField
from taxiway.kernel.ids import new_id
from taxiway.kernel.settings import Settings
from taxiway.kernel.transport import Transport
from taxiway.runs import contract
from taxiway.runs.active import ActiveRun, Version
from taxiway.runs.again.sameness import TOLERANCE, Reproduction
from taxiway.runs.capturing.opened import opened_at
from taxiway.runs.contract import (
    Artifact,
    ChangeRun,
    CompareRuns,
    Comparison,
    Ending,
    Experiment,
    FetchArtifact,
    FinishRun,
    ListExperiments,
    ListRuns,
    Packages,
    Point,
    ReadMetric,
    Run,
    StartRun,
)
from taxiway.runs.sending.recorder import ANSWER_S, Recorder, opening, place_of
from taxiway.runs.sending.sync import Synced, folders_of, sync
from taxiway.runs.trash.trashing import Trashing
from taxiway.runs.values import comparison_in_floats, point_in_floats, run_in_floats

log = logging.getLogger("taxiway")

LogModel = Callable[..., Any]  # (run, model, name, **facts): composed by the client, for models are above runs

MOST_IN_A_PAGE = 500
UNSAID = "default"  # the experiment of runs for which nobody named one

Surrounding = Literal["rebuild", "current"]


class Runs(Trashing):
    """Experiments and runs: ``client.runs``."""

    def __init__(self, transport: Transport, settings: Settings, log_model: LogModel | None = None) -> None:
        self.transport = transport
        self.settings = settings
        self.log_model = log_model
        self._opened = opened_at(settings)
        self._syncing: threading.Thread | None = None
        self._is_closed = False

    def start(
        self,
        name: str = "",
        *,
        project: str | None = None,
        experiment: str | None = None,
        tags: Mapping[str, str] | None = None,
        source: str | Path | None = None,
    ) -> ActiveRun:
        """Opens a run and captures sources, packages and command beside it. Raises NotFound, NotAllowed, BadField.

        A server that is away costs a tenth of a second: the run begins all the same and is opened there later, when
        it answers or by `taxiway runs sync`.

        name: by default the experiment's, with a number. project, experiment: by default TAXIWAY_PROJECT and
        TAXIWAY_EXPERIMENT, or what taxiway.toml says, or "default". An experiment is made at its first use.
        source: the folder whose sources are kept; by default the working folder, in git its whole tree.
        In a script that `taxiway run` started, the first run that does not name another project is the one that
        was opened for it, with the sources that `taxiway run` kept. It goes to the experiment that the script names,
        unless `taxiway run` was told another: then that is kept, and a warning says so.

        >>> with client.runs.start("baseline", project="fraud") as run:  # doctest: +SKIP
        ...     run.log(step=1, loss=0.3)
        """
        folder = None if source is None else folder_of(source)
        self._opened.count += 1
        attached = self._attached(project)
        if attached is not None:
            if name:
                attached.rename(name)
            self._settle(attached, experiment)
            attached.tag(**dict(tags or {}))
            return self._opened.begin(attached)
        body = opening(
            project=project or self.settings.project,
            experiment=experiment or self.settings.experiment,
            name=name,
            tags=dict(tags or {}),
        )
        recorder, run = self._open(body)
        return self._opened.begin(
            ActiveRun(
                self.transport,
                recorder,
                run,
                log_model=self.log_model,
                source=folder,
                nth=self._opened.count,
                system_s=self.settings.system_s,
            )
        )

    def _open(self, body: StartRun) -> tuple[Recorder, Run]:
        self._sync_beside()
        recorder = Recorder(self.transport, self.settings, body.id or new_id(), body.name)
        return recorder, recorder.open(body)

    def sync(self) -> list[Synced]:
        """Delivers what processes that are gone logged while the server was away, and says what came of each run.

        The first run of a process does the same beside its work. A run whose process lives is left to that.
        """
        transport = self.transport.hasty(timeout_s=ANSWER_S)
        try:
            return sync(transport, place_of(self.settings), lambda: not self._is_closed)
        finally:
            transport.close()

    def _sync_beside(self) -> None:
        """Once in a process: what dead ones left is delivered while this one works."""
        if self._syncing is None and folders_of(place_of(self.settings)):
            self._syncing = threading.Thread(target=self._sync_quietly, name="taxiway-sync", daemon=True)
            self._syncing.start()

    def _sync_quietly(self) -> None:
        transport = self.transport.hasty(timeout_s=ANSWER_S)
        for one in sync(transport, place_of(self.settings), self._is_wanted):
            if one.delivered or one.files or one.is_ended:
                log.info("run %s: %d items of a process that is gone were delivered", one.run, one.delivered)
        transport.close()

    def _is_wanted(self) -> bool:
        return not self._is_closed and threading.main_thread().is_alive()

    def close(self) -> None:
        """Ends the delivery of what others left."""
        self._is_closed = True
        if self._syncing is not None:
            self._syncing.join(ANSWER_S)

    def note_read(self, version: Version) -> None:
        """Notes data that was read through the SDK with the open runs; without one, with all that follow."""
        self._opened.note_read(version)

    def _attached(self, project: str | None) -> ActiveRun | None:
        """The run that `taxiway run` opened, while it runs and nobody in this process took it yet."""
        if self.settings.run is None or self._opened.is_attached or self._opened.count < self.settings.run_nth:
            return None
        if project not in (None, self.settings.project):
            return None
        body = StartRun(self.settings.project, self.settings.experiment, id=self.settings.run)
        try:
            recorder, run = self._open(body)
        except AlreadyExists:  # it is of another project than the one that this process works on
            return None
        if run.status not in ("running", "lost"):
            recorder.abandon()
            return None
        self._opened.is_attached = True
        return ActiveRun(self.transport, recorder, run, is_attached=True, log_model=self.log_model)

    def _settle(self, attached: ActiveRun, named: str | None) -> None:
        """Has the run of `taxiway run` in the experiment that the script names, unless that was told another."""
        named, kept = named or self.settings.experiment, attached.run.experiment
        if named in (kept, UNSAID):
            return
        if kept == UNSAID:
            attached.move(named)
            return
        log.warning(
            "run %s: it stays in the experiment %r, which `taxiway run` was told, although the script names %r. "
            "For the script's, leave out --experiment, TAXIWAY_EXPERIMENT and the line in taxiway.toml, or write "
            "`taxiway run --experiment %s -- ...`.",
            *(attached.run.name or attached.id, kept, named, named),
        )

    def show(self, run: str) -> Run:
        """A run with its newest metrics, as floats. Raises NotFound."""
        return run_in_floats(self.transport.call(contract.show_run, run=run))

    def page(self, ask: ListRuns) -> Page[Run]:
        """One page of a list, and where the next begins."""
        page = self.transport.call(contract.list_runs, ask)
        return msgspec.structs.replace(page, items=[run_in_floats(run) for run in page.items])

    def experiments(self, project: str = "") -> list[Experiment]:
        """Every experiment one may see, by project and name."""
        return self.transport.call(contract.list_experiments, ListExperiments(project)).items

    def metric(self, run: str, key: str) -> list[Point]:
        """Every point of a metric, by step; at equal steps by time. Raises NotFound for an unknown run."""
        found: list[Point] = []
        after: str | None = ""
        while after is not None:
            page = self.transport.call(contract.read_metric, ReadMetric(key, after=after), run=run)
            found += map(point_in_floats, page.items)
            after = page.next
        return found

    def compare(self, *runs: str) -> Comparison:
        """Two to twenty runs side by side: parameters, metrics, tags, inputs, environment and code."""
        return comparison_in_floats(self.transport.call(contract.compare_runs, CompareRuns(run=[*runs])))

    def reproduce(
        self,
        run: str,
        *,
        tolerance: float = TOLERANCE,
        ignored: Sequence[str] = (),
        environment: Surrounding = "rebuild",
        keep: bool = False,
        tell: Callable[[str], None] | None = None,
    ) -> Reproduction:
        """Does a run again, from what was kept of it, as a new run, and holds that against the first.

        tolerance: the largest difference of two values, relative to the larger where that is above 1. ignored: patterns
        of metrics that do not count, such as ``*_s`` for times. environment: the run's packages made anew by uv, or
        the "current" ones. keep: leaves the folder that it ran in. tell: is told of each step.
        Raises NotFound, BadField for a run that goes on, UvMissing, RebuildFailed.

        >>> client.runs.reproduce(run.id).verdict  # doctest: +SKIP
        'bit-equal'
        """
        from taxiway.runs.again.reproduce import Again, Asked

        asked = Asked(tolerance, [*ignored], environment, keep)
        return Again(self.transport, self.settings, run, asked, tell or log.info).reproduce()

    def reproductions(self, run: str) -> list[Reproduction]:
        """Every time that a run was done again, newest first. Raises NotFound."""
        return self.transport.call(contract.list_reproductions, run=run).items

    def packages(self, run: str) -> Packages:
        """What was installed where the run ran."""
        return self.transport.call(contract.packages_of_run, run=run)

    def artifacts(self, run: str) -> list[Artifact]:
        """The files that a run left behind, by path."""
        return self.transport.call(contract.list_artifacts, run=run).items

    def download(self, run: str, path: str, to: str | Path = ".") -> Path:
        """Writes an artifact to a file, or into a folder under its own name; gives the file. Raises NotFound."""
        target = Path(to)
        if target.is_dir():
            target /= path.rpartition("/")[2]
        beside = target.with_name(f"{target.name}.part")
        try:
            with beside.open("wb") as file:
                self.transport.download(contract.fetch_artifact, file, FetchArtifact(path), run=run)
            beside.rename(target)
        finally:
            beside.unlink(missing_ok=True)
        return target

    def change(
        self,
        run: str,
        *,
        name: str | None = None,
        tags: Mapping[str, str] | None = None,
        experiment: str | None = None,
    ) -> Run:
        """Renames or tags a run, also after it ended; moves one that goes on. Raises RunEnded."""
        ask = ChangeRun(name=name, tags=dict(tags or {}), experiment=experiment)
        return run_in_floats(self.transport.call(contract.change_run, ask, run=run))

    def finish(self, run: str, status: Ending = "finished", *, failure: str = "") -> Run:
        """Ends a run that was left open, such as a lost one. Raises RunEnded."""
        return run_in_floats(self.transport.call(contract.finish_run, FinishRun(status, failure=failure), run=run))

    def list(
        self,
        filter: str = "",  # noqa: A002 - the word that CLI, URL and documents use
        *,
        project: str = "",
        experiment: str = "",
        order: str = "started_at desc",
        limit: int = 50,
        deleted: bool = False,
    ) -> list[Run]:
        """The first runs that the filter lets through, in order. Raises BadField.

        order: one field or several, such as "metrics.auc desc, name". deleted: those in the trash instead.

        >>> client.runs.list("metrics.auc > 0.8", order="metrics.auc desc")  # doctest: +SKIP
        """
        found: list[Run] = []
        after: str | None = ""
        while after is not None and len(found) < limit:
            size = min(limit - len(found), MOST_IN_A_PAGE)
            page = self.page(ListRuns(project, experiment, filter, order, size, after, deleted))
            found += page.items
            after = page.next
        return found


def folder_of(source: str | Path) -> Path:
    """The folder that a run's code is kept from. Raises BadField where there is none."""
    folder = Path(source).absolute()
    if not folder.is_dir():
        raise BadField(field="source", value=repr(str(source)), expected="a folder that exists, such as 'src/training'")
    return folder
