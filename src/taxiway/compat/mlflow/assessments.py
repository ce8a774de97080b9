"""Assessments of traces as MLflow's client writes and reads them: what a person or judge says of their quality."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from taxiway.compat.mlflow import names
from taxiway.compat.mlflow.call import Call, Given, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.refusals import CallRefused, invalid
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.ids import new_id
from taxiway.traces.contract import Remark
from taxiway.traces.service import Traces

KINDS: tuple[Literal["feedback", "expectation", "issue"], ...] = ("feedback", "expectation", "issue")
CHANGED = ("assessment_name", "expectation", "feedback", "rationale", "metadata", "valid")
LONGEST_NAME = 250
MOST_BYTES = 1 << 20


class Source(Struct, frozen=True):
    source_type: str = "SOURCE_TYPE_UNSPECIFIED"
    source_id: str = ""


class Failure(Struct, frozen=True):
    error_code: str = ""
    error_message: str = ""
    stack_trace: str = ""


class Feedback(Struct, frozen=True):
    value: Any = None
    error: Failure | None = None


class Serialized(Struct, frozen=True):
    serialization_format: str = ""
    value: str = ""


class Expectation(Struct, frozen=True):
    value: Any = None
    serialized_value: Serialized | None = None


class Issue(Struct, frozen=True):
    issue_name: str = ""
    issue_id: str = ""


class Assessment(Struct, frozen=True, omit_defaults=True):
    """What the client says; times and ids are ours to set."""

    assessment_name: str = ""
    assessment_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    source: Source | None = None
    create_time: str = ""
    last_update_time: str = ""
    feedback: Feedback | None = None
    expectation: Expectation | None = None
    issue: Issue | None = None
    rationale: str = ""
    metadata: dict[str, str] = {}
    overrides: str = ""
    valid: bool | None = None


class CreateAssessment(Struct, frozen=True):
    trace_id: Given
    assessment: Assessment


class AssessmentId(Struct, frozen=True):
    trace_id: Given
    assessment_id: Given


class UpdateAssessment(Struct, frozen=True):
    trace_id: Given
    assessment_id: Given
    assessment: Assessment
    update_mask: str


class AssessmentAnswer(Struct, frozen=True):
    assessment: dict[str, Any]


ALL = "/mlflow/traces/{trace_id}/assessments"
ONE = f"{ALL}/{{assessment_id}}"
create = Call("POST", ALL, CreateAssessment, AssessmentAnswer, "runs.write", "trace", ("3.0",), most_bytes=MOST_BYTES)
get = Call("GET", ONE, AssessmentId, AssessmentAnswer, "runs.read", "trace", ("3.0",))
change = Call("PATCH", ONE, UpdateAssessment, AssessmentAnswer, "runs.write", "trace", ("3.0",), most_bytes=MOST_BYTES)
remove = Call("DELETE", ONE, AssessmentId, Void, "runs.write", "trace", ("3.0",))


class Assessments:
    """The handlers."""

    def __init__(self, traces: Traces) -> None:
        self.traces = traces

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(create, self.create)
        dialect.serve(get, self.get)
        dialect.serve(change, self.change)
        dialect.serve(remove, self.remove)

    def create(self, caller: Caller, ask: CreateAssessment) -> AssessmentAnswer:
        remark, value = remark_of(ask.assessment, now_ms(self.traces))
        if ask.assessment.overrides:
            old = self._find(ask.trace_id, ask.assessment.overrides)
            out = msgspec.structs.replace(old, content=old.content | {"valid": False}, changed_ms=remark.made_ms)
            self.traces.remark(caller, ask.trace_id, out, value_in(out))
        return self._keep(caller, ask.trace_id, remark, value)

    def get(self, caller: Caller, ask: AssessmentId) -> AssessmentAnswer:
        return AssessmentAnswer(shown_remark(ask.trace_id, self._find(ask.trace_id, ask.assessment_id)))

    def change(self, caller: Caller, ask: UpdateAssessment) -> AssessmentAnswer:
        before = self._find(ask.trace_id, ask.assessment_id)
        fields = [snake(name) for name in ask.update_mask.split(",")]
        if unknown := [name for name in fields if name not in CHANGED]:
            raise invalid("update_mask", unknown[0], f"one or more of {', '.join(CHANGED)}")
        given = msgspec.to_builtins(ask.assessment)
        content = before.content | {name: given[name] for name in fields if name in given}
        after = msgspec.structs.replace(
            before, name=str(content["assessment_name"]), content=content, changed_ms=now_ms(self.traces)
        )
        return self._keep(caller, ask.trace_id, after, value_in(after))

    def remove(self, caller: Caller, ask: AssessmentId) -> Void:
        self.traces.drop_remark(caller, ask.trace_id, ask.assessment_id)
        return Void()

    def _keep(self, caller: Caller, trace: str, remark: Remark, value: Any) -> AssessmentAnswer:
        return AssessmentAnswer(shown_remark(trace, self.traces.remark(caller, trace, remark, value)))

    def _find(self, trace: str, id_: str) -> Remark:
        found = next((remark for remark in self.traces.find(trace).remarks if remark.id == id_), None)
        if found is None:
            raise NotFound(kind="assessment", name=id_[:100], hint=f"The trace {trace} has no such assessment.")
        return found


def now_ms(traces: Traces) -> int:
    return names.in_ms(traces.ledger.writer.clock())


def snake(name: str) -> str:
    """A field's name as it is written in the mask of protobuf's JSON: ``assessmentName``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name.strip())


def remark_of(given: Assessment, at_ms: int) -> tuple[Remark, Any]:
    """What is kept of an assessment, and what it says. Raises ParameterInvalid, CallRefused."""
    kinds = [kind for kind in KINDS if getattr(given, kind) is not None]
    if len(kinds) != 1:
        raise CallRefused(
            error_code="INVALID_PARAMETER_VALUE",
            message="An assessment has exactly one of feedback, expectation and issue. Give one.",
        )
    if not 1 <= len(given.assessment_name) <= LONGEST_NAME:
        raise invalid("assessment.assessment_name", given.assessment_name, f"a text of 1 to {LONGEST_NAME} characters")
    content = {"valid": True} | msgspec.to_builtins(given)
    for ours in ("assessment_id", "trace_id", "create_time", "last_update_time"):
        content.pop(ours, None)
    remark = Remark(f"a-{new_id()}", given.assessment_name, kinds[0], content, at_ms, at_ms)
    return remark, value_in(remark)


def value_in(remark: Remark) -> Any:
    """What a remark says."""
    said = remark.content.get(remark.kind) or {}
    serialized = said.get("serialized_value") or {}
    return said.get("value", serialized.get("value", said.get("issue_id")))


def shown_remark(trace: str, remark: Remark) -> dict[str, Any]:
    """An assessment as the client reads it."""
    ours = {
        "assessment_id": remark.id,
        "trace_id": trace,
        "create_time": stamp(remark.made_ms),
        "last_update_time": stamp(remark.changed_ms),
    }
    return remark.content | ours


def stamp(ms: int) -> str:
    at: datetime = names.moment(ms, "create_time")
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
