"""What the outside sees of external endpoints: models that are served elsewhere, and whose logs are fed in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from taxiway.endpoints.contract import Revision
from taxiway.gates.contract import GateStage
from taxiway.kernel.endpoint import Endpoint

MOST_RECORDS = 5_000

# No blank, slash, control character or invisible mark; the last part keeps out a newline that `$` would let pass.
HIDDEN = r"\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
GivenId = Annotated[str, Meta(pattern=rf"^[^/\s{HIDDEN}]{{1,200}}(?![\s\S])")]
CaptureForm = Literal["sagemaker", "azure"]


class RegisterExternal(Struct, frozen=True, forbid_unknown_fields=True):
    """A version is said to be served elsewhere under this name, as of now.

    It goes through the gates as a deployment does. url: where it answers, for people to read; nothing is sent there.
    """

    endpoint: str
    project: str
    version: str
    url: Annotated[str, Meta(max_length=2000)] = ""
    serves: GateStage = "production"
    note: Annotated[str, Meta(max_length=2000)] = ""


class FedRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """One row that was answered elsewhere.

    prediction_id: as the other side calls the request; row: of several in one request. at: when it was asked;
    event_at: when it happened, by default then. outputs: left out where there was no answer, and `error` says why.
    """

    prediction_id: GivenId
    at: Annotated[datetime, Meta(tz=True)]
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None = None
    row: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    latency_ms: Annotated[float, Meta(ge=0, le=86_400_000)] = 0.0
    event_at: Annotated[datetime, Meta(tz=True)] | None = None
    error: Annotated[str, Meta(max_length=2000)] = ""
    trace_id: Annotated[str, Meta(pattern=rf"^[^\s{HIDDEN}]{{0,64}}(?![\s\S])")] = ""


class FeedLog(Struct, frozen=True, forbid_unknown_fields=True):
    """Records in the order of the log. revision: that answered them; left out, the active one.

    is_trial: they are checked, and nothing is stored. captured: in place of records, events as another platform wrote
    them, in its `form`. outputs: what they call the values of an answer that come without names; by default as the
    version does.
    """

    records: Annotated[list[FedRecord], Meta(max_length=MOST_RECORDS)] = []
    revision: int | None = None
    is_trial: bool = False
    captured: Annotated[list[dict[str, Any]], Meta(max_length=MOST_RECORDS)] = []
    form: CaptureForm | None = None
    outputs: Annotated[list[str], Meta(max_length=100)] = []


class Fed(Struct, frozen=True):
    """What became of a batch: `new` were stored; `known` were there already.

    conflicts: records, as ID/ROW, that are there with another answer, which stays; the first hundred are named.
    unpaired: captured requests or answers whose other half was not among them; they are left out.
    """

    new: int
    known: int = 0
    conflict_count: int = 0
    conflicts: list[str] = []
    unpaired: int = 0


register_external = Endpoint(
    "POST",
    "/api/endpoints/external",
    RegisterExternal,
    Revision,
    "endpoints.deploy",
    "Say which version is served elsewhere",
    guarded=True,
)
feed = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/feed",
    FeedLog,
    Fed,
    "endpoints.feed",
    "Bring what an external endpoint answered into its log",
)
