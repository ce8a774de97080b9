"""The API of runs."""

from __future__ import annotations

import msgspec

from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.runs import contract
from taxiway.runs.comparison import Comparisons
from taxiway.runs.contract import Artifact, FetchArtifact, Packages
from taxiway.runs.points.log import Log
from taxiway.runs.service import Runs
from taxiway.runs.trash import trashed
from taxiway.runs.trash.trash import Trash
from taxiway.runs.trash.trashed import NameExperiment, Trashed
from taxiway.web.doorkeeper import Finder
from taxiway.web.downloads import Download
from taxiway.web.serve import Server


def bind(server: Server, runs: Runs, log: Log, comparisons: Comparisons, trash: Trash) -> None:
    server.doorkeeper.project_of["run"] = Finder(runs.project_of)

    def artifacts(caller: Caller, *, run: str) -> Page[Artifact]:
        return Page(runs.artifacts(run))

    def fetch(caller: Caller, body: FetchArtifact, *, run: str) -> Download:
        found = runs.artifact(run, body.path)
        name = found.path.rpartition("/")[2]
        return Download(runs.blobs.file(found.digest), name, found.media_type, found.digest)

    def frame(caller: Caller, body: FetchArtifact, *, run: str) -> Download:
        return msgspec.structs.replace(fetch(caller, body, run=run), is_framed=True)

    def packages(caller: Caller, *, run: str) -> Packages:
        return runs.packages(run)

    def delete_experiment(caller: Caller, body: NameExperiment) -> Trashed:
        return trash.delete_experiment(caller, trash.number_of(body))

    def restore_experiment(caller: Caller, body: NameExperiment) -> Trashed:
        return trash.restore_experiment(caller, trash.number_of(body))

    server.serve(trashed.delete_experiment, delete_experiment)  # before {run}, which would take its name for an id
    server.serve(trashed.restore_experiment, restore_experiment)
    server.serve(trashed.delete_run, trash.delete_run)
    server.serve(trashed.restore_run, trash.restore_run)
    server.serve(contract.start_run, runs.start)
    server.serve(contract.list_runs, runs.list)
    server.serve(contract.list_experiments, runs.experiments)  # before {run}, which would take its name for an id
    server.serve(contract.compare_runs, comparisons.compare)
    server.serve(contract.show_run, runs.show)
    server.serve(contract.log_batch, log.take_soon)
    server.serve(contract.capture_run, runs.capture)
    server.serve(contract.change_run, runs.change)
    server.serve(contract.use_dataset, runs.use)
    server.serve(contract.finish_run, runs.finish)
    server.serve(contract.read_metric, log.points)
    server.serve(contract.packages_of_run, packages)
    server.serve(contract.add_artifact, runs.add_artifact)
    server.serve(contract.list_artifacts, artifacts)
    server.serve(contract.fetch_artifact, fetch)
    server.serve(contract.frame_artifact, frame)
