"""Traces in MLflow's folders, and what ties its runs to data and to logged models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from taxiway.compat.mlflow.moving.source import FoundTrace, Marks, found_trace
from taxiway.compat.mlflow.moving.spans import remark_in
from taxiway.compat.mlflow.told_traces import LOCATION_TAG, read_time
from taxiway.imports.contract import IncomingInput, IncomingMeasure, IncomingRemark, IncomingUse, Skipped
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.numbers import to_wire

if TYPE_CHECKING:
    from taxiway.compat.mlflow.moving.files import FileSource

AT_ONCE = 200
TRACES = "traces"
INFO = "trace_info.yaml"


class FileTraces:
    """The traces of an ``mlruns`` folder; their spans stand in a file of each."""

    def __init__(self, source: FileSource) -> None:
        self.source = source

    def folders(self) -> Iterator[tuple[str, Path]]:
        """The folder of each trace, with the id of its experiment."""
        for _, experiment in self.source.experiment_folders():
            for folder in self.source.folders(experiment / TRACES):
                if (folder / INFO).exists():
                    yield experiment.name, folder

    def found(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        """since_ms: those whose files were touched since then."""
        found: list[FoundTrace] = []
        for experiment, folder in self.folders():
            if since_ms is not None and touched_ms(folder) < since_ms:
                continue
            one = self._read(experiment, folder)
            if isinstance(one, Skipped):
                self.source.skipped.append(one)
            else:
                found.append(one)
            if len(found) == AT_ONCE:
                yield found
                found = []
        if found:
            yield found

    def _read(self, experiment: str, folder: Path) -> FoundTrace | Skipped:
        said = self.source.read_yaml(folder / INFO, "trace")
        if said is None:
            return Skipped("trace", folder.name, f"its {INFO} cannot be read")
        tags = dict(self.source.texts(folder / "tags", folder.name))
        marks = Marks(
            tags, dict(self.source.texts(folder / "request_metadata", folder.name)), self._remarks(folder), []
        )
        try:
            started = said["timestamp_ms"] if "timestamp_ms" in said else read_time(str(said["request_time"]), "time")
        except (KeyError, TaxiwayError) as e:
            return Skipped("trace", folder.name, f"when it began cannot be read: {e}")
        duration = said.get("execution_duration_ms", said.get("execution_time_ms"))
        facts = {
            "id": said.get("trace_id") or said.get("request_id") or folder.name,
            "experiment_id": experiment,
            "state": said.get("state") or said.get("status"),
            "started_ms": started,
            "duration_ms": duration,
        }
        place = tags.get(LOCATION_TAG) or (folder / "artifacts").as_uri()
        return found_trace(said | facts, marks, place=place, spans=None)

    def _remarks(self, folder: Path) -> list[IncomingRemark]:
        found = []
        for file in sorted((folder / "assessments").glob("*.yaml")):
            said = self.source.read_yaml(file, "remark")
            try:
                found.append(remark_in(said or {}))
            except (TaxiwayError, ValueError) as e:
                self.source.skipped.append(Skipped("remark", file.stem, str(e)[:500]))
        return found

    def count(self) -> tuple[int, int]:
        """How many traces and remarks there are."""
        folders = [folder for _, folder in self.folders()]
        return len(folders), sum(len(list((folder / "assessments").glob("*.yaml"))) for folder in folders)


class FileTies:
    """What ties runs to the data that they read, and to logged models."""

    def __init__(self, source: FileSource) -> None:
        self.source = source

    def inputs(self, run: Path) -> list[IncomingInput]:
        """The data that a run read."""
        found = []
        for said in self._said(run / "inputs"):
            if said.get("source_type") != "DATASET":
                continue
            id_ = str(said.get("source_id"))
            data = self.source.read_meta(run.parent / "datasets" / id_, "data set") or {}
            if not data.get("name"):
                self.source.skipped.append(Skipped("data set", f"{run.name}/{id_}"[:200], "nothing describes it"))
                continue
            texts = {name: str(data.get(name) or "") for name in ("digest", "source_type", "source", "schema")}
            tags = {str(key): str(text) for key, text in (said.get("tags") or {}).items()}
            found.append(
                IncomingInput(name=str(data["name"]), profile=str(data.get("profile") or ""), tags=tags, **texts)
            )
        return sorted(found, key=lambda one: (one.name, one.digest))

    def uses(self) -> defaultdict[str, list[IncomingUse]]:
        """The runs that took logged models in or brought them forth, by model."""
        found: defaultdict[str, list[IncomingUse]] = defaultdict(list)
        for _, experiment in self.source.experiment_folders():
            for run in self.source.run_folders(experiment):
                for said in self._said(run / "inputs"):
                    if said.get("source_type") == "MODEL":
                        found[str(said.get("source_id"))].append(IncomingUse(run.name, "input"))
                for said in self._said(run / "outputs"):
                    step = said.get("step")
                    use = IncomingUse(run.name, "output", step if isinstance(step, int) else 0)
                    found[str(said.get("source_id"))].append(use)
        return found

    def _said(self, folder: Path) -> Iterator[Mapping[str, Any]]:
        for one in self.source.folders(folder):
            if (said := self.source.read_meta(one, folder.name)) is not None:
                yield said

    def measures(self, folder: Path) -> list[IncomingMeasure]:
        """What was measured of a logged model: lines of timestamp, value, step, run and the data set, if any."""
        found = []
        for key, file in self.source.entries(folder / "metrics"):
            for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
                words = line.split()
                try:
                    value, at = float(words[1]), int(words[0]) * 1000
                    found.append(IncomingMeasure(key, to_wire(value), int(words[2]), at, words[3]))
                except (ValueError, IndexError):
                    self.source.skipped.append(Skipped("measure", folder.name, f"{key}: {line[:200]!r} is no point"))
                    continue
                if len(words) > 5:
                    data = {"dataset": " ".join(words[4:-1]), "dataset_digest": words[-1]}
                    found[-1] = IncomingMeasure(key, to_wire(value), int(words[2]), at, words[3], **data)
        return found


def touched_ms(folder: Path) -> int:
    """When anything that is said of a trace was changed last."""
    places = [folder / INFO, *(folder / name for name in ("tags", "request_metadata", "assessments", "artifacts"))]
    files = [*(folder / "tags").glob("*"), *(folder / "assessments").glob("*")]
    return max((one.stat().st_mtime_ns // 1_000_000 for one in (*places, *files) if one.exists()), default=0)
