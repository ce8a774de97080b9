"""MLflow's calls about traces, as its client of today makes them. The older ones are in `old_traces`."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

from taxiway.access.service import Access
from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.assessments import Assessment, Assessments, now_ms, remark_of
from taxiway.compat.mlflow.call import Call, Given, Int32, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.files import Files
from taxiway.compat.mlflow.otlp_json import unreadable
from taxiway.compat.mlflow.paging import page_size, read_offset, write_token
from taxiway.compat.mlflow.places import Place as FilePlace
from taxiway.compat.mlflow.places import relative
from taxiway.compat.mlflow.reading import Reader
from taxiway.compat.mlflow.refusals import invalid
from taxiway.compat.mlflow.spans import MOST_BYTES, downloaded, read_spans, unpacked
from taxiway.compat.mlflow.told_traces import (
    STATES,
    Shown,
    TraceInfoSent,
    TracePlace,
    info,
    own_tags,
    read_duration,
    read_time,
    whole,
)
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.runs.experiments import Experiments
from taxiway.runs.foreign.foreign_files import ForeignFiles
from taxiway.runs.refusals import ExperimentTrashed
from taxiway.storage.blobs import CHUNK
from taxiway.traces.filter import parse_filter, parse_order
from taxiway.traces.query import Search
from taxiway.traces.service import Place, Traces
from taxiway.traces.told import Told
from taxiway.web.bodies import Upload
from taxiway.web.downloads import Download

V3 = ("3.0",)
BOTH = ("2.0", "3.0")
PROTOBUF = "application/x-protobuf"
JSON = "application/json"  # as OTLP has it, beside protobuf
MOST_LISTED, USUALLY_LISTED = 500, 100
MOST_AT_ONCE = 500
MOST_LINKED = 100
LONGEST_PREVIEW = 100_000
TRACES_FILE = "traces.json"


class Export(Struct, frozen=True, rename={"experiment_id": "x-mlflow-experiment-id", "run_id": "x-mlflow-run-id"}):
    experiment_id: Given
    run_id: str = ""


class Sent(Struct, frozen=True):
    trace_info: TraceInfoSent


class StartTrace(Struct, frozen=True):
    trace: Sent


class TraceId(Struct, frozen=True):
    trace_id: Given


class TraceIds(Struct, frozen=True):
    trace_ids: list[str]
    experiment_ids: list[str] | None = None


class SearchTraces(Struct, frozen=True):
    locations: list[TracePlace]
    filter: str = ""
    max_results: Int32 | None = None
    order_by: list[str] = []
    page_token: str = ""


class DeleteTraces(Struct, frozen=True):
    experiment_id: Given
    max_timestamp_millis: Int64 | None = None
    max_traces: Int32 | None = None
    request_ids: list[str] = []


class SetTag(Struct, frozen=True):
    trace_id: Given
    key: Given
    value: str = ""


class DeleteTag(Struct, frozen=True):
    trace_id: Given
    key: Given


class LinkToRun(Struct, frozen=True):
    trace_ids: list[str]
    run_id: Given


class FetchData(Struct, frozen=True):
    request_id: Given
    path: str = ""


class OneTrace(Struct, frozen=True):
    trace: Shown


class ManyTraces(Struct, frozen=True, omit_defaults=True):
    traces: list[Shown] = []


class ManyInfos(Struct, frozen=True, omit_defaults=True):
    trace_infos: list[dict[str, Any]] = []


class FoundTraces(Struct, frozen=True, omit_defaults=True):
    traces: list[dict[str, Any]] = []
    next_page_token: str = ""


class Deleted(Struct, frozen=True):
    traces_deleted: int


ROOT = "/mlflow/traces"
export = Call("POST", "/v1/traces", Export, Response, "runs.write", "experiment", versions=(), body="raw")
start = Call("POST", ROOT, StartTrace, OneTrace, "runs.write", "told_trace", V3)
get_whole = Call("GET", f"{ROOT}/get", TraceId, OneTrace, "runs.read", "trace", V3)
get_many = Call("GET", f"{ROOT}/batchGet", TraceIds, ManyTraces, "runs.read", "platform", V3)
get_infos = Call("POST", f"{ROOT}/batchGetInfos", TraceIds, ManyInfos, "runs.read", "platform", V3)
search = Call("POST", f"{ROOT}/search", SearchTraces, FoundTraces, "runs.read", "platform", V3)
delete = Call("POST", f"{ROOT}/delete-traces", DeleteTraces, Deleted, "runs.write", "experiment", BOTH)
link = Call("POST", f"{ROOT}/link-to-run", LinkToRun, Void, "runs.write", "run", BOTH)
get_info = Call("GET", f"{ROOT}/{{trace_id}}", TraceId, OneTrace, "runs.read", "trace", V3)
set_tag = Call("PATCH", f"{ROOT}/{{trace_id}}/tags", SetTag, Void, "runs.write", "trace", BOTH)
delete_tag = Call("DELETE", f"{ROOT}/{{trace_id}}/tags", DeleteTag, Void, "runs.write", "trace", BOTH)
fetch = Call("GET", "/mlflow/get-trace-artifact", FetchData, Response, "runs.read", "trace", BOTH)


class TraceCalls:
    """The handlers."""

    def __init__(self, traces: Traces, experiments: Experiments, files: Files, access: Access) -> None:
        self.traces = traces
        self.experiments = experiments
        self.files = files
        self.access = access
        self.assessments = Reader(Assessment)

    @property
    def runs(self) -> ForeignFiles:
        return self.files.runs

    def bind(self, dialect: Dialect) -> None:
        def told_to(caller: Caller, ask: StartTrace) -> list[str]:
            return [self.place(experiment_in(ask.trace.trace_info.trace_location)).project]

        dialect.know("told_trace", told_to)
        dialect.know("trace", lambda caller, ask: [self.traces.project_of(id_of(ask))])
        dialect.serve(export, self.export)
        dialect.serve(start, self.start)
        dialect.serve(get_whole, self.get_whole)
        dialect.serve(get_many, self.get_many)
        dialect.serve(get_infos, self.get_infos)
        dialect.serve(search, self.search)
        dialect.serve(delete, self.delete)
        dialect.serve(link, self.link)
        dialect.serve(get_info, self.get_info)
        dialect.serve(set_tag, self.set_tag)
        dialect.serve(delete_tag, self.delete_tag)
        dialect.serve(fetch, self.fetch)
        Assessments(self.traces).bind(dialect)

    def place(self, experiment: str) -> Place:
        """Where a trace is told to. Raises NotFound, ExperimentTrashed."""
        sheet = self.experiments.find(names.experiment_number(experiment))
        if sheet.deleted_at is not None:
            raise ExperimentTrashed(experiment=sheet.name)
        return Place(sheet.number, sheet.project)

    # --- telling ---

    def export(self, caller: Caller, ask: Export, upload: Upload) -> Response:
        kind = upload.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in (PROTOBUF, JSON):
            raise unreadable(f"Content-Type must be {PROTOBUF} or {JSON}, not {kind[:60]!r}")
        place = self.place(ask.experiment_id)
        if ask.run_id and self.runs.owner(ask.run_id)[1] != place.project:
            raise NotFound(kind="run", name=ask.run_id[:100], hint="It is not in the project of the experiment.")
        upload.limit = MOST_BYTES
        data = b"".join(iter(lambda: upload.read(CHUNK), b""))
        plain = unpacked(data, upload.headers.get("content-encoding", "").lower())
        spans = read_spans(plain, is_json=kind == JSON)
        if spans:
            self.traces.log_spans(caller, spans, place=place, run=ask.run_id)
        return Response(b"{}" if kind == JSON else b"", media_type=kind)

    def start(self, caller: Caller, ask: StartTrace) -> OneTrace:
        sent = ask.trace.trace_info
        at_ms = now_ms(self.traces)
        given = [self.assessments.read_json(msgspec.json.encode(one)) for one in sent.assessments]
        for name in ("request_preview", "response_preview", "client_request_id"):
            text = getattr(sent, name)
            limit = 250 if name == "client_request_id" else LONGEST_PREVIEW
            if text is not None and len(text) > limit:
                raise invalid(f"trace.trace_info.{name}", text, f"a text of at most {limit:,} characters")
        duration = sent.execution_duration
        told = Told(
            id=sent.trace_id,
            state=STATES[sent.state],
            started_ms=read_time(sent.request_time, "trace.trace_info.request_time"),
            duration_ms=read_duration(duration, "trace.trace_info.execution_duration") if duration else None,
            client_id=sent.client_request_id,
            request=sent.request_preview,
            response=sent.response_preview,
            tags=own_tags(sent.tags),
            facts=sent.trace_metadata,
            remarks=[remark_of(one, at_ms) for one in given],
        )
        return OneTrace(
            Shown(info(self.traces.tell(caller, told, place=self.place(experiment_in(sent.trace_location)))))
        )

    # --- reading ---

    def get_whole(self, caller: Caller, ask: TraceId) -> OneTrace:
        return OneTrace(whole(self.traces.show(caller, trace=ask.trace_id)))

    def get_info(self, caller: Caller, ask: TraceId) -> OneTrace:
        return OneTrace(Shown(info(self.traces.find(ask.trace_id))))

    def get_many(self, caller: Caller, ask: TraceIds) -> ManyTraces:
        ids = [trace.id for trace in self._seen(caller, ask)]
        return ManyTraces([whole(found) for found in self.traces.with_spans(ids)])

    def get_infos(self, caller: Caller, ask: TraceIds) -> ManyInfos:
        return ManyInfos([info(trace) for trace in self._seen(caller, ask)])

    def _seen(self, caller: Caller, ask: TraceIds) -> list[Any]:
        """The traces that were asked for and that the caller may see."""
        if len(ask.trace_ids) > MOST_AT_ONCE:
            raise invalid("trace_ids", len(ask.trace_ids), f"at most {MOST_AT_ONCE} ids")
        visible = self.access.visible(caller)
        within = None if ask.experiment_ids is None else {names.experiment_number(one) for one in ask.experiment_ids}
        return [
            trace
            for trace in self.traces.several(ask.trace_ids)
            if (visible is None or trace.project in visible) and (within is None or trace.experiment in within)
        ]

    def search(self, caller: Caller, ask: SearchTraces) -> FoundTraces:
        experiments = [experiment_in(location) for location in ask.locations]
        found, token = self.find(caller, experiments, ask)
        return FoundTraces([info(trace) for trace in found], token)

    def find(self, caller: Caller, experiments: list[str], ask: Any) -> tuple[list[Any], str]:
        """The traces that a search of either age finds, and the token of the next page."""
        visible = self.access.visible(caller)
        offset = read_offset(ask.page_token)
        asked = Search(
            terms=tuple(parse_filter(ask.filter)),
            order=parse_order(ask.order_by),
            experiments=tuple(names.experiment_number(one) for one in experiments),
            projects=None if visible is None else tuple(visible),
            limit=page_size(ask.max_results, usual=USUALLY_LISTED, most=MOST_LISTED),
            offset=offset,
        )
        found, is_more = self.traces.search(asked)
        return found, write_token(str(offset + len(found))) if is_more else ""

    def fetch(self, caller: Caller, ask: FetchData) -> Response | Download:
        """The spans of a trace as a file, or an attachment of it."""
        trace = self.traces.find(ask.request_id)
        path = f"attachments/{relative(ask.path)}" if ask.path else TRACES_FILE
        if ask.path or not trace.spans:
            return self.files.fetch(FilePlace("trace", trace.id, trace.experiment, path))
        data = downloaded(trace.id, self.traces.show(caller, trace=trace.id).spans)
        headers = {"Content-Disposition": f'attachment; filename="{TRACES_FILE}"'}
        return Response(data, headers=headers, media_type="application/json")

    # --- changing ---

    def delete(self, caller: Caller, ask: DeleteTraces) -> Deleted:
        if (ask.max_timestamp_millis is None) == (not ask.request_ids):
            expected = "this, or request_ids, and not both"
            raise invalid("max_timestamp_millis", ask.max_timestamp_millis, expected)
        if ask.max_traces is not None and (ask.request_ids or ask.max_traces <= 0):
            raise invalid("max_traces", ask.max_traces, "a positive whole number, and only with max_timestamp_millis")
        if len(ask.request_ids) > MOST_AT_ONCE:
            raise invalid("request_ids", len(ask.request_ids), f"at most {MOST_AT_ONCE} ids")
        sheet = self.experiments.find(names.experiment_number(ask.experiment_id))
        deleted = self.traces.delete(
            caller,
            place=Place(sheet.number, sheet.project),
            ids=ask.request_ids,
            until_ms=ask.max_timestamp_millis,
            most=ask.max_traces,
        )
        return Deleted(deleted)

    def link(self, caller: Caller, ask: LinkToRun) -> Void:
        if len(ask.trace_ids) > MOST_LINKED:
            raise invalid("trace_ids", len(ask.trace_ids), f"at most {MOST_LINKED} ids")
        self.traces.link(caller, ask.trace_ids, ask.run_id, project=self.runs.owner(ask.run_id)[1])
        return Void()

    def set_tag(self, caller: Caller, ask: SetTag) -> Void:
        if own_tags({ask.key: ask.value}):
            self.traces.tag(caller, ask.trace_id, {ask.key: ask.value})
            return Void()
        raise invalid("key", ask.key, "another key: where things are is the server's to say")

    def delete_tag(self, caller: Caller, ask: DeleteTag) -> Void:
        self.traces.untag(caller, ask.trace_id, ask.key)
        return Void()


def experiment_in(location: TracePlace) -> str:
    if location.mlflow_experiment is None:
        raise invalid("trace_location", location.type, "a location of type MLFLOW_EXPERIMENT with its experiment_id")
    return location.mlflow_experiment.experiment_id


def id_of(ask: Any) -> str:
    found: str = getattr(ask, "trace_id", "") or ask.request_id
    return found
