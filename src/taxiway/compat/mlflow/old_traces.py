"""MLflow's calls about traces as its clients before version 3 make them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from taxiway.compat.mlflow.call import Call, Given, Int32, Int64
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.refusals import invalid
from taxiway.compat.mlflow.told_traces import SHOWN, STATES, own_tags, tags_of
from taxiway.compat.mlflow.traces import TraceCalls
from taxiway.kernel.caller import Caller
from taxiway.kernel.ids import new_id
from taxiway.traces.contract import Trace
from taxiway.traces.service import Place
from taxiway.traces.told import Told

Status = Literal["TRACE_STATUS_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"]
LAST_MS = 253_402_214_400_000


class Pair(Struct, frozen=True):
    key: Given
    value: str = ""


class StartOld(Struct, frozen=True):
    experiment_id: Given
    timestamp_ms: Int64
    request_metadata: list[Pair] = []
    tags: list[Pair] = []


class EndOld(Struct, frozen=True):
    request_id: Given
    timestamp_ms: Int64
    status: Status = "TRACE_STATUS_UNSPECIFIED"
    request_metadata: list[Pair] = []
    tags: list[Pair] = []


class OldId(Struct, frozen=True):
    request_id: Given


class SearchOld(Struct, frozen=True):
    experiment_ids: list[str]
    filter: str = ""
    max_results: Int32 | None = None
    order_by: list[str] = []
    page_token: str = ""


class OldInfo(Struct, frozen=True, omit_defaults=True):
    request_id: str
    experiment_id: str
    timestamp_ms: int
    status: str
    execution_time_ms: int | None = None
    request_metadata: list[dict[str, str]] = []
    tags: list[dict[str, str]] = []


class OldAnswer(Struct, frozen=True):
    trace_info: OldInfo


class FoundOld(Struct, frozen=True, omit_defaults=True):
    traces: list[OldInfo] = []
    next_page_token: str = ""


ROOT = "/mlflow/traces"
start = Call("POST", ROOT, StartOld, OldAnswer, "runs.write", "experiment")
end = Call("PATCH", f"{ROOT}/{{request_id}}", EndOld, OldAnswer, "runs.write", "trace")
get = Call("GET", f"{ROOT}/{{request_id}}/info", OldId, OldAnswer, "runs.read", "trace")
search = Call("GET", ROOT, SearchOld, FoundOld, "runs.read", "platform")


class OldTraceCalls:
    """The handlers."""

    def __init__(self, calls: TraceCalls) -> None:
        self.calls = calls
        self.traces = calls.traces

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(start, self.start)
        dialect.serve(end, self.end)
        dialect.serve(get, self.get)
        dialect.serve(search, self.search)

    def start(self, caller: Caller, ask: StartOld) -> OldAnswer:
        told = Told(
            id=f"tr-{new_id()}",
            state="running",
            started_ms=checked(ask.timestamp_ms),
            tags=own_tags(pairs(ask.tags)),
            facts=pairs(ask.request_metadata),
            is_over=False,
        )
        return OldAnswer(shown(self.traces.tell(caller, told, place=self.calls.place(ask.experiment_id))))

    def end(self, caller: Caller, ask: EndOld) -> OldAnswer:
        before = self.traces.find(ask.request_id)
        told = Told(
            id=before.id,
            state=STATES.get(ask.status, "unknown"),
            started_ms=before.started_ms,
            duration_ms=max(0, checked(ask.timestamp_ms) - before.started_ms),
            tags=own_tags(pairs(ask.tags)),
            facts=pairs(ask.request_metadata),
        )
        return OldAnswer(shown(self.traces.tell(caller, told, place=Place(before.experiment, before.project))))

    def get(self, caller: Caller, ask: OldId) -> OldAnswer:
        return OldAnswer(shown(self.traces.find(ask.request_id)))

    def search(self, caller: Caller, ask: SearchOld) -> FoundOld:
        found, token = self.calls.find(caller, ask.experiment_ids, ask)
        return FoundOld([shown(trace) for trace in found], token)


def checked(ms: int) -> int:
    if not 0 <= ms <= LAST_MS:
        raise invalid("timestamp_ms", ms, f"milliseconds since 1970, at most {LAST_MS}")
    return ms


def pairs(given: list[Pair]) -> dict[str, str]:
    return {pair.key: pair.value for pair in given}


def shown(trace: Trace) -> OldInfo:
    state = SHOWN[trace.state]
    return OldInfo(
        request_id=trace.id,
        experiment_id=str(trace.experiment),
        timestamp_ms=trace.started_ms,
        status="TRACE_STATUS_UNSPECIFIED" if state == "STATE_UNSPECIFIED" else state,
        execution_time_ms=trace.duration_ms,
        request_metadata=as_pairs(trace.facts),
        tags=as_pairs(tags_of(trace)),
    )


def as_pairs(given: dict[str, str]) -> list[Any]:
    return [{"key": key, "value": value} for key, value in given.items()]
