"""Whether enough people, none of them an author, said yes to exactly what stands now."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome

ApproverRole = Literal["validator", "approver"]
SPAN = re.compile(r"([1-9][0-9]{0,3})d")
NEVER = "never"


class ApprovalsAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """roles: one of them must be held. not_author: four eyes, which no path can switch off. expires: 90d, or never."""

    roles: list[ApproverRole] = msgspec.field(default_factory=lambda: ["validator"])
    count: int = 1
    not_author: Literal[True] = True
    expires: str = "90d"

    def __post_init__(self) -> None:
        if not self.roles:
            raise ValueError("at least one role")
        if not 1 <= self.count <= 20:
            raise ValueError("a count from 1 to 20")
        if self.expires != NEVER and not SPAN.fullmatch(self.expires):
            raise ValueError("expires as days, such as 90d, or never")

    @property
    def lives(self) -> timedelta | None:
        """How long an approval counts; None for ever."""
        found = SPAN.fullmatch(self.expires)
        return timedelta(days=int(found[1])) if found else None


class Approvals:
    """Passes when enough different people approved what stands now. Asked anew each time: approvals lapse."""

    name = "approvals"
    parameters = ApprovalsAsk
    inputs: tuple[Input, ...] = ()
    is_live = True

    def title(self, parameters: ApprovalsAsk) -> str:
        people = "one person" if parameters.count == 1 else f"{parameters.count} people"
        return f"approved by {people} ({' or '.join(parameters.roles)}), no author"

    def ask(self, parameters: ApprovalsAsk, case: Case) -> Outcome:
        given = {each.by for each in case.approvals if each.counts and each.role in parameters.roles}
        asked = f"{len(given)} of {parameters.count} approvals count"
        if len(given) >= parameters.count:
            return Outcome("pass", f"{asked}: {', '.join(sorted(given))}.")
        void = [f"{each.by}'s does not: {each.void_because}" for each in case.approvals if not each.counts]
        reason = ". ".join([f"{asked}, by {' or '.join(parameters.roles)}", *void[:3]]) + "."
        version = f"{case.version.model}@{case.version.version}"
        if case.unknown_authors:
            made = f"{', '.join(case.unknown_authors)} made it, and an approval needs to know which person did"
            return Outcome("missing", reason, f"Have a person train and register it, signed in: {made}.")
        who = f"{', '.join(case.who_can)} can approve" if case.who_can else "nobody holds the role yet"
        advice = f"Ask with `taxiway gates request {version}`; {who}."
        return Outcome("missing", reason, advice)
