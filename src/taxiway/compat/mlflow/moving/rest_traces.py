"""Traces as a live MLflow server tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from taxiway.compat.mlflow.moving.source import FoundTrace, Marks, SourceUnusable, found_trace
from taxiway.compat.mlflow.moving.spans import remark_in, span_of_server
from taxiway.compat.mlflow.told_traces import LOCATION_TAG, SPANS_TAG, read_duration, read_time
from taxiway.imports.contract import IncomingInput, IncomingMeasure, IncomingRemark, Skipped
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.numbers import Number
from taxiway.traces.contract import Span

if TYPE_CHECKING:
    from taxiway.compat.mlflow.moving.rest import RestSource

API = "/api/3.0/mlflow"
AT_ONCE = 100
EXPERIMENTS_AT_ONCE = 50


class RestTraces:
    """The traces of a server."""

    def __init__(self, source: RestSource) -> None:
        self.source = source

    def found(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        """since_ms: those that began since then, or go on."""
        filters = [""] if since_ms is None else [f"timestamp_ms >= {since_ms}", "status = 'IN_PROGRESS'"]
        ids = self.source.ids
        for start in range(0, len(ids), EXPERIMENTS_AT_ONCE):
            places = [
                {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": id_}}
                for id_ in ids[start : start + EXPERIMENTS_AT_ONCE]
            ]
            for text in filters:
                body = {"locations": places, "max_results": AT_ONCE} | ({"filter": text} if text else {})
                try:
                    for page in self.source.pages("POST", "/traces/search", body, "traces", api=API):
                        yield [one for one in map(self._read, page) if one is not None]
                except SourceUnusable as refusal:
                    self._tell_old(ids, refusal)
                    return

    def _tell_old(self, ids: Sequence[str], refusal: SourceUnusable) -> None:
        """A server that is older than this way of asking: whether it has traces is asked in its own way."""
        asked = {"experiment_ids": ids[:EXPERIMENTS_AT_ONCE], "max_results": 1}
        try:
            has_any = bool(self.source.ask("GET", "/traces", asked).get("traces"))
        except SourceUnusable:
            has_any = False
        if has_any:
            problem = f"so old a server does not tell them whole; read its database instead. {refusal}"
            self.source.skipped.append(Skipped("traces", self.source.origin, problem))

    def _read(self, said: Mapping[str, Any]) -> FoundTrace | None:
        place = said.get("trace_location", {}).get("mlflow_experiment", {}).get("experiment_id", "")
        tags = dict(said.get("tags") or {})
        marks = Marks(tags, dict(said.get("trace_metadata") or {}), self._remarks(said), [])
        duration = said.get("execution_duration")
        try:
            facts = {
                "id": said["trace_id"],
                "experiment_id": place,
                "started_ms": read_time(said["request_time"], "request_time"),
                "duration_ms": read_duration(duration, "execution_duration") if duration else None,
            }
        except (KeyError, TaxiwayError) as e:
            self.source.skipped.append(Skipped("trace", str(said.get("trace_id"))[:200], str(e)))
            return None
        is_kept = SPANS_TAG in tags
        row: dict[str, Any] = {"state": None, **said, **facts}
        found = found_trace(row, marks, place=tags.get(LOCATION_TAG, ""), spans=0 if is_kept else None)
        self.source.count_more(traces=1, remarks=len(marks.remarks))
        if isinstance(found, Skipped):
            self.source.skipped.append(found)
            return None
        return found

    def _remarks(self, said: Mapping[str, Any]) -> list[IncomingRemark]:
        found = []
        for one in said.get("assessments") or []:
            try:
                found.append(remark_in(one))
            except (TaxiwayError, ValueError) as e:
                self.source.skipped.append(Skipped("remark", str(one.get("assessment_id"))[:200], str(e)[:500]))
        return found

    def spans(self, found: Sequence[FoundTrace]) -> Iterator[tuple[str, list[Span] | None]]:
        """The spans of some traces; None for those whose spans stand in a file."""
        for one in found:
            id_ = one.trace.id
            if one.spans is None:
                yield id_, None
                continue
            said = self.source.ask("GET", "/traces/get", {"trace_id": id_}, api=API).get("trace", {})
            spans = []
            for row in said.get("spans", []):
                try:
                    spans.append(span_of_server(row))
                except (ValueError, KeyError, TypeError) as e:
                    self.source.skipped.append(Skipped("span", id_, f"it cannot be read: {e!r}"[:500]))
            self.source.count_more(spans=len(said.get("spans", [])))
            yield id_, spans


def inputs_of(row: Mapping[str, Any]) -> list[IncomingInput]:
    """The data that a run read, as a server tells it."""
    found = []
    for one in row.get("inputs", {}).get("dataset_inputs", []):
        texts = {name: one["dataset"].get(name, "") for name in ("source_type", "source", "schema", "profile")}
        tags = {tag["key"]: tag.get("value", "") for tag in one.get("tags", [])}
        data = one["dataset"]
        found.append(IncomingInput(name=data["name"], digest=data["digest"], tags=tags, **texts))
    return sorted(found, key=lambda one: (one.name, one.digest))


def measure_of(row: Mapping[str, Any]) -> IncomingMeasure:
    """What was measured of a logged model, as a server tells it."""
    value: Number = row.get("value", 0.0)
    return IncomingMeasure(
        key=row["key"],
        value=value,
        step=int(row.get("step", 0)),
        at=int(row.get("timestamp", 0)) * 1000,
        run=row.get("run_id", ""),
        dataset=row.get("dataset_name", ""),
        dataset_digest=row.get("dataset_digest", ""),
    )
