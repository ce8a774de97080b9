"""Writing what hangs on runs in MLflow's file store: data that they read, logged models that they used, traces."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.compat.mlflow.assessments import shown_remark
from taxiway.compat.mlflow.moving.source import Found, FoundTrace
from taxiway.compat.mlflow.moving.spans import ATTACHED
from taxiway.compat.mlflow.spans import downloaded
from taxiway.compat.mlflow.told_traces import LOCATION_TAG, SHOWN, written_time
from taxiway.imports.contract import IncomingLogged, IncomingTrace, Skipped
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.numbers import from_wire
from taxiway.traces.contract import Span

if TYPE_CHECKING:
    from taxiway.compat.mlflow.moving.exporting import Exporting

META = "meta.yaml"
ATTACHMENTS = "attachments/"


class Ties:
    """What ties the things of an export together."""

    def __init__(self, exporting: Exporting) -> None:
        self.exporting = exporting
        self.runs: dict[str, Path] = {}  # their folders, by id

    def inputs(self, run: Found, folder: Path) -> int:
        """Writes the data that a run read; how many."""
        self.runs[run.id] = folder
        for one in run.inputs:
            data = md5(one.name, one.digest)
            described = {name: getattr(one, name) for name in ("name", "digest", "source_type", "source")}
            more = {"schema": one.schema or None, "profile": one.profile or None}
            self._write(folder.parent / "datasets" / data, described | more)
            self._tie(folder / "inputs" / md5(data, run.id), data, ("DATASET", "RUN"), tags=one.tags)
        return len(run.inputs)

    def logged(self, model: IncomingLogged, folder: Path) -> int:
        """Writes which runs used a logged model, and what was measured of it; how many uses."""
        for one in model.measures:
            file = self.exporting.within(folder / "metrics", one.key, model.id)
            if file is not None:
                words: list[object] = [one.at // 1000, repr(from_wire(one.value)), one.step, one.run]
                words += [one.dataset, one.dataset_digest] if one.dataset else []
                with file.open("a", encoding="utf-8") as lines:
                    lines.write(" ".join(map(str, words)) + "\n")
        written = 0
        for use in model.uses:
            run = self.runs.get(use.run)
            if run is None:
                problem = f"the run {use.run} that used it was not written"
                self.exporting.skipped.append(Skipped("logged model", model.id, problem))
                continue
            if use.role == "input":
                self._tie(run / "inputs" / md5(model.id, use.run), model.id, ("MODEL", "RUN"))
            else:
                self._tie(run / "outputs" / model.id, model.id, ("RUN_OUTPUT", "MODEL_OUTPUT"), step=use.step)
            written += 1
        return written

    def _tie(self, folder: Path, id_: str, kinds: tuple[str, str], **more: object) -> None:
        """MLflow writes the same id at both ends; for what a run brought forth it reads the second one."""
        facts = {"source_type": kinds[0], "source_id": id_, "destination_type": kinds[1], "destination_id": id_}
        self._write(folder, facts | {"tags": {}} | more)

    def _write(self, folder: Path, facts: dict[str, object]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.exporting.write_yaml(folder / META, facts)

    # --- traces ---

    def traces(self, found: Sequence[FoundTrace]) -> None:
        """Writes some traces with their spans."""
        heads = {one.trace.id: one for one in found}
        for id_, spans in self.exporting.source.spans(found):
            self._trace(heads[id_], spans or [])

    def _trace(self, found: FoundTrace, spans: list[Span]) -> None:
        trace = found.trace
        folder = self.exporting.homes[trace.experiment] / "traces" / trace.id
        place = folder / "artifacts"
        place.mkdir(parents=True)
        self.exporting.write_yaml(folder / "trace_info.yaml", facts_of(trace))
        tags = trace.tags | {LOCATION_TAG: place.as_uri()}
        self.exporting.texts(folder / "tags", tags, trace.id)
        self.exporting.texts(folder / "request_metadata", trace.facts, trace.id)
        for one in trace.remarks:
            (folder / "assessments").mkdir(exist_ok=True)
            said = shown_remark(trace.id, one.remark)
            self.exporting.write_yaml(folder / "assessments" / f"{one.remark.id}.yaml", said)
        data = downloaded(trace.id, spans)
        (place / "traces.json").write_bytes(data)
        if ATTACHED in data:
            self._attached(found, place)
        self.exporting.add(traces=1, spans=len(spans), remarks=len(trace.remarks))

    def _attached(self, found: FoundTrace, place: Path) -> None:
        try:
            tree = self.exporting.tree(found.place)
            for file in tree.files():
                out = self.exporting.within(place, file.path, found.trace.id)
                if out is not None and file.path.startswith(ATTACHMENTS):
                    with tree.open(file.path) as data, out.open("wb") as kept:
                        shutil.copyfileobj(data, kept, 1 << 20)
        except (TaxiwayError, OSError) as e:
            self.exporting.skipped.append(Skipped("files", found.trace.id, str(e)))


def facts_of(trace: IncomingTrace) -> dict[str, object]:
    facts = {
        "trace_id": trace.id,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": trace.experiment},
        },
        "request_time": written_time(trace.started_ms),
        "state": SHOWN[trace.state],
        "execution_duration_ms": trace.duration_ms,
        "client_request_id": trace.client_id,
        "request_preview": trace.request,
        "response_preview": trace.response,
    }
    return {name: said for name, said in facts.items() if said is not None}


def md5(*texts: str) -> str:
    """How MLflow names folders of its store."""
    return hashlib.md5("".join(texts).encode(), usedforsecurity=False).hexdigest()
