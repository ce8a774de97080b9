"""Traces in MLflow's database, and what ties its runs to data and to logged models."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, or_, select

from taxiway.compat.mlflow.moving.source import FoundTrace, Marks, found_trace
from taxiway.compat.mlflow.moving.spans import remark_in, span_of_file
from taxiway.compat.mlflow.told_traces import LOCATION_TAG, written_time
from taxiway.imports.contract import IncomingInput, IncomingMeasure, IncomingRemark, IncomingUse, Skipped
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.numbers import to_wire
from taxiway.traces.contract import Span

if TYPE_CHECKING:
    from taxiway.compat.mlflow.moving.sql import SqlSource

AT_ONCE = 200
LARGEST = 1.7976931348623157e308  # what stands for an infinity
NAME_TAG, SESSION, TOKENS, COST = (
    "mlflow.traceName",
    "mlflow.trace.session",
    "mlflow.trace.tokenUsage",
    "mlflow.trace.cost",
)
TOKEN_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "cache_creation_input_tokens_above_1hr",
)
COST_COLUMNS = ("input_cost", "output_cost", "total_cost")
ROLES: dict[str, str] = {"RUN_INPUT": "input", "RUN_OUTPUT": "output"}


class SqlTraces:
    """The traces of a database, whatever version of the tables it has."""

    def __init__(self, source: SqlSource) -> None:
        self.source = source
        self.tables = source.tables

    def found(self, since_ms: int | None) -> Iterator[list[FoundTrace]]:
        """Traces in portions, without their spans."""
        traces = self.tables.get("trace_info")
        if traces is None:
            return
        query = select(traces.c.request_id).order_by(traces.c.timestamp_ms, traces.c.request_id)
        if since_ms is not None:
            query = query.where(or_(traces.c.timestamp_ms >= since_ms, traces.c.status == "IN_PROGRESS"))
        ids = list(self.source.connection.execute(query).scalars())
        for start in range(0, len(ids), AT_ONCE):
            yield self._found(ids[start : start + AT_ONCE])

    def _found(self, ids: list[str]) -> list[FoundTrace]:
        traces = self.tables["trace_info"]
        tags, facts = self._pairs("trace_tags", ids), self._pairs("trace_request_metadata", ids)
        remarks, counts, runs = self._remarks(ids), self._counts(ids), self._runs(ids)
        found = []
        for row in self.source.rows(select(traces).where(traces.c.request_id.in_(ids)).order_by(traces.c.timestamp_ms)):
            id_ = row["request_id"]
            named = {NAME_TAG: row["trace_name"]} if row.get("trace_name") else {}
            marks = Marks(named | tags[id_], facts[id_] | promoted(row), remarks[id_], runs[id_])
            own = {"id": id_, "state": row["status"], "started_ms": row["timestamp_ms"]}
            own["duration_ms"] = row["execution_time_ms"]
            place = tags[id_].get(LOCATION_TAG, "")
            one = found_trace({**row, **own}, marks, place=place, spans=counts[id_] or None)
            if isinstance(one, Skipped):
                self.source.skipped.append(one)
            else:
                found.append(one)
        return found

    def spans(self, found: Sequence[FoundTrace]) -> Iterator[tuple[str, list[Span] | None]]:
        """The spans of some traces; None for those whose spans stand in a file."""
        table = self.tables.get("spans")
        rows: defaultdict[str, list[Span]] = defaultdict(list)
        if table is not None:
            ids = [one.trace.id for one in found if one.spans]
            for row in self.source.rows(select(table.c.trace_id, table.c.content).where(table.c.trace_id.in_(ids))):
                try:
                    rows[row["trace_id"]].append(span_of_file(json.loads(row["content"])))
                except (ValueError, KeyError, TypeError) as e:
                    self.source.skipped.append(Skipped("span", row["trace_id"], f"it cannot be read: {e!r}"[:500]))
        for one in found:
            yield one.trace.id, rows[one.trace.id] if one.spans else None

    def _pairs(self, name: str, ids: list[str]) -> defaultdict[str, dict[str, str]]:
        pairs: defaultdict[str, dict[str, str]] = defaultdict(dict)
        table = self.tables.get(name)
        if table is not None:
            for row in self.source.rows(select(table).where(table.c.request_id.in_(ids))):
                pairs[row["request_id"]][row["key"]] = row["value"] or ""
        return pairs

    def _counts(self, ids: list[str]) -> defaultdict[str, int]:
        table = self.tables.get("spans")
        if table is None:
            return defaultdict(int)
        query = select(table.c.trace_id, func.count().label("n")).where(table.c.trace_id.in_(ids))
        return defaultdict(int, {row["trace_id"]: row["n"] for row in self.source.rows(query.group_by("trace_id"))})

    def _runs(self, ids: list[str]) -> defaultdict[str, list[str]]:
        """The runs that traces were linked to."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        table = self.tables.get("entity_associations")
        if table is None:
            return found
        c = table.c
        query = select(c.source_id, c.destination_id).where(
            c.source_id.in_(ids), c.source_type == "trace", c.destination_type == "run"
        )
        for row in self.source.rows(query.order_by(c.destination_id)):
            found[row["source_id"]].append(row["destination_id"])
        return found

    def _remarks(self, ids: list[str]) -> defaultdict[str, list[IncomingRemark]]:
        found: defaultdict[str, list[IncomingRemark]] = defaultdict(list)
        table = self.tables.get("assessments")
        if table is None:
            return found
        for row in self.source.rows(select(table).where(table.c.trace_id.in_(ids)).order_by(table.c.assessment_id)):
            try:
                found[row["trace_id"]].append(remark_in(assessment_of(row)))
            except (TaxiwayError, ValueError, KeyError) as e:
                self.source.skipped.append(Skipped("remark", row["assessment_id"], str(e)[:500]))
        return found


def promoted(row: Mapping[str, Any]) -> dict[str, str]:
    """What newer versions keep in columns of its own, as their clients read it among the facts."""
    facts = {SESSION: row["session_id"]} if row.get("session_id") else {}
    for key, columns in ((TOKENS, TOKEN_COLUMNS), (COST, COST_COLUMNS)):
        if said := {name: row[name] for name in columns if row.get(name) is not None}:
            facts[key] = json.dumps(said)
    return facts


def assessment_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the database as the server would tell it. Raises ValueError for values that are no JSON."""
    kind, value = row["assessment_type"], json.loads(row["value"])
    said: dict[str, Any] = {"value": value}
    if kind == "issue":
        said = {"issue_id": row["name"], "issue_name": (value or {}).get("issue_name", "")}
    elif kind == "feedback" and row["error"]:
        said["error"] = json.loads(row["error"])
    return {
        "assessment_id": row["assessment_id"],
        "assessment_name": row["name"],
        "create_time": written_time(row["created_timestamp"]),
        "last_update_time": written_time(row["last_updated_timestamp"]),
        "source": {"source_type": row["source_type"], "source_id": row["source_id"] or ""},
        kind: said,
        "span_id": row["span_id"],
        "rationale": row["rationale"],
        "overrides": row["overrides"],
        "valid": bool(row["valid"]),
        "metadata": json.loads(row["assessment_metadata"]) if row["assessment_metadata"] else None,
    }


class SqlTies:
    """What ties runs to the data that they read, and to logged models."""

    def __init__(self, source: SqlSource) -> None:
        self.source = source
        self.tables = source.tables

    def inputs(self, runs: list[str]) -> defaultdict[str, list[IncomingInput]]:
        """The data that runs read, by run."""
        found: defaultdict[str, list[IncomingInput]] = defaultdict(list)
        inputs, data, tags = (self.tables.get(name) for name in ("inputs", "datasets", "input_tags"))
        if inputs is None or data is None or tags is None:
            return found
        query = select(inputs.c.input_uuid, inputs.c.destination_id, *data.c)
        query = query.join_from(inputs, data, data.c.dataset_uuid == inputs.c.source_id)
        query = query.where(inputs.c.destination_id.in_(runs), inputs.c.source_type == "DATASET")
        rows = self.source.rows(query.order_by(data.c.name, data.c.digest))
        tagged: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for start in range(0, len(rows), AT_ONCE):
            some = [row["input_uuid"] for row in rows[start : start + AT_ONCE]]
            for row in self.source.rows(select(tags).where(tags.c.input_uuid.in_(some))):
                tagged[row["input_uuid"]][row["name"]] = row["value"] or ""
        for row in rows:
            found[row["destination_id"]].append(
                IncomingInput(
                    name=row["name"],
                    digest=row["digest"],
                    source_type=row["dataset_source_type"] or "",
                    source=row["dataset_source"] or "",
                    schema=row["dataset_schema"] or "",
                    profile=row["dataset_profile"] or "",
                    tags=tagged[row["input_uuid"]],
                )
            )
        return found

    def measures(self) -> defaultdict[str, list[IncomingMeasure]]:
        """What was measured of logged models, by model."""
        found: defaultdict[str, list[IncomingMeasure]] = defaultdict(list)
        for row in self.source.all_rows("logged_model_metrics"):
            value = float("nan") if row["metric_value"] is None else float(row["metric_value"])
            value = value if abs(value) < LARGEST else value * 2
            found[row["model_id"]].append(
                IncomingMeasure(
                    key=row["metric_name"],
                    value=to_wire(value),
                    step=row["metric_step"],
                    at=row["metric_timestamp_ms"] * 1000,
                    run=row["run_id"] or "",
                    dataset=row["dataset_name"] or "",
                    dataset_digest=row["dataset_digest"] or "",
                )
            )
        return found

    def uses(self) -> defaultdict[str, list[IncomingUse]]:
        """The runs that took logged models in or brought them forth, by model."""
        found: defaultdict[str, list[IncomingUse]] = defaultdict(list)
        for row in self.source.all_rows("inputs"):
            if role := ROLES.get(row["source_type"]):
                found[row["destination_id"]].append(
                    IncomingUse(row["source_id"], role, row.get("step") or 0)  # type: ignore[arg-type] # one of two
                )
        return found
