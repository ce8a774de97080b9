"""What a standing says of gates that are passed over, and what a path leaves open for that. Light: no other room."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

WaiverKind = Literal["waiver", "conditional"]
WaiverRole = Literal["validator", "approver", "owner"]
GlassRole = Literal["operator", "owner"]
MOST_DAYS = 90  # that a waiver lasts where a path says nothing


class Leeway(Struct, frozen=True):
    """Who may grant waivers on a path and for how many days, and who may break the glass: nobody unless it says so."""

    waivers_by: list[WaiverRole] = field(default_factory=lambda: ["approver", "owner"])
    waiver_days: int = MOST_DAYS
    break_glass: list[GlassRole] = []


class Waived(Struct, frozen=True):
    """What stands in for a gate that is not open: by whose word, why, and until when."""

    id: str
    kind: WaiverKind
    reason: str
    asked_by: str
    granted_by: str
    until: datetime

    @property
    def said(self) -> str:
        """In a sentence."""
        head = "waived" if self.kind == "waiver" else "conditionally approved"
        asked = f", asked by {self.asked_by}" if self.asked_by != self.granted_by else ""
        return f"{head} by {self.granted_by}{asked}, until {self.until:%Y-%m-%d}: {self.reason}"


class BrokenGlass(Struct, frozen=True, kw_only=True):
    """That somebody moved a version although gates were closed: who, why, past which gates, and until when.

    before: the stage it came from. unmet: the gates that were not open, with their verdicts. finding: the id of
    what was opened by it.
    """

    id: str
    model: str
    version: int
    project: str
    stage: Literal["staging", "production"]
    before: str
    bundle: str
    by: str
    role: str
    reason: str
    at: datetime
    until: datetime
    unmet: list[str]
    finding: str

    @property
    def said(self) -> str:
        """In a sentence."""
        return (
            f"{self.by} broke the glass for {self.stage} on {self.at:%Y-%m-%d}, past {', '.join(self.unmet)}, "
            f"until {self.until:%Y-%m-%d %H:%M} UTC: {self.reason}"
        )
