"""What a version's page leads with: what keeps it from going on, who acts, and where the reader stands in it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from taxiway.gates.contract import GateStanding, StageStanding, Standing
from taxiway.gates.showing.figures import anchor, gate_name
from taxiway.gates.showing.outlooks import WORST, asks_of_checks, is_of_number, is_unasked, unmet_gates, watched_gates
from taxiway.models.describing.outlook import NextStep
from taxiway.web.entries import short_ref
from taxiway.web.numbers import fixed, interval, number
from taxiway.web.words import listed

APPROVALS, FINDINGS = "approvals", "findings"
LONGEST_FOUND = 120


class Looker(Struct, frozen=True):
    """Who looks. may_approve: as a person who signed in, in a role that gives approvals."""

    name: str
    may_approve: bool
    is_login_on: bool


class Stance(Struct, frozen=True):
    """Whether the reader can approve what stands now; where not, why, in a few words and in full."""

    short: str
    why: str = ""
    can_approve: bool = False


class Blocking(Struct, frozen=True):
    """A gate that is not open. found: against what is asked. who: acts on it. step: where."""

    name: str
    verdict: str
    found: str
    who: str
    step: NextStep


class Lead(Struct, frozen=True):
    """counts: how many gates that count have which verdict, the worst first. stance: None where no approval is wanted.

    approved: who gave the approvals that count. watched: the gates that only watch and would have kept it.
    """

    counts: list[tuple[str, int]]
    blocking: list[Blocking]
    stance: Stance | None
    approved: list[str]
    watched: list[tuple[str, GateStanding]] = []


def lead_of(standing: Standing, stance: Stance | None, *, author: str) -> Lead:
    """author: who made the version, and so acts on what its checks found."""
    gates = [gate for stage in standing.stages for gate in stage.gates if gate.counts]
    counts = [(verdict, sum(gate.verdict == verdict for gate in gates)) for verdict in WORST]
    unmet = unmet_gates(standing)
    return Lead(
        counts=[(verdict, count) for verdict, count in counts if count],
        blocking=[blocking(gate, standing, author) for gate in unmet],
        stance=stance,
        approved=list(dict.fromkeys(each.by for stage in standing.stages for each in stage.approvals if each.counts)),
        watched=[(gate_name(gate.gate), gate) for gate in watched_gates(standing)],
    )


def blocking(gate: GateStanding, standing: Standing, author: str) -> Blocking:
    name = gate_name(gate.gate)
    if gate.check == APPROVALS:
        checks = [gate_name(each.gate) for each in asks_of_checks(unmet_gates(standing))]
        can = listed(standing.who_can, "or") or "somebody with the role"
        who = f"{can}, once {listed(checks)} {'is' if len(checks) == 1 else 'are'} open" if checks else can
        return Blocking(name, gate.verdict, found(gate), who, NextStep("to the approval", "#approval"))
    if is_unasked(gate):
        return Blocking(name, gate.verdict, "not asked yet", author, NextStep("to the evidence", "#evidence"))
    if gate.check == "card":
        return Blocking(name, gate.verdict, found(gate), author, NextStep("to the card", "#card"))
    if gate.check == FINDINGS:
        who = "who mends it, then a second person"
        return Blocking(name, gate.verdict, found(gate), who, NextStep("to the findings", "#findings"))
    step = NextStep("what would open it", f"#{anchor(gate.stage, gate.gate)}")
    return Blocking(name, gate.verdict, found(gate), author, step)


def found(gate: GateStanding) -> str:
    """What was measured against what is asked, in a line."""
    estimate, asked = gate.outcome.estimate, gate.outcome.threshold
    if estimate is None or estimate.value is None or asked is None or not is_of_number(gate.outcome):
        first = gate.outcome.reason.partition(". ")[0].rstrip(".")
        return first if len(first) <= LONGEST_FOUND else gate.title
    bounds = interval(estimate.low, estimate.high, 3)
    return f"{fixed(estimate.value)} {bounds}, {asked.direction.replace('_', ' ')} {number(asked.value)} is asked"


def stance_of(standing: Standing, stage: StageStanding, looker: Looker) -> Stance:
    """How a reader stands to the approvals that a stage still lacks. What nobody could do goes before who may."""
    unmet = asks_of_checks(unmet_gates(standing))
    unasked = [gate_name(gate.gate) for gate in unmet if is_unasked(gate)]
    if unasked:
        return Stance("There is nothing to approve yet.", f"It needs an answer first from {listed(unasked)}.")
    if unmet:
        return Stance("Approving now would open nothing.", pointless(stage.stage, unmet))
    if not looker.is_login_on:
        return Stance("Nobody can approve here.", "Without sign-in nobody is known: start the server with login.")
    return stance_of_person(standing, stage, looker)


def stance_of_person(standing: Standing, stage: StageStanding, looker: Looker) -> Stance:
    """Of somebody who signed in, where there is something to approve."""
    can = listed(standing.who_can, "or")
    if because := standing.authors.get(looker.name, []):
        done = listed([short_ref(each) for each in dict.fromkeys(because)])
        return Stance("Four eyes: you cannot approve this yourself.", f"You {done}. {can or 'Nobody yet'} can.")
    spoken = [each for each in stage.approvals if each.counts and looker.name in (each.by, each.on_behalf_of)]
    if spoken:
        by = "You have" if spoken[0].by == looker.name else f"{spoken[0].by} has"
        return Stance(
            f"{by} approved it{'' if spoken[0].by == looker.name else ' for you'}.",
            f"It also needs {can or 'somebody else with the role'}.",
        )
    if not looker.may_approve or looker.name not in standing.who_can:
        return Stance("You cannot approve this.", f"{can or 'Nobody who holds the role yet'} can.")
    return Stance("You can approve it.", can_approve=True)


def pointless(stage: str, unmet: Sequence[GateStanding]) -> str:
    names = [gate_name(gate.gate) for gate in unmet]
    keeps = f"{listed(names)} {'keeps' if len(names) == 1 else 'keep'} {stage} shut"
    return (
        f"{keeps[:1].upper()}{keeps[1:]}, and whatever opens {'it' if len(names) == 1 else 'them'} (other predictions, "
        "another card, a new version) would void an approval that was given before."
    )
