"""What the outside sees of endpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from taxiway.datasets.contract import DatasetVersion
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.rollout.split import Share
from taxiway.endpoints.setup import PLAIN, Setup
from taxiway.gates.contract import GateStage, Standing
from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.models.contract import ModelVersion, StageEntry
from taxiway.models.predicting.signature import Signature
from taxiway.runs.contract import Run

MOST_LABELS = 10_000
MOST_NAMED = 100  # ids that an answer lists; the rest is counted

RevisionState = Literal[
    "waiting",  # no gateway runs that could answer
    "starting",
    "live",
    "restarting",
    "failing",  # its workers die; another try follows
    "refused",  # it may not, or cannot, be served
    "stopped",  # its endpoint was stopped
    "retired",  # another revision follows, or went before
    "shadow",  # it gets copies of requests; no caller hears of its answers
    "warm",  # it answered until the last change, and could again at once
    "fallen",  # it gave its traffic back by itself
    "elsewhere",  # it is served by others; nothing of it runs here
]
EndpointState = Literal["answering", "starting", "restarting", "waiting", "failing", "refused", "stopped", "elsewhere"]
LabelValue = bool | int | float | str


class Revision(Struct, frozen=True, kw_only=True):
    """One set-up of an endpoint: a model version and how it runs.

    reason: why it is refused, fallen, failing or restarting. percent: of the requests, as declared. live_at: when it
    first answered. requests: answered with a prediction; errors: it failed to answer; refused: what its model does
    not take, which is the caller's doing; abandoned: its caller hung up first. cpu_s: processor seconds of its workers
    so far. confinement: what its workers cannot do, as they found by trying.
    runs: which form of the model answers, its own library or its ONNX twin, and why. streams: whether it gives an
    answer in pieces.
    """

    endpoint: str
    number: int
    model: str
    version: int
    bundle: str
    state: RevisionState
    reason: str = ""
    workers: int = 1
    may_run_code: bool = False
    note: str = ""
    created_by: str
    created_at: datetime
    live_at: datetime | None = None
    requests: int = 0
    errors: int = 0
    refused: int = 0
    abandoned: int = 0
    rows: int = 0
    cpu_s: float = 0.0
    p50_ms: float | None = None
    p99_ms: float | None = None
    log_tail: list[str] = []
    percent: float = 0.0
    setup: Setup = PLAIN
    confinement: str = ""
    runs: str = ""
    streams: bool = False

    @property
    def ref(self) -> str:
        return f"revision:{self.endpoint}/{self.number}"

    @property
    def version_ref(self) -> str:
        return f"model:{self.model}@{self.version}"


class OnTrial(Struct, frozen=True):
    """A canary that runs: a revision that answers a part of the requests until it is shown to be no worse, or worse.

    said: the verdict in words, as of now.
    """

    revision: int
    model: str
    version: int
    percent: float
    said: str


class EndpointRecord(Struct, frozen=True, kw_only=True):
    """A name that answers with predictions, and how it is now.

    serves: only versions in this stage are accepted. active: the revision that should answer; answering: the one
    that does, which differs while a new one starts. changed_at: when what should answer was last changed, by whom.
    split: what part of the requests which revision answers, as declared.
    stopped_by, stopped_at: while it is stopped. fallback: what each row is answered with then; none is 503.
    is_external: it is served by others, at `url`, and its log is fed in.
    requests_per_s: over the last five minutes. p99_ms: of the last 2,048 requests, or of those before
    the gateway began anew, where it has answered none since.
    """

    name: str
    project: str
    serves: GateStage
    state: EndpointState
    reason: str
    active: int
    answering: int | None
    model: str
    version: int
    requests: int
    errors: int
    refused: int = 0
    abandoned: int = 0
    requests_per_s: float
    p50_ms: float | None
    p99_ms: float | None
    created_by: str
    created_at: datetime
    changed_by: str
    changed_at: datetime
    stopped_by: str = ""
    stopped_at: datetime | None = None
    fallback: dict[str, Any] | None = None
    split: list[Share] = []
    canary: OnTrial | None = None
    is_external: bool = False
    url: str = ""

    @property
    def ref(self) -> str:
        return f"endpoint:{self.name}"


class EndpointDetail(Struct, frozen=True):
    """An endpoint with its revisions, newest first, what it takes and gives, and where it answers.

    example: rows that the model was recorded with. gateway: the address that answers without the server; empty
    where no gateway runs.
    """

    endpoint: EndpointRecord
    revisions: list[Revision]
    signature: Signature
    example: list[dict[str, Any]]
    path: str
    gateway: str


class Deploy(Struct, frozen=True, forbid_unknown_fields=True):
    """A version takes over the endpoint, which is made at its first use.

    project: the model's, which owns the endpoint. version: such as ``mortgage@2`` or ``mortgage@champion``;
    revision: instead, the number of an earlier revision to go back to. serves: of a new endpoint. log: how its
    inference log is kept from then on; left out, as it was.
    """

    endpoint: str
    project: str
    version: str = ""
    revision: int | None = None
    serves: GateStage = "production"
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    may_run_code: bool = False
    note: Annotated[str, Meta(max_length=2000)] = ""
    percent: Annotated[float, Meta(ge=0, le=100)] | None = None
    setup: Setup = PLAIN
    log: LogPolicy | None = None


class StopEndpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """reason: required; it is shown on the page and kept in the audit log."""

    reason: Annotated[str, Meta(max_length=2000)]


class StartEndpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """reason: required where it was stopped: what has changed since."""

    reason: Annotated[str, Meta(max_length=2000)] = ""


class DeclareFallback(Struct, frozen=True, forbid_unknown_fields=True):
    """answer: what each row gets while the endpoint is stopped, such as ``{"prediction": 0}``; null is 503."""

    answer: dict[str, Any] | None
    reason: Annotated[str, Meta(max_length=2000)] = ""


class ListEndpoints(Struct, frozen=True, forbid_unknown_fields=True):
    """project: only this one's; empty means all that one may see."""

    project: str = ""


class Invocation(Struct, frozen=True, forbid_unknown_fields=True):
    """Rows to predict. event_at: when they happened, in RFC 3339: one time for all, or one for each."""

    rows: list[dict[str, Any]]
    event_at: str | list[str] | UnsetType = UNSET


class Answer(Struct, frozen=True):
    """What an endpoint answers: for each row `prediction` and, where the model has one, `score`.

    is_fallback: no model said this: the endpoint is stopped, and these are its declared answers.
    """

    prediction_id: str
    model: str
    revision: int
    predictions: list[dict[str, Any]]
    is_fallback: bool = False


class Label(Struct, frozen=True, forbid_unknown_fields=True):
    """The truth about one row of a prediction. at: when it became known; left out, it is now.

    prediction_id: of an external endpoint also the one that the other side gave.
    """

    prediction_id: Annotated[str, Meta(pattern=r"^[^/\s]{1,200}$")]
    label: LabelValue
    row: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    at: Annotated[datetime, Meta(tz=True)] | None = None


class GiveLabels(Struct, frozen=True, forbid_unknown_fields=True):
    labels: Annotated[list[Label], Meta(max_length=MOST_LABELS)]


class LabelConflict(Struct, frozen=True):
    """A row that has another label already; that one stays."""

    prediction_id: str
    row: int
    kept: LabelValue
    given: LabelValue


class LabelsTaken(Struct, frozen=True):
    """What became of a batch: `new` were stored, `known` were there already with the same label.

    unknown: predictions, as ID/ROW, that this endpoint never made; conflicts: those that have another label.
    Neither is stored; of each the first hundred are named, and `unknown_count`, `conflict_count` count all.
    """

    new: int
    known: int
    unknown_count: int = 0
    unknown: list[str] = []
    conflict_count: int = 0
    conflicts: list[LabelConflict] = []


class KeptLabel(Struct, frozen=True):
    """A label as it is kept."""

    prediction_id: str
    row: int
    label: LabelValue
    at: datetime
    by: str
    recorded_at: datetime


class AskTrace(Struct, frozen=True, forbid_unknown_fields=True):
    """row: only this one; left out, the first hundred of the request."""

    row: int | None = None


class TracedRow(Struct, frozen=True):
    """One row of the request: what was asked and answered, when it happened, and the truth where it is known."""

    row: int
    event_at: datetime
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    status: Literal["answered", "failed", "abandoned"]
    error: str | None = None
    label: KeptLabel | None = None


class PredictionTrace(Struct, frozen=True, kw_only=True):
    """The story of one prediction, from the answer back to data, people and decisions.

    is_same_bundle: whether what answered has the digest of the version as it is registered. gates: how they stood
    when the revision was deployed, with the approvals. stages: who moved the version along its path, and why.
    """

    prediction_id: str
    at: datetime
    latency_ms: float
    row_count: int
    rows: list[TracedRow]
    endpoint: str
    project: str
    revision: Revision
    version: ModelVersion
    bundle: str
    is_same_bundle: bool
    run: Run | None
    datasets: list[DatasetVersion]
    gates: Standing | None
    stages: list[StageEntry]


deploy = Endpoint(
    "POST",
    "/api/endpoints",
    Deploy,
    Revision,
    "endpoints.deploy",
    "Have a version, or an earlier revision, answer",
    guarded=True,
)
list_endpoints = Endpoint(
    "GET",
    "/api/endpoints",
    ListEndpoints,
    Page[EndpointRecord],
    "endpoints.read",
    "The endpoints one may see",
    "platform",
)
trace = Endpoint(
    "GET",
    "/api/endpoints/predictions/{prediction}",
    AskTrace,
    PredictionTrace,
    "endpoints.read",
    "Where a prediction came from",
)
show_endpoint = Endpoint(
    "GET", "/api/endpoints/{endpoint}", Nothing, EndpointDetail, "endpoints.read", "An endpoint and how it is now"
)
show_revision = Endpoint(
    "GET",
    "/api/endpoints/{endpoint}/revisions/{number:int}",
    Nothing,
    Revision,
    "endpoints.read",
    "A revision and how it is now",
)
stop_endpoint = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/stop",
    StopEndpoint,
    EndpointRecord,
    "endpoints.stop",
    "Stop answering at once",
)
start_endpoint = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/start",
    StartEndpoint,
    EndpointRecord,
    "endpoints.deploy",
    "Answer again",
    guarded=True,
)
declare_fallback = Endpoint(
    "PUT",
    "/api/endpoints/{endpoint}/fallback",
    DeclareFallback,
    EndpointRecord,
    "endpoints.deploy",
    "Say what is answered while it is stopped",
)
give_labels = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/labels",
    GiveLabels,
    LabelsTaken,
    "monitors.label",
    "Say what turned out to be true",
)
# Served by forwarding to the gateway, which checks the caller's token itself: it must answer when nothing else runs.
invoke = Endpoint(
    "POST", "/endpoints/{endpoint}/invocations", Invocation, Answer, "endpoints.invoke", "Predict", "open"
)
