"""What the outside sees of how an endpoint's traffic is divided, shadowed and guarded."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from taxiway.endpoints.contract import EndpointRecord, Revision
from taxiway.endpoints.rollout.declared import Shadow
from taxiway.endpoints.rollout.guard import Cause, Guard
from taxiway.endpoints.rollout.split import HeaderRule, Share, Split
from taxiway.kernel.endpoint import Endpoint, Nothing

Reason = Annotated[str, Meta(max_length=2000)]
MOST_SHADOWS = 8


class ChangeTraffic(Struct, frozen=True, forbid_unknown_fields=True):
    """shares: of every revision that is to answer, summing to 100; one that is left out answers nothing any more.

    sticky: the field of a row, or ``header:NAME``, whose value always finds the same revision; null leaves it as it is.
    rules: null leaves them, except those to revisions that are left out.
    """

    shares: Annotated[list[Share], Meta(min_length=1, max_length=64)]
    sticky: Annotated[str, Meta(max_length=200)] | None = None
    rules: Annotated[list[HeaderRule], Meta(max_length=64)] | None = None
    reason: Reason = ""


class UndoTraffic(Struct, frozen=True, forbid_unknown_fields=True):
    """to: the number of an earlier split; 0 is the one before the split in force."""

    to: int = 0
    reason: Reason = ""


class AddShadow(Struct, frozen=True, forbid_unknown_fields=True):
    """version: such as ``mortgage@4``, which may stand in an earlier stage; revision: instead, one that is there.

    share: of the requests that are copied, above 0 up to 1.
    """

    version: str = ""
    revision: int | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    workers: Annotated[int, Meta(ge=1, le=64)] = 1
    may_run_code: bool = False
    reason: Reason = ""


class RemoveShadow(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason = ""


class ChangeGuard(Struct, frozen=True, forbid_unknown_fields=True):
    """The conditions from now on, all of them: what is left out is as by default."""

    guard: Guard
    reason: Reason = ""


class SplitEntry(Struct, frozen=True):
    """A split that was in force. cause: why the gateway went back to it by itself; empty where somebody chose it."""

    number: int
    split: Split
    at: datetime
    by: str
    reason: str = ""
    cause: str = ""


class ShadowFigures(Struct, frozen=True):
    """How a shadow does. agreed: rows answered alike, of those compared; low, high: a 95 % interval of that share.

    dropped: requests that were not copied because the shadow was behind. failed: copies it gave no answer to.
    """

    shadow: Shadow
    revision: Revision
    compared: int = 0
    agreed: int = 0
    low: float = 0.0
    high: float = 1.0
    dropped: int = 0
    failed: int = 0

    @property
    def agreement(self) -> float | None:
        return self.agreed / self.compared if self.compared else None


class Fallback(Struct, frozen=True):
    """A revision that gave its traffic back by itself, to whom, and why."""

    revision: int
    at: datetime
    to: Split
    cause: Cause
    log_tail: list[str] = []


class TrafficDetail(Struct, frozen=True):
    """How an endpoint's traffic is divided.

    wanted: the split that is declared; now: percent by revision as the gateway divides at this moment, which differs
    while a revision starts. history: newest first, at most fifty.
    """

    endpoint: EndpointRecord
    number: int
    wanted: Split
    now: list[Share]
    warm: list[int]
    shadows: list[ShadowFigures]
    guard: Guard
    history: list[SplitEntry]
    last_fall: Fallback | None = None


class AskComparison(Struct, frozen=True, forbid_unknown_fields=True):
    """rows: how many disagreeing records are listed."""

    rows: Annotated[int, Meta(ge=0, le=1000)] = 20


class Cohort(Struct, frozen=True):
    """Rows that have something in common, and how many of them are answered differently.

    low, high: a 95 % interval of the share, widened for the number of cohorts that were looked at. rest: the share
    among all other rows.
    """

    column: str
    value: str
    rows: int
    differing: int
    share: float
    low: float
    high: float
    rest: float


class Difference(Struct, frozen=True):
    """A row that a shadow answered differently, or not at all."""

    prediction_id: str
    row: int
    at: datetime
    revision: int
    outputs: dict[str, Any]
    shadow_outputs: dict[str, Any] | None
    inputs: dict[str, Any]


class ShadowComparison(Struct, frozen=True):
    """A shadow held against what callers got. looked_at: rows of the stored comparisons whose inputs are in the log.

    cohorts: where disagreement is concentrated, the strongest first; differences: the latest rows.
    """

    endpoint: str
    shadow: int
    compared: int
    agreed: int
    low: float
    high: float
    looked_at: int
    cohorts: list[Cohort]
    differences: list[Difference]


show_traffic = Endpoint(
    "GET",
    "/api/endpoints/{endpoint}/traffic",
    Nothing,
    TrafficDetail,
    "endpoints.read",
    "How its traffic is divided, shadowed and guarded",
)
change_traffic = Endpoint(
    "PUT",
    "/api/endpoints/{endpoint}/traffic",
    ChangeTraffic,
    TrafficDetail,
    "endpoints.deploy",
    "Divide its traffic among revisions",
    guarded=True,
)
undo_traffic = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/traffic/undo",
    UndoTraffic,
    TrafficDetail,
    "endpoints.deploy",
    "Go back to an earlier split",
    guarded=True,
)
add_shadow = Endpoint(
    "POST",
    "/api/endpoints/{endpoint}/shadows",
    AddShadow,
    Revision,
    "endpoints.deploy",
    "Copy requests to a revision that no caller hears of",
)
remove_shadow = Endpoint(
    "DELETE",
    "/api/endpoints/{endpoint}/shadows/{number:int}",
    RemoveShadow,
    TrafficDetail,
    "endpoints.deploy",
    "Copy nothing to it any more",
)
compare_shadow = Endpoint(
    "GET",
    "/api/endpoints/{endpoint}/shadows/{number:int}",
    AskComparison,
    ShadowComparison,
    "endpoints.read",
    "Where a shadow answers differently",
)
change_guard = Endpoint(
    "PUT",
    "/api/endpoints/{endpoint}/guard",
    ChangeGuard,
    TrafficDetail,
    "endpoints.deploy",
    "Say when a revision gives its traffic back",
)
