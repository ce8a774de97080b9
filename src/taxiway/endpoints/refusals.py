"""What endpoints refuse, by name, free of every framework: first who deploys, then, at the gateway, who calls."""

from __future__ import annotations

from datetime import datetime

import taxiway.endpoints.gateway.refusals  # noqa: F401  declares what the gateway refuses before it reads
from taxiway.kernel.errors import TaxiwayError


class StageNotServed(TaxiwayError):
    """A version that may enter the stage that the endpoint serves, and has not been moved there."""

    status = 409
    is_audited = True
    endpoint: str
    model: str
    version: int
    stage: str
    serves: str

    def __str__(self) -> str:
        where = "in no stage yet" if self.stage == "none" else f"in {self.stage}"
        return (
            f"{self.model} v{self.version} is {where}, and the endpoint {self.endpoint} serves {self.serves}. "
            f"Its gates are open: `taxiway models promote {self.model}@{self.version} {self.serves}` moves it."
        )


class EndpointElsewhere(TaxiwayError):
    """An endpoint or a model that belongs to another project than the request says."""

    status = 409
    kind: str
    name: str
    project: str

    def __str__(self) -> str:
        return (
            f"The {self.kind} {self.name!r} does not belong to the project {self.project}. "
            f"An endpoint serves models of its own project; choose another name, or deploy it in that project."
        )


class RevisionRefused(TaxiwayError):
    """A revision that the gateway does not take. `answering` is the one that goes on, where there is one."""

    status = 409
    endpoint: str
    number: int
    reason: str
    answering: int | None

    def __str__(self) -> str:
        goes_on = f"Revision {self.answering} goes on answering" if self.answering else "Nothing answers in its place"
        reason = self.reason.rstrip(".")
        return (
            f"Revision {self.number} of the endpoint {self.endpoint} is not served: {reason}. {goes_on}; "
            f"`taxiway endpoints show {self.endpoint}` has the last lines of its log."
        )


class ShadowTooEarly(TaxiwayError):
    """A version that stands in no stage in which it may see what callers send."""

    status = 409
    is_audited = True
    endpoint: str
    model: str
    version: int
    stage: str

    def __str__(self) -> str:
        where = "in no stage yet" if self.stage == "none" else f"in {self.stage}"
        return (
            f"{self.model} v{self.version} is {where}, and a shadow of {self.endpoint} sees what its callers send: "
            f"it must stand in staging at least. `taxiway models promote {self.model}@{self.version} staging` moves it."
        )


class ShadowsFull(TaxiwayError):
    """An endpoint with as many shadows as it may have."""

    status = 409
    endpoint: str
    most: int

    def __str__(self) -> str:
        return (
            f"The endpoint {self.endpoint} has {self.most} shadows already. "
            f"`taxiway endpoints shadow {self.endpoint} REVISION --remove` takes one away."
        )


class ReasonMissing(TaxiwayError):
    """An endpoint was to be stopped, or to answer again, without a word why."""

    status = 400
    endpoint: str

    def __str__(self) -> str:
        return (
            f"Stopping {self.endpoint}, or starting it again, needs a reason: others will ask. Give one with --reason."
        )


class GatewayAway(TaxiwayError):
    """The gateway did not start, or does not answer."""

    status = 503
    retry_after_s = 1.0
    reason: str
    log: str

    def __str__(self) -> str:
        return f"The gateway is not there: {self.reason}. Its log is {self.log}."


class EndpointUnknown(TaxiwayError):
    """No endpoint of that name is served here."""

    status = 404
    endpoint: str

    def __str__(self) -> str:
        return f"There is no endpoint {self.endpoint!r} here to call. `taxiway endpoints list` shows those there are."


class RevisionElsewhere(TaxiwayError):
    """A caller insists on a revision that does not answer."""

    status = 404
    endpoint: str
    revision: str
    answering: list[int]

    def __str__(self) -> str:
        numbers = ", ".join(map(str, self.answering))
        return f"Revision {self.revision} of the endpoint {self.endpoint} does not answer; {numbers} does. Ask without."


class AddressUnknown(TaxiwayError):
    """The gateway serves few addresses, and this is none of them."""

    status = 404
    path: str

    def __str__(self) -> str:
        return f"The gateway has nothing at {self.path!r}. Predictions are at POST /endpoints/NAME/invocations."


class MethodRefused(TaxiwayError):
    """The address exists, for another method."""

    status = 405
    method: str
    allowed: str

    def __str__(self) -> str:
        return f"{self.method} is not accepted here. Use {self.allowed}."


class EndpointStopped(TaxiwayError):
    """The endpoint exists and was stopped on purpose: by whom, when and why, as far as that is known here."""

    status = 503
    retry_after_s = 30.0
    endpoint: str
    by: str = ""
    at: datetime | None = None
    reason: str = ""

    def __str__(self) -> str:
        who = f" by {self.by}" if self.by else ""
        when = f" on {self.at:%Y-%m-%d at %H:%M} UTC" if self.at else ""
        why = f": {self.reason.rstrip('.')}" if self.reason else ""
        start = f"`taxiway endpoints start {self.endpoint} --reason …` starts it"
        return f"The endpoint {self.endpoint} was stopped{who}{when}{why}. {start}."


class EnvironmentFailed(TaxiwayError):
    """A revision is to run in an environment of its own, and that cannot be made here."""

    status = 409
    bundle: str
    problem: str

    def __str__(self) -> str:
        return (
            f"The environment of the bundle {self.bundle} cannot be made: {self.problem.rstrip('.')}. "
            "Deploy with --environment shared to run it with the packages of the gateway."
        )


class NotConfined(TaxiwayError):
    """A revision asks for workers that are confined in every respect, and this host does not hold all of it."""

    status = 503
    endpoint: str
    missing: list[str]

    def __str__(self) -> str:
        return (
            f"The workers of {self.endpoint} are not loaded: this host does not confine {', '.join(self.missing)}, and "
            "the revision requires it. See `taxiway doctor`, or deploy with --sandbox reachable."
        )


class NoWorker(TaxiwayError):
    """No process can answer for this endpoint at the moment."""

    status = 503
    retry_after_s = 1.0
    endpoint: str
    state: str
    reason: str = ""

    def __str__(self) -> str:
        why = f": {self.reason.rstrip('.')}" if self.reason else ""
        return (
            f"No worker of the endpoint {self.endpoint} can answer now, it is {self.state}{why}. "
            f"Try again shortly; `taxiway endpoints show {self.endpoint}` tells more."
        )


class NothingServed(TaxiwayError):
    """The revision was refused for good, and no earlier one answers: only another deployment helps."""

    status = 503
    endpoint: str
    reason: str

    def __str__(self) -> str:
        return (
            f"The endpoint {self.endpoint} cannot answer: its revision was refused, {self.reason.rstrip('.')}. "
            f"Trying again does not help; `taxiway endpoints deploy {self.endpoint} MODEL@VERSION` does."
        )


class WorkerLost(TaxiwayError):
    """The worker died while it held this request, and so did the one that was asked next."""

    status = 503
    retry_after_s = 1.0
    endpoint: str

    def __str__(self) -> str:
        return (
            f"Two workers of the endpoint {self.endpoint} died with this request, so it is not tried again. "
            f"`taxiway endpoints show {self.endpoint}` has the last lines of their log."
        )


TOO_LONG = "it took longer than it may"


class StreamCut(TaxiwayError):
    """A stream that ended before its model was done."""

    status = 502
    endpoint: str
    pieces: int
    cause: str

    def __str__(self) -> str:
        return (
            f"The stream of the endpoint {self.endpoint} was cut after {self.pieces} pieces: {self.cause.rstrip('.')}. "
            "What came until then is all there is; ask again for the whole."
        )


class WorkersStreaming(TaxiwayError):
    """A request waited behind streams that hold every worker."""

    status = 503
    retry_after_s = 1.0
    endpoint: str

    def __str__(self) -> str:
        return (
            f"Every worker of the endpoint {self.endpoint} answers a stream. Try again in a second, "
            "or give the endpoint more workers."
        )


class QueueFull(TaxiwayError):
    """More requests wait for this endpoint than it can answer in time."""

    status = 429
    retry_after_s = 1.0
    endpoint: str
    limit: int

    def __str__(self) -> str:
        return f"{self.limit} requests already wait for the endpoint {self.endpoint}. Try again in a second."


class DeadlinePassed(TaxiwayError):
    """No answer came within the time a request may take."""

    status = 504
    endpoint: str
    deadline_s: float

    def __str__(self) -> str:
        return (
            f"The endpoint {self.endpoint} gave no answer within {self.deadline_s:g} s. "
            f"Send fewer rows at once, or give the endpoint more workers."
        )


class BodyRefused(TaxiwayError):
    """The body cannot be read, or is not in one of the forms that are accepted."""

    status = 400
    problem: str
    accepted: str = 'a JSON object (one row), an array of objects, or {"rows": [...]}'

    def __str__(self) -> str:
        return f"The body cannot be read: {self.problem}. Send {self.accepted}."


class EventTimeRefused(TaxiwayError):
    """An event time is not an RFC 3339 time with its zone, or there is not one for each row."""

    status = 422
    value: str

    def __str__(self) -> str:
        return (
            f"{self.value} cannot be the event time. "
            "Give an RFC 3339 time with its zone, such as 2013-05-01T06:00:00Z, or a list with one per row."
        )


class ModelRaised(TaxiwayError):
    """The model's own code failed on this request; the worker lives on."""

    status = 500
    endpoint: str
    row: int | None
    problem: str

    def __str__(self) -> str:
        where = "" if self.row is None else f" on row {self.row}"
        return (
            f"The model of the endpoint {self.endpoint} failed{where}: {self.problem}. "
            "Look at the row, or ask the model's author with the request id of this answer."
        )


class CallerGone(TaxiwayError):
    """The caller hung up before there was an answer. It is nobody's error, and told to nobody."""

    status = 499
    endpoint: str

    def __str__(self) -> str:
        return f"The caller of {self.endpoint} hung up before it was answered."


class AnswerNotRecorded(TaxiwayError):
    """The prediction could not be written to the inference log, so it is not given out."""

    status = 507
    retry_after_s = 5.0
    endpoint: str
    cause: str

    def __str__(self) -> str:
        return (
            f"The prediction of {self.endpoint} could not be recorded ({self.cause}), so it is withheld. "
            "Free some space on the gateway's disk and try again."
        )


class FlavourUnknown(TaxiwayError):
    """Nothing installed here loads models of this flavour."""

    status = 422
    flavour: str
    installed: list[str]

    def __str__(self) -> str:
        return (
            f"Nothing here loads models of flavour {self.flavour!r}, only of {', '.join(self.installed)}. "
            f"Install the extra that brings it, such as taxiway[sklearn]."
        )


class ExampleFailed(TaxiwayError):
    """The model cannot answer the input example in its own bundle."""

    status = 422
    problem: str

    def __str__(self) -> str:
        return f"The model fails on its own example: {self.problem}. Log it again with one it can answer."
