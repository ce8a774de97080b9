"""Whether anything that is wrong with a version, its model, run or data is still open."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from taxiway.gates.checks.port import Case, Input
from taxiway.gates.contract import Outcome
from taxiway.gates.findings.contract import Finding, Severity

MOST_SAID = 3


class FindingsAsk(Struct, frozen=True, forbid_unknown_fields=True):
    """blocks: the severities of which none may be open."""

    blocks: list[Severity] = msgspec.field(default_factory=lambda: ["high", "critical"])

    def __post_init__(self) -> None:
        if not self.blocks:
            raise ValueError("at least one severity")


class OpenFindings:
    """Passes when no finding of such severity waits to be closed. Asked anew each time: findings come and go."""

    name = "findings"
    parameters = FindingsAsk
    inputs: tuple[Input, ...] = ()
    is_live = True

    def title(self, parameters: FindingsAsk) -> str:
        return f"no {' or '.join(parameters.blocks)} finding is open"

    def ask(self, parameters: FindingsAsk, case: Case) -> Outcome:
        found = case.findings()
        worst = [each for each in found if each.severity in parameters.blocks]
        if not worst:
            rest = f"; {len(found)} of lesser severity" if found else ""
            return Outcome("pass", f"No {' or '.join(parameters.blocks)} finding is open{rest}.")
        head = "1 finding that blocks is" if len(worst) == 1 else f"{len(worst)} findings that block are"
        more = f" and {len(worst) - MOST_SAID} more" if len(worst) > MOST_SAID else ""
        reason = f"{head} not closed. {'; '.join(map(said, worst[:MOST_SAID]))}{more}."
        who = " and ".join(sorted({each.owner for each in worst}))
        advice = (
            f"{who} mends {'it' if len(worst) == 1 else 'them'}, then a second person closes: `taxiway gates findings`."
        )
        return Outcome("fail", reason, advice)


def said(finding: Finding) -> str:
    late = ", overdue" if finding.is_overdue else ""
    state = finding.state.replace("_", " ")
    return f"{finding.severity.capitalize()}: “{finding.title}” ({state}{late}, due {finding.due_at:%Y-%m-%d})"
