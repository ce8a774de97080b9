"""What the outside sees of waivers, conditional approvals and broken glass."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from taxiway.gates.contract import Digests, GateStage, Verdict
from taxiway.gates.exceptions.passed import BrokenGlass, WaiverKind
from taxiway.kernel.endpoint import Endpoint, Nothing, Page

Words = Annotated[str, Meta(max_length=10_000)]
Days = Annotated[int, Meta(ge=1, le=3650)]


class Waiver(Struct, frozen=True, kw_only=True):
    """A second person's word that a version may go on although one gate is not open, for a reason and a while.

    kind: "waiver", which somebody else asked for, or "conditional", which lets through what is inconclusive.
    found: the gate's verdict then. until: its end date. digests: it counts while these are the current ones.
    granted_by: empty while it is only asked for. void_because: why it does not count; empty where it does.
    """

    id: str
    kind: WaiverKind
    model: str
    version: int
    project: str
    stage: GateStage
    gate: str
    found: Verdict
    reason: str
    asked_by: str
    asked_at: datetime
    until: datetime
    digests: Digests
    granted_by: str = ""
    role: str = ""
    comment: str = ""
    granted_at: datetime | None = None
    revoked_by: str = ""
    revoked_at: datetime | None = None
    revoked_because: str = ""
    void_because: str = ""

    @property
    def counts(self) -> bool:
        return not self.void_because

    @property
    def waits(self) -> bool:
        """Whether it is asked for and could still be granted."""
        return not self.granted_by and self.void_because == WAITING


WAITING = "nobody has granted it yet"


class AskWaiver(Struct, frozen=True, forbid_unknown_fields=True):
    """gate: its name on the path. reason: required. days: how long; left out, as long as the path allows."""

    gate: str
    reason: Words
    stage: GateStage | None = None
    days: Days | None = None


class GrantWaiver(Struct, frozen=True, forbid_unknown_fields=True):
    """comment: what was looked at and why it is bearable; required."""

    comment: Words


class RevokeWaiver(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Words


class LetThrough(Struct, frozen=True, forbid_unknown_fields=True):
    """A conditional approval of an inconclusive gate. comment: required. days: at most what the path allows."""

    gate: str
    comment: Words
    stage: GateStage | None = None
    days: Days | None = None


class BreakGlass(Struct, frozen=True, forbid_unknown_fields=True):
    """reason: what burns; required. days: until the gates must be open after all, at most 7; by default 3."""

    reason: Words
    stage: GateStage = "production"
    days: Annotated[int, Meta(ge=1, le=7)] = 3


class Exceptions(Struct, frozen=True):
    """All that ever let a version go on without an open gate, newest first, and who could grant a waiver now."""

    waivers: list[Waiver]
    broken: list[BrokenGlass]
    who_can: list[str]


VERSION = "/api/gates/models/{model}/versions/{version}"

list_exceptions = Endpoint(
    "GET", f"{VERSION}/exceptions", Nothing, Exceptions, "gates.read", "The waivers and broken glass of a version"
)
ask_waiver = Endpoint(
    "POST", f"{VERSION}/waivers", AskWaiver, Waiver, "gates.evaluate", "Ask to go on without an open gate"
)
grant_waiver = Endpoint(
    "POST",
    f"{VERSION}/waivers/{{waiver}}/grant",
    GrantWaiver,
    Waiver,
    "gates.waive",
    "Grant a waiver that somebody else asked for",
)
revoke_waiver = Endpoint(
    "POST",
    f"{VERSION}/waivers/{{waiver}}/revocation",
    RevokeWaiver,
    Waiver,
    "gates.read",
    "Take a waiver or a conditional approval back",
)
let_through = Endpoint(
    "POST",
    f"{VERSION}/conditional-approvals",
    LetThrough,
    Waiver,
    "gates.waive",
    "Let an inconclusive gate through for a limited time",
)
break_glass = Endpoint(
    "POST",
    f"{VERSION}/break-glass",
    BreakGlass,
    BrokenGlass,
    "gates.break_glass",
    "Move a version although its gates are closed",
    guarded=True,
)
list_waivers = Endpoint(
    "GET",
    "/api/gates/waivers",
    Nothing,
    Page[Waiver],
    "gates.read",
    "The waivers that wait for somebody or count, in the projects one may see",
    "platform",
)
