"""Whether enough people, none of them an author, said yes to exactly what stands now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Approval, Outcome
from taxiway.gates.laws.quorum import Seat, Voice, lacking, seats_of

ApproverRole = Literal["validator", "approver"]
SPAN = re.compile(r"([1-9][0-9]{0,3})d")
NEVER = "never"
MOST = 20


def validators() -> list[ApproverRole] | dict[ApproverRole, int]:
    return ["validator"]


class ApprovalsAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """roles: of which one must be held; or how many people in each of them, and then `count` is left out.

    not_author: four eyes, which no path can switch off; `lineage` keeps everybody out who made anything upstream, and
    `version` (or true) who made the version, its run, its card or its checks. expires: such as 90d, or never.
    """

    roles: list[ApproverRole] | dict[ApproverRole, int] = msgspec.field(default_factory=validators)
    count: int = 1
    not_author: Literal[True, "version", "lineage"] = True
    expires: str = "90d"

    def __post_init__(self) -> None:
        if not self.roles:
            raise ValueError("at least one role")
        if not 1 <= self.count <= MOST:
            raise ValueError(f"a count from 1 to {MOST}")
        if isinstance(self.roles, dict):
            if any(not 1 <= many <= MOST for many in self.roles.values()) or sum(self.roles.values()) > MOST:
                raise ValueError(f"for each role a number from 1, and {MOST} people at most")
            if self.count != 1:
                raise ValueError("no count where roles say how many people of each")
        if self.expires != NEVER and not SPAN.fullmatch(self.expires):
            raise ValueError("expires as days, such as 90d, or never")

    @property
    def seats(self) -> list[Seat]:
        """A seat for every person who must approve."""
        return seats_of(self.roles, self.count)

    def lacking(self, approvals: Sequence[Approval]) -> list[Seat]:
        """The seats that approvals leave empty. Two tokens, two roles or a delegation make no second person."""
        return lacking(self.seats, [Voice(e.by, e.role, e.on_behalf_of) for e in approvals if e.counts])

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
        scope = " of anything in its lineage" if parameters.not_author == "lineage" else ""
        return f"approved by {people_asked(parameters)}, no author{scope}"

    def ask(self, parameters: ApprovalsAsk, case: Case) -> Outcome:
        seats, empty = parameters.seats, parameters.lacking(case.approvals)
        given = {spoken(each) for each in case.approvals if each.counts and each.role in parameters.roles}
        asked = f"{len(seats) - len(empty)} of {len(seats)} approvals count"
        if not empty:
            return Outcome("pass", f"{asked}: {', '.join(sorted(given))}.")
        void = [f"{each.by}'s does not: {each.void_because}" for each in case.approvals if not each.counts]
        by = " and ".join(sorted({" or ".join(sorted(seat)) for seat in empty}))
        reason = ". ".join([f"{asked}; it lacks {by}" if given else f"{asked}, by {by}", *void[:3]]) + "."
        version = f"{case.version.model}@{case.version.version}"
        if case.unknown_authors:
            made = f"{', '.join(case.unknown_authors)} made it, and an approval needs to know which person did"
            return Outcome("missing", reason, f"Have a person train and register it, signed in: {made}.")
        who = f"{', '.join(case.who_can)} can approve" if case.who_can else "nobody holds the role yet"
        advice = f"Ask with `taxiway gates request {version}`; {who}."
        return Outcome("missing", reason, advice)


def people_asked(asked: ApprovalsAsk) -> str:
    """How many people in which roles, in words."""
    if isinstance(asked.roles, dict):
        return " and ".join(f"{many} {role}{'' if many == 1 else 's'}" for role, many in asked.roles.items())
    people = "one person" if asked.count == 1 else f"{asked.count} people"
    return f"{people} ({' or '.join(asked.roles)})"


def spoken(approval: Approval) -> str:
    """Who gave an approval, and for whom: "ben for vera"."""
    return f"{approval.by} for {approval.on_behalf_of}" if approval.on_behalf_of else approval.by
