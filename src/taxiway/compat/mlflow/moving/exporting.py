"""Writing everything as MLflow's file store keeps it, so that its own client opens the folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import yaml
from msgspec.structs import replace

from taxiway.compat.mlflow.moving.exporting_ties import Ties
from taxiway.compat.mlflow.moving.files import META
from taxiway.compat.mlflow.moving.importing import Progress
from taxiway.compat.mlflow.moving.report import Exported
from taxiway.compat.mlflow.moving.source import NUMBERED, STATUSES, Found, FoundLogged, Series, Source
from taxiway.compat.mlflow.moving.trees import Tree, TreeUnreadable
from taxiway.imports.contract import Counts, IncomingExperiment, IncomingModel, IncomingVersion, Skipped
from taxiway.kernel.errors import BadField, TaxiwayError
from taxiway.runs.points.times import array_to_ms

NUMBERS = {ours: number for number, name in NUMBERED.items() for ours in [STATUSES[name]]}
LOCAL = 4  # what kind of source a run had: a file of somebody's own
READY = 2
STAGE_TAG = "mlflow.stage"


class Exporting:
    """One source on its way to a folder. tree: finds the files of a run or a logged model."""

    def __init__(
        self, source: Source, folder: Path, *, tree: Callable[[str], Tree], tell: Callable[[Progress], None]
    ) -> None:
        """Raises BadField for a folder with something in it."""
        self.source = source
        self.folder = folder.absolute()
        if self.folder.exists() and any(self.folder.iterdir()):
            raise BadField(field="folder", value=repr(str(folder)), expected="a folder that is empty or absent")
        self.tree = tree
        self.tell = tell
        self.progress = Progress()
        self.skipped: list[Skipped] = []
        self.homes: dict[str, Path] = {}  # of experiments, by id
        self.counts = Counts()
        self.ties = Ties(self)

    def run(self) -> Exported:
        """Writes it all; what cannot be written is listed."""
        (self.folder / ".trash").mkdir(parents=True)
        for experiment in sorted(self.source.experiments(), key=lambda one: one.id):
            self._experiment(experiment)
        if "0" not in self.homes:
            self._experiment(IncomingExperiment("0", "Default"))
        for runs in self.source.runs(None):
            self._runs(runs)
        for logged in self.source.logged():
            self._logged(logged)
        for model in self.source.models():
            self._model(model)
        for traces in self.source.traces(None):
            self.ties.traces(traces)
        return Exported(str(self.folder), self.counts, [*self.source.skipped, *self.skipped])

    def add(self, **more: int) -> None:
        self.counts = replace(self.counts, **{name: getattr(self.counts, name) + n for name, n in more.items()})
        self.tell(self.progress)

    # --- experiments and runs ---

    def _experiment(self, one: IncomingExperiment) -> None:
        home = (self.folder / ".trash" if one.is_deleted else self.folder) / one.id
        home.mkdir()
        self.homes[one.id] = home
        at = (one.created_at or 0) // 1000
        facts = {
            "artifact_location": (self.folder / one.id).as_uri(),
            "creation_time": at,
            "experiment_id": one.id,
            "last_update_time": at,
            "lifecycle_stage": "deleted" if one.is_deleted else "active",
            "name": one.name,
        }
        write_yaml(home / META, facts)
        self.texts(home / "tags", one.tags, one.name)
        self.add(experiments=1)

    def _runs(self, runs: Sequence[Found]) -> None:
        for run in runs:
            folder = self.homes[run.experiment] / run.id
            for name in ("params", "metrics", "tags", "artifacts"):
                (folder / name).mkdir(parents=True)
            write_yaml(folder / META, facts_of(run, folder))
            params = self.texts(folder / "params", run.params, run.id)
            tags = self.texts(folder / "tags", {"mlflow.runName": run.name, **run.tags}, run.id)
            self._files(run.id, run.place, folder / "artifacts")
            self.progress.runs += 1
            self.add(runs=1, params=params, tags=tags, inputs=self.ties.inputs(run, folder))
        for id_, series in self.source.series(runs):
            home = next(self.homes[run.experiment] for run in runs if run.id == id_)
            self.add(points=sum(self._metric(home / id_ / "metrics", id_, one) for one in series))

    def _metric(self, folder: Path, run: str, series: Series) -> int:
        file = self.within(folder, series.key, run)
        if file is None:
            return 0
        rows = zip(array_to_ms(series.at).tolist(), series.values.tolist(), series.steps.tolist(), strict=True)
        with file.open("w", encoding="utf-8") as out:
            out.writelines(f"{at} {value!r} {step}\n" for at, value, step in rows)
        self.progress.points += len(series.steps)
        return len(series.steps)

    def write_yaml(self, file: Path, facts: Mapping[str, Any]) -> None:
        write_yaml(file, facts)

    def texts(self, folder: Path, given: Mapping[str, str], owner: str) -> int:
        written = 0
        for name, text in given.items():
            file = self.within(folder, name, owner)
            if file is not None:
                file.write_text(text, encoding="utf-8")
                written += 1
        return written

    def within(self, folder: Path, name: str, owner: str) -> Path | None:
        """The file of a name; names with slashes stand in folders. None, and told, where no file can be called so."""
        steps = name.split("/")
        problem = "no file can be called so"
        if all(step not in ("", ".", "..") and len(step.encode()) <= 250 and "\0" not in step for step in steps):
            file = folder.joinpath(*steps)
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                if not file.is_dir():
                    return file
            except OSError:
                problem = "another name stands where its folder would be"
        self.skipped.append(Skipped(folder.name, f"{owner}/{name}"[:200], problem))
        return None

    def _files(self, owner: str, place: str, target: Path) -> None:
        if not place:
            return
        try:
            tree = self.tree(place)
            for file in tree.files():
                out = self.within(target, file.path, owner)
                if out is None:
                    continue
                with tree.open(file.path) as data, out.open("wb") as kept:
                    shutil.copyfileobj(data, kept, 1 << 20)
                self.progress.files += 1
                self.add(files=1, file_bytes=out.stat().st_size)
        except (TreeUnreadable, TaxiwayError, OSError) as e:
            self.skipped.append(Skipped("files", owner, str(e)))

    # --- models ---

    def _logged(self, found: FoundLogged) -> None:
        model = found.model
        folder = self.homes[model.experiment] / "models" / model.id
        for name in ("params", "metrics", "tags", "artifacts"):
            (folder / name).mkdir(parents=True)
        facts = {
            "artifact_location": (folder / "artifacts").as_uri(),
            "creation_timestamp": found.created_at // 1000,
            "experiment_id": model.experiment,
            "last_updated_timestamp": found.created_at // 1000,
            "lifecycle_stage": "active",
            "metrics": None,
            "model_id": model.id,
            "model_type": model.kind or None,
            "name": model.name,
            "source_run_id": model.run or None,
            "status": READY if model.is_ready else 1,
            "status_message": None,
        }
        write_yaml(folder / META, facts)
        self.texts(folder / "params", model.params, model.id)
        self.texts(folder / "tags", model.tags, model.id)
        self._files(model.id, found.place, folder / "artifacts")
        uses = self.ties.logged(model, folder)
        self.add(logged=1, measures=len(model.measures), uses=uses)

    def _model(self, model: IncomingModel) -> None:
        folder = self.within(self.folder / "models", model.name, "models")
        if folder is None or "/" in model.name:
            return
        folder.mkdir()
        moments = [version.created_at // 1000 for version in model.versions] or [0]
        facts = {
            "creation_timestamp": min(moments),
            "description": model.description or None,
            "last_updated_timestamp": max(moments),
            "name": model.name,
        }
        write_yaml(folder / META, facts)
        self.texts(folder / "tags", model.tags, model.name)
        for alias, number in model.aliases.items():
            (folder / "aliases").mkdir(exist_ok=True)
            (folder / "aliases" / alias).write_text(str(number), encoding="utf-8")
        for version in model.versions:
            self._version(folder / f"version-{version.version}", model.name, version)
        self.progress.models += 1
        self.add(models=1, versions=len(model.versions), aliases=len(model.aliases))

    def _version(self, folder: Path, model: str, version: IncomingVersion) -> None:
        folder.mkdir()
        source = self._source(version.source)
        facts = {
            "creation_timestamp": version.created_at // 1000,
            "current_stage": version.stage or "None",
            "description": version.description or None,
            "last_updated_timestamp": version.created_at // 1000,
            "model_id": version.source.removeprefix("models:/") if version.source.startswith("models:/m-") else None,
            "name": model,
            "run_id": version.run or None,
            "run_link": None,
            "source": source,
            "status": "READY",
            "status_message": None,
            "storage_location": source,
            "user_id": None,
            "version": version.version,
        }
        write_yaml(folder / META, facts)
        self.texts(folder / "tags", version.tags, model)

    def _source(self, source: str) -> str:
        """Where a version's files are now: in the folder, if the server kept them."""
        parts = urlsplit(source)
        if parts.scheme != "mlflow-artifacts":
            return source
        steps = unquote(parts.path).strip("/").split("/")
        home = self.homes.get(steps[0])
        return home.joinpath(*steps[1:]).as_uri() if home and ".." not in steps else source


def facts_of(run: Found, folder: Path) -> dict[str, Any]:
    return {
        "artifact_uri": (folder / "artifacts").as_uri(),
        "end_time": None if run.ended_at is None else run.ended_at // 1000,
        "entry_point_name": "",
        "experiment_id": run.experiment,
        "lifecycle_stage": "deleted" if run.is_deleted else "active",
        "run_id": run.id,
        "run_name": run.name,
        "run_uuid": run.id,
        "source_name": "",
        "source_type": LOCAL,
        "source_version": "",
        "start_time": run.started_at // 1000,
        "status": NUMBERS[run.status],
        "tags": [],
        "user_id": run.user,
    }


def write_yaml(file: Path, facts: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump(dict(facts), allow_unicode=True), encoding="utf-8")
