"""What the outside sees of findings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page

Severity = Literal["low", "medium", "high", "critical"]
FindingState = Literal["open", "in_progress", "resolved", "closed"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "critical")
STATES: tuple[FindingState, ...] = ("open", "in_progress", "resolved", "closed")
MOST_THINGS = 50

Title = Annotated[str, Meta(min_length=1, max_length=300)]
Text = Annotated[str, Meta(max_length=10_000)]
Due = Annotated[datetime, Meta(tz=True)]


class Step(Struct, frozen=True):
    """One step of a finding's story: who did what, and what they said. former: who owned it until this step."""

    at: datetime
    by: str
    did: str
    comment: str = ""
    former: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """Something wrong with things of a project. It counts until a second person has closed it.

    things: refs such as ``model:mortgage@3``. owner: who mends it. remediation: how. steps: its story, oldest first.
    is_overdue: it is not closed and its due date has passed.
    """

    id: str
    project: str
    title: str
    detail: str
    severity: Severity
    state: FindingState
    things: list[str]
    owner: str
    due_at: datetime
    remediation: str
    opened_by: str
    opened_at: datetime
    resolved_by: str = ""
    closed_by: str = ""
    changed_at: datetime
    steps: list[Step] = []
    is_overdue: bool = False

    @property
    def ref(self) -> str:
        return f"finding:{self.id}"

    @property
    def is_closed(self) -> bool:
        return self.state == "closed"


class OpenFinding(Struct, frozen=True, forbid_unknown_fields=True):
    """things: refs of what it is about, such as ``model:mortgage@3``. owner: who mends it; left out, who opens it.

    due_at: left out, by severity: 7, 30, 90 or 180 days from critical to low.
    """

    project: str
    title: Title
    severity: Severity
    things: Annotated[list[str], Meta(min_length=1, max_length=MOST_THINGS)]
    detail: Text = ""
    owner: str = ""
    due_at: Due | None = None
    remediation: Text = ""


class ChangeFinding(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. reason: why; required. A lower severity or a later due date is a second person's."""

    reason: Text
    severity: Severity | None = None
    owner: str | None = None
    due_at: Due | None = None
    remediation: Text | None = None


class MoveFinding(Struct, frozen=True, forbid_unknown_fields=True):
    """The next state, and what was done or seen; required. A resolved one may also go back to being in progress."""

    state: Literal["in_progress", "resolved", "closed"]
    comment: Text


class ListFindings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is given must hold. state: `unclosed`, by default, is all but the closed. thing: only those about it."""

    project: str = ""
    thing: str = ""
    severity: Literal["", "low", "medium", "high", "critical"] = ""
    state: Literal["unclosed", "open", "in_progress", "resolved", "closed", "all"] = "unclosed"


open_finding = Endpoint(
    "POST", "/api/gates/findings", OpenFinding, Finding, "gates.find", "Say what is wrong with a thing"
)
list_findings = Endpoint(
    "GET",
    "/api/gates/findings",
    ListFindings,
    Page[Finding],
    "gates.read",
    "The findings one may see, the worst and the most overdue first",
    "platform",
)
show_finding = Endpoint(
    "GET", "/api/gates/findings/{finding}", Nothing, Finding, "gates.read", "A finding and its story"
)
change_finding = Endpoint(
    "PATCH", "/api/gates/findings/{finding}", ChangeFinding, Finding, "gates.find", "Change who mends it, until when"
)
move_finding = Endpoint(
    "POST",
    "/api/gates/findings/{finding}/state",
    MoveFinding,
    Finding,
    "gates.find",
    "Take it up, resolve it, or close it as a second person",
)
