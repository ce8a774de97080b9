"""The SDK of endpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from taxiway.endpoints import contract, refusals
from taxiway.endpoints.canary.client import Canary
from taxiway.endpoints.contract import (
    MOST_LABELS,
    Answer,
    AskTrace,
    DeclareFallback,
    Deploy,
    EndpointDetail,
    EndpointRecord,
    GiveLabels,
    Invocation,
    Label,
    LabelsTaken,
    ListEndpoints,
    PredictionTrace,
    Revision,
    StartEndpoint,
    StopEndpoint,
)
from taxiway.endpoints.external.client import External
from taxiway.endpoints.inferences.logs.client import InferenceLog
from taxiway.endpoints.inferences.policy import LogPolicy
from taxiway.endpoints.rollout.client import Traffic
from taxiway.endpoints.rows import as_rows, as_texts
from taxiway.endpoints.scoring.client import Scorings
from taxiway.endpoints.setup import PLAIN, Setup
from taxiway.endpoints.streams import pieces_in
from taxiway.gates.contract import GateStage
from taxiway.kernel.transport import Transport
from taxiway.models import contract as models_contract
from taxiway.models.client import split

if TYPE_CHECKING:
    import pyarrow as pa

POLL_S = 0.1
PATIENCE_S = 5.0  # with a gateway that is not there
Progress = Callable[[Revision], None]


class Endpoints(Scorings, External):
    """Served models: ``client.endpoints``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    # --- moving ---

    def deploy(
        self,
        name: str,
        version: str,
        *,
        project: str = "",
        serves: GateStage = "production",
        workers: int = 1,
        may_run_code: bool = False,
        note: str = "",
        percent: float | None = None,
        setup: Setup = PLAIN,
        log: LogPolicy | None = None,
        wait: bool = True,
        wait_s: float = 60.0,
        progress: Progress | None = None,
    ) -> Revision:
        """Has a version answer under `name`. The endpoint is made at its first use; it belongs to the model's project.

        version: ``mortgage@2`` or ``mortgage@champion``; it must stand in the stage that the endpoint serves.
        percent: of the requests; without it all of them, with 0 those that ask for it by header.
        wait: until it answers; `progress` is called with the revision whenever its state changes. Without a gateway
        (no `taxiway server` runs) the revision comes back ``waiting``. may_run_code: also serves a pickle.
        setup: how its workers run, such as ``Setup(network=True)``. log: how its inference log is kept from then on.
        Raises DurabilityAsked, GateClosed, StageNotServed, BundleTampered, EndpointElsewhere, RevisionRefused.

        >>> client.endpoints.deploy("mortgage", "mortgage@champion").state  # doctest: +SKIP
        'live'
        """
        project = project or self._project_of_model(split(version)["model"])
        body = Deploy(
            endpoint=name,
            project=project,
            version=version,
            serves=serves,
            workers=workers,
            may_run_code=may_run_code,
            note=note,
            percent=percent,
            setup=setup,
            log=log,
        )
        made = self.transport.call(contract.deploy, body)
        return self.wait(name, made.number, wait_s=wait_s, progress=progress) if wait else made

    def roll_back(self, name: str, revision: int, *, note: str = "", wait: bool = True) -> Revision:
        """Has an earlier revision answer again, through the same door as a new one. Raises as `deploy`."""
        project = self.show(name).endpoint.project
        body = Deploy(endpoint=name, project=project, revision=revision, note=note)
        made = self.transport.call(contract.deploy, body)
        return self.wait(name, made.number) if wait else made

    def wait(self, name: str, revision: int, *, wait_s: float = 60.0, progress: Progress | None = None) -> Revision:
        """The revision once it answers, or as it is when the time is over. Raises RevisionRefused."""
        began, told = time.monotonic(), ""
        while True:
            found = self.revision(name, revision)
            if progress is not None and found.state != told:
                progress(found)
            told = found.state
            spent_s = time.monotonic() - began
            if found.state in ("refused", "failing", "fallen"):
                answering = self.show(name).endpoint.answering
                raise refusals.RevisionRefused(endpoint=name, number=revision, reason=found.reason, answering=answering)
            is_over = found.state in ("live", "stopped", "retired") or spent_s > wait_s
            if is_over or (found.state == "waiting" and spent_s > PATIENCE_S):
                return found
            time.sleep(POLL_S)

    def stop(self, name: str, *, reason: str) -> EndpointRecord:
        """Stops answering at once: callers get the declared fallback, or 503, until it is started.

        Who waits for a prediction already gets none. Raises ReasonMissing, NotFound.
        """
        return self.transport.call(contract.stop_endpoint, StopEndpoint(reason=reason), endpoint=name)

    def start(self, name: str, *, reason: str) -> EndpointRecord:
        """Has the revision that was stopped answer again. Raises ReasonMissing, GateClosed, NotFound."""
        return self.transport.call(contract.start_endpoint, StartEndpoint(reason=reason), endpoint=name)

    def declare_fallback(self, name: str, answer: Mapping[str, Any] | None, *, reason: str = "") -> EndpointRecord:
        """Says what each row is answered with while the endpoint is stopped, such as ``{"prediction": 0}``.

        None takes it away: callers get 503. Raises BadField, NotFound.
        """
        body = DeclareFallback(dict(answer) if answer is not None else None, reason)
        return self.transport.call(contract.declare_fallback, body, endpoint=name)

    # --- asking ---

    def invoke(self, name: str, rows: Any, *, event_at: Any = None) -> Answer:
        """Predictions for rows: one object, a list of them, or a DataFrame or Arrow table.

        event_at: when it happened in the world, one time or one for each row; by default now. Times are aware.
        Raises InputMismatch with row and field, EndpointStopped, NoWorker, QueueFull, GatewayAway, SignInNeeded.

        >>> client.endpoints.invoke("mortgage", {"obrat": 34.5, "loanamt": 128}).predictions  # doctest: +SKIP
        [{'prediction': 1, 'score': 0.94}]
        """
        times = UNSET if event_at is None else as_texts(event_at)
        return self.transport.call(contract.invoke, Invocation(as_rows(rows), times), endpoint=name)

    def stream(
        self, name: str, row: Mapping[str, Any], *, event_at: Any = None
    ) -> Generator[dict[str, Any], None, None]:
        """The pieces of an answer to one row, as the model makes them; one that answers whole gives one piece.

        Who stops reading has the model stop. Raises as `invoke`, and StreamCut where it ends before the model is done.

        >>> for piece in client.endpoints.stream("writer", {"topic": "rain"}):  # doctest: +SKIP
        ...     print(piece["prediction"], end="")
        """
        times = UNSET if event_at is None else as_texts(event_at)
        yield from pieces_in(self.transport, contract.invoke, Invocation(as_rows(row), times), name)

    def label(self, name: str, labels: Iterable[Label] | Iterable[Mapping[str, Any]]) -> LabelsTaken:
        """Says what turned out to be true: `Label`s, or objects with prediction_id, label and perhaps row and at.

        The same label again changes nothing; another for the same row is a conflict and is not stored.
        Any number at once; they are sent ten thousand at a time. Raises BadField, NotFound.
        """
        given = [each if isinstance(each, Label) else to_label(each) for each in labels]
        taken = LabelsTaken(0, 0)
        for start in range(0, len(given), MOST_LABELS):
            body = GiveLabels(given[start : start + MOST_LABELS])
            taken = joined(taken, self.transport.call(contract.give_labels, body, endpoint=name))
        return taken

    def trace(self, prediction_id: str) -> PredictionTrace:
        """The story of a prediction: revision, version, run, code, data, gates, approvals. ``ID/ROW`` is one row's.

        Raises NotFound.
        """
        request, _, row = prediction_id.partition("/")
        body = AskTrace(row=int(row) if row.isdigit() else None)
        return self.transport.call(contract.trace, body, prediction=request)

    def traffic(self, name: str) -> Traffic:
        """How an endpoint's requests are divided among revisions, and copied to shadows.

        >>> client.endpoints.traffic("mortgage").split({1: 90, 2: 10})  # doctest: +SKIP
        """
        return Traffic(self.transport, name)

    def canary(self, name: str) -> Canary:
        """A version on trial beside the one that answers, until it is shown to be no worse, or worse.

        >>> client.endpoints.canary("mortgage").show().verdict.decision  # doctest: +SKIP
        'not enough yet'
        """
        return Canary(self.transport, name)

    def inferences(self, name: str) -> InferenceLog:
        """The inference log of an endpoint: what it answered, how that is kept, and whose fields are erased."""
        return InferenceLog(self.transport, name)

    def log(self, name: str, *, where: str = "", since: str = "", until: str = "", shadows: bool = False) -> pa.Table:
        """What an endpoint answered as an Arrow table, oldest first, or what its shadows said. Raises as
        `InferenceLog.table`.

        >>> client.endpoints.log("mortgage", where="latency_ms > 50", since="1h").num_rows  # doctest: +SKIP
        3
        """
        return self.inferences(name).table(where=where, since=since, until=until, shadows=shadows)

    # --- looking ---

    def show(self, name: str) -> EndpointDetail:
        """An endpoint as it is now, its revisions newest first, and what it takes and gives. Raises NotFound."""
        return self.transport.call(contract.show_endpoint, endpoint=name)

    def revision(self, name: str, number: int) -> Revision:
        """A revision as it is now. Raises NotFound."""
        return self.transport.call(contract.show_revision, endpoint=name, number=number)

    def list(self, *, project: str = "") -> list[EndpointRecord]:
        """The endpoints that one may see, by name."""
        return self.transport.call(contract.list_endpoints, ListEndpoints(project=project)).items

    def _project_of_model(self, model: str) -> str:
        return self.transport.call(models_contract.show_model, model=model).project


def to_label(given: Mapping[str, Any]) -> Label:
    """A label out of an object such as ``{"prediction_id": …, "label": 1}``."""
    return Label(
        prediction_id=given["prediction_id"],
        label=given["label"],
        row=given.get("row", 0),
        at=given.get("at"),
    )


def joined(one: LabelsTaken, other: LabelsTaken) -> LabelsTaken:
    """What became of two batches together."""
    return LabelsTaken(
        one.new + other.new,
        one.known + other.known,
        one.unknown_count + other.unknown_count,
        one.unknown + other.unknown,
        one.conflict_count + other.conflict_count,
        one.conflicts + other.conflicts,
    )
