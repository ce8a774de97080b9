"""MLflow's file store: an ``mlruns`` folder with a YAML file for each thing, and a text file for each metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from msgspec.structs import replace

from taxiway.compat.mlflow.moving.file_traces import FileTies, FileTraces
from taxiway.compat.mlflow.moving.points import Columns, split
from taxiway.compat.mlflow.moving.source import (
    NUMBERED,
    STATUSES,
    Found,
    FoundLogged,
    FoundTrace,
    Series,
    SourceUnusable,
    micros,
    stamp_of,
    stamped,
)
from taxiway.imports.contract import Counts, IncomingExperiment, IncomingLogged, IncomingModel, IncomingVersion, Skipped
from taxiway.traces.contract import Span

AT_ONCE = 200
META = "meta.yaml"
GONE = "Deleted_Internal"
NO_RUNS = ("tags", "models", "traces", "datasets")
FOLDERS_OF_ITS_OWN = (".trash", "models", ".tmp")


class FileSource:
    """An ``mlruns`` folder."""

    def __init__(self, folder: Path) -> None:
        """Raises SourceUnusable."""
        self.folder = folder.absolute()
        self.origin = self.folder.as_uri()
        self.skipped: list[Skipped] = []
        self.infinities = 0
        self.ties = FileTies(self)
        self.traced = FileTraces(self)
        is_store = (folder / "0" / META).exists() or any(folder.glob(f"*/{META}")) or (folder / "models").exists()
        if not is_store:
            cause = f"there is no experiment with a {META} in it"
            raise SourceUnusable(source=str(folder), cause=cause, next_step="Give the folder that is called mlruns.")

    def close(self) -> None:
        """Nothing is held open."""

    def totals(self) -> Counts:
        """Counted file by file, apart from what the import reads."""
        experiments = list(self.experiment_folders())
        runs = [run for _, folder in experiments for run in self.run_folders(folder)]
        models = list(self.folders(self.folder / "models"))
        logged, (traces, remarks) = self.logged(), self.traced.count()
        return Counts(
            experiments=len(experiments),
            runs=len(runs),
            params=sum(len(list(entries(run / "params"))) for run in runs),
            tags=sum(len(list(entries(run / "tags"))) for run in runs),
            points=sum(count_points(file) for run in runs for _, file in entries(run / "metrics")),
            models=len(models),
            versions=sum(meta.get("current_stage") != GONE for model in models for meta in self._versions(model)),
            aliases=sum(len(list(entries(model / "aliases"))) for model in models),
            inputs=sum(len(self.ties.inputs(run)) for run in runs),
            logged=len(logged),
            measures=sum(len(one.model.measures) for one in logged),
            uses=sum(len(one.model.uses) for one in logged),
            traces=traces,
            remarks=remarks,
        )

    def count_runs(self) -> int:
        return sum(1 for _, folder in self.experiment_folders() for _ in self.run_folders(folder))

    # --- experiments ---

    def experiment_folders(self) -> Iterator[tuple[dict[str, Any], Path]]:
        for folder in (*self.folders(self.folder), *self.folders(self.folder / ".trash")):
            if folder.name in FOLDERS_OF_ITS_OWN or not (folder / META).exists():
                continue
            meta = self.read_meta(folder, "experiment")
            if meta is not None:
                yield meta, folder

    def experiments(self) -> list[IncomingExperiment]:
        return [
            IncomingExperiment(
                id=folder.name,
                name=str(meta.get("name") or folder.name),
                tags=dict(self.texts(folder / "tags", folder.name)),
                created_at=micros(meta.get("creation_time")),
                is_deleted=meta.get("lifecycle_stage") == "deleted",
            )
            for meta, folder in self.experiment_folders()
        ]

    # --- runs ---

    def runs(self, since_ms: int | None) -> Iterator[list[Found]]:
        """since_ms: runs whose files were touched since then."""
        found: list[Found] = []
        for _, experiment in self.experiment_folders():
            for folder in self.run_folders(experiment):
                if since_ms is not None and touched_ms(folder) < since_ms:
                    continue
                run = self._run(folder)
                if run is not None:
                    found.append(run)
                if len(found) == AT_ONCE:
                    yield found
                    found = []
        if found:
            yield found

    def run_folders(self, experiment: Path) -> Iterator[Path]:
        yield from (f for f in self.folders(experiment) if (f / META).exists() and f.name not in NO_RUNS)

    def _run(self, folder: Path) -> Found | None:
        meta = self.read_meta(folder, "run")
        if meta is None:
            return None
        said = meta.get("status")
        status = STATUSES.get(NUMBERED.get(said, "") if isinstance(said, int) else str(said))
        started = micros(meta.get("start_time") or 0)
        if status is None or started is None:
            self._skip("run", folder.name, f"status {said!r} and start {meta.get('start_time')!r} cannot be read")
            return None
        tags = dict(self.texts(folder / "tags", folder.name))
        run = Found(
            id=folder.name,
            experiment=folder.parent.name,
            name=str(meta.get("run_name") or tags.get("mlflow.runName", "")),
            status=status,
            user=str(meta.get("user_id") or ""),
            started_at=started,
            ended_at=micros(meta.get("end_time")),
            is_deleted=meta.get("lifecycle_stage") == "deleted",
            place=str(meta.get("artifact_uri") or (folder / "artifacts").as_uri()),
            params=dict(self.texts(folder / "params", folder.name)),
            tags=tags,
            stamp="",
            inputs=self.ties.inputs(folder),
        )
        sizes = sorted((name, file.stat().st_size) for name, file in entries(folder / "metrics"))
        return replace(run, stamp=stamp_of(run, sizes))

    def texts(self, folder: Path, owner: str) -> Iterator[tuple[str, str]]:
        for name, file in entries(folder):
            try:
                yield name, file.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError) as e:
                self._skip(folder.name, owner, f"{name}: {e}")

    def series(self, runs: Sequence[Found]) -> Iterator[tuple[str, list[Series]]]:
        places = {folder.name: folder for _, folder in self.experiment_folders()}
        for run in runs:
            folder = places[run.experiment] / run.id / "metrics"
            found: list[Series] = []
            for key, file in entries(folder):
                found += self._read_metric(run.id, key, file)
            if found:
                yield run.id, found

    def _read_metric(self, run: str, key: str, file: Path) -> list[Series]:
        """Lines of timestamp, value and, since MLflow 1.0, step. What the newer ones add is about logged models."""
        rows: list[tuple[int, float, int]] = []
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            words = line.split()
            try:
                rows.append((int(words[0]), float(words[1]), int(words[2]) if len(words) > 2 else 0))
            except (ValueError, IndexError):
                self._skip("point", run, f"{key}, line {number}: {line[:200]!r} is no point")
        if not rows:
            return []
        at, values, steps = zip(*rows, strict=True)
        result = split(Columns([key] * len(rows), steps, at, values), has_infinities=True)
        for problem in result.problems:
            self._skip("point", run, problem)
        return result.series

    # --- models ---

    def logged(self) -> list[FoundLogged]:
        """The models that runs made."""
        found, uses = [], self.ties.uses()
        for _, experiment in self.experiment_folders():
            for folder in self.folders(experiment / "models"):
                meta = self.read_meta(folder, "logged model") if (folder / META).exists() else None
                if meta is None or meta.get("lifecycle_stage") == "deleted":
                    continue
                model = IncomingLogged(
                    id=folder.name,
                    experiment=experiment.name,
                    name=str(meta.get("name") or ""),
                    kind=str(meta.get("model_type") or ""),
                    run=str(meta.get("source_run_id") or ""),
                    is_ready=meta.get("status") in (2, "READY"),
                    created_at=micros(meta.get("creation_timestamp")),
                    measures=self.ties.measures(folder),
                    uses=uses[folder.name],
                    params=dict(self.texts(folder / "params", folder.name)),
                    tags=dict(self.texts(folder / "tags", folder.name)),
                )
                place = str(meta.get("artifact_location") or (folder / "artifacts").as_uri())
                found.append(FoundLogged(stamped(model), place, model.created_at or 0))
        return found

    # --- traces ---

    def traces(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        return self.traced.found(since_ms)

    def spans(self, found: Sequence[FoundTrace]) -> Iterator[tuple[str, list[Span] | None]]:
        """They stand in files."""
        return ((one.trace.id, None) for one in found)

    # --- models with names ---

    def models(self) -> list[IncomingModel]:
        found = []
        for folder in self.folders(self.folder / "models"):
            meta = self.read_meta(folder, "model")
            if meta is None:
                continue
            aliases = {name: int(text) for name, text in self.texts(folder / "aliases", folder.name) if text.isdigit()}
            found.append(
                IncomingModel(
                    name=str(meta.get("name") or folder.name),
                    description=str(meta.get("description") or ""),
                    tags=dict(self.texts(folder / "tags", folder.name)),
                    aliases=aliases,
                    versions=sorted((v for v in self._incoming_versions(folder)), key=lambda one: one.version),
                )
            )
        return found

    def _versions(self, model: Path) -> Iterator[dict[str, Any]]:
        for folder in self.folders(model):
            if folder.name.startswith("version-") and (meta := self.read_meta(folder, "version")) is not None:
                yield {**meta, "folder": folder}

    def _incoming_versions(self, model: Path) -> Iterator[IncomingVersion]:
        for meta in self._versions(model):
            stage = str(meta.get("current_stage") or "None")
            if stage == GONE:
                continue
            yield IncomingVersion(
                version=int(meta["version"]),
                created_at=micros(meta.get("creation_timestamp")) or 0,
                run=str(meta.get("run_id") or ""),
                source=str(meta.get("source") or ""),
                stage="" if stage == "None" else stage,
                description=str(meta.get("description") or ""),
                tags=dict(self.texts(meta["folder"] / "tags", model.name)),
            )

    # --- reading ---

    def folders(self, folder: Path) -> list[Path]:
        try:
            return sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
        except FileNotFoundError:
            return []

    def read_meta(self, folder: Path, kind: str) -> dict[str, Any] | None:
        return self.read_yaml(folder / META, kind)

    def read_yaml(self, file: Path, kind: str) -> dict[str, Any] | None:
        """What a file says; None, and told, where it cannot be read."""
        name = file.parent.name
        try:
            said = yaml.load(file.read_text(encoding="utf-8"), Loader=PlainLoader)  # noqa: S506 - a safe loader
        except (yaml.YAMLError, OSError, UnicodeDecodeError) as e:
            self._skip(kind, name, f"its {file.name} cannot be read: {e}")
            return None
        if not isinstance(said, dict):
            self._skip(kind, name, f"its {file.name} is no mapping")
            return None
        return said

    def entries(self, folder: Path) -> Iterator[tuple[str, Path]]:
        return entries(folder)

    def _skip(self, kind: str, name: str, problem: str) -> None:
        self.skipped.append(Skipped(kind, name[:200], problem[:500]))


class PlainLoader(yaml.CSafeLoader):
    """Plain values alone: no objects, and no dates made of what looks like one."""


def entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder by name; a name with slashes stands in folders of its own."""
    if not folder.is_dir():
        return
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink():
            yield unquote(file.relative_to(folder).as_posix()), file


def count_points(file: Path) -> int:
    """How many different points there are, and lines that are none."""
    found: set[object] = set()
    for number, line in enumerate(file.read_bytes().splitlines()):
        words = line.split()
        try:
            found.add((int(words[0]), repr(float(words[1])), int(words[2]) if len(words) > 2 else 0))
        except (ValueError, IndexError):
            found |= {number} if words else set()
    return len(found)


def touched_ms(folder: Path) -> int:
    """When anything of a run was changed last."""
    places = (folder / META, folder / "params", folder / "tags", folder / "metrics")
    files = [file for _, file in entries(folder / "metrics")]
    return max((place.stat().st_mtime_ns // 1_000_000 for place in (*places, *files) if place.exists()), default=0)


PlainLoader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in known if not tag.endswith(":timestamp")]
    for letter, known in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
