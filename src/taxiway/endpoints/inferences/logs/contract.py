"""What the outside sees of inference logs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from taxiway.endpoints.inferences.policy import Durability, LogPolicy
from taxiway.kernel.endpoint import Endpoint, Nothing, Raw

MOST_RECORDS = 10_000  # in one answer of JSON; the table takes any number

Why = Literal["the endpoint's own", "the path asks for it", "the project's risk is high", "the default"]


class EndpointLog(Struct, frozen=True, kw_only=True):
    """How an endpoint's log is kept and how it does.

    durability: in force, and why. loss_window_s: how much of it a power cut may take. files, bytes: on the disk now;
    first_at: of the oldest sealed record. refused, unrecorded: requests that the log did not take, and what became of
    them; problem: why it does not take any now. chain: the digest of the newest link of its files. broken: what is
    wrong with the chain. left_out: files that could not be read when they were last looked at.
    """

    endpoint: str
    policy: LogPolicy
    durability: Durability
    because: Why
    loss_window_s: float
    reason: str = ""
    changed_by: str = ""
    changed_at: datetime | None = None
    files: int = 0
    bytes: int = 0
    first_at: datetime | None = None
    rows: int = 0
    refused: int = 0
    unrecorded: int = 0
    failed_syncs: int = 0
    problem: str = ""
    chain: str = ""
    broken: str = ""
    left_out: list[str] = []


class KeepLog(Struct, frozen=True, forbid_unknown_fields=True):
    """How an endpoint's log is to be kept from now on, whole: what is left out is as by default."""

    policy: LogPolicy
    reason: Annotated[str, Meta(max_length=2000)] = ""


class AskLog(Struct, frozen=True, forbid_unknown_fields=True):
    """where: a condition such as ``latency_ms > 50``. since, until: a span such as ``1h``, or a date. Newest first.

    shadows: what shadows said in place of what callers were answered; a condition on `shadow` finds either.
    """

    where: str = ""
    since: str = ""
    until: str = ""
    limit: Annotated[int, Meta(ge=1, le=MOST_RECORDS)] = 100
    shadows: bool = False


class FetchLog(Struct, frozen=True, forbid_unknown_fields=True):
    """As `AskLog`, and every record that meets it."""

    where: str = ""
    since: str = ""
    until: str = ""
    shadows: bool = False


class LogRecord(Struct, frozen=True):
    """One row's record. Of the inputs what the policy kept; personal fields for those alone who may read them."""

    prediction_id: str
    row: int
    at: datetime
    event_at: datetime
    endpoint: str
    revision: int
    model: str
    bundle_digest: str
    latency_ms: float
    status: str
    error: str | None
    caller: str | None
    trace_id: str
    protocol: str
    shadow: bool
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    inputs_hash: str | None = None


class LogAnswer(Struct, frozen=True):
    """The newest records that meet a question. looked_at: how many there were to look at.

    is_cut: time ran out, and what is older than `back_to` was not looked at. left_out: files that cannot be read.
    """

    records: list[LogRecord]
    looked_at: int
    is_cut: bool = False
    back_to: datetime | None = None
    left_out: list[str] = []


class EraseSubject(Struct, frozen=True, forbid_unknown_fields=True):
    """subject: as the rows say it. reason: such as the request it answers; it stands in the audit log."""

    subject: Annotated[str, Meta(min_length=1, max_length=1000)]
    reason: Annotated[str, Meta(min_length=1, max_length=2000)]


class Erased(Struct, frozen=True):
    """was_there: whether there was a key; without one nothing of the subject could be read before either.

    subject: its keyed hash, as it stands in the audit log.
    """

    endpoint: str
    subject: str
    was_there: bool
    erased_at: datetime


class LogChecked(Struct, frozen=True):
    """Whether the sealed files of a log are as they were sealed; `problems` says what is not."""

    endpoint: str
    files: int
    chain: str
    problems: list[str]


show_log = Endpoint(
    "GET",
    "/api/endpoints/{endpoint}/log/policy",
    Nothing,
    EndpointLog,
    "endpoints.read",
    "How its inference log is kept",
)
keep_log = Endpoint(
    "PUT",
    "/api/endpoints/{endpoint}/log/policy",
    KeepLog,
    EndpointLog,
    "endpoints.deploy",
    "Say how its inference log is kept",
)
ask_log = Endpoint(
    "GET", "/api/endpoints/{endpoint}/log", AskLog, LogAnswer, "endpoints.read", "What its inference log holds"
)
fetch_log = Endpoint(
    "GET",
    "/api/endpoints/{endpoint}/log/table",
    FetchLog,
    Raw,
    "endpoints.read",
    "What its inference log holds, as an Arrow file",
)
check_log = Endpoint(
    "GET",
    "/api/endpoints/{endpoint}/log/check",
    Nothing,
    LogChecked,
    "endpoints.read",
    "Whether its inference log is as it was sealed",
)
erase_subject = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/log/erase",
    EraseSubject,
    Erased,
    "endpoints.erase",
    "Make a subject's personal fields unreadable for ever",
)
