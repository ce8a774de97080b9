"""How a version stands, in the sentence that its page opens with, and the one thing that its reader can do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from taxiway.gates.contract import GateStage, GateStanding, Outcome, Standing
from taxiway.gates.laws.rules import verdict_on
from taxiway.gates.showing.figures import anchor, draw_path, gate_name
from taxiway.gates.standing.closing import LIVE, stands_on_glass
from taxiway.kernel.thing import href
from taxiway.models.describing.outlook import NextStep, Outlook
from taxiway.web.words import listed, plural

WORST = ("fail", "inconclusive", "missing", "waived", "pass")


class Reader(Struct, frozen=True):
    """Who looks at a version's page, and what they may do there."""

    name: str
    may_evaluate: bool = False
    may_promote: bool = False
    has_asked: bool = False  # somebody asked for approval already


def outlook_of(standing: Standing, *, entered: Mapping[str, datetime], reader: Reader) -> Outlook:
    """What a version's page says first.

    entered: when the version came to each stage. It speaks of production, which is what everything before is for.
    """
    page = href(f"model:{standing.model}@{standing.version}")
    unmet = unmet_gates(standing)
    return Outlook(
        sentence=sentence(standing, unmet),
        verdict=worst(unmet) if standing.stage != "archived" else "",
        short=short(standing, unmet),
        detail=detail(unmet),
        path=draw_path(standing, entered, page),
        next=next_step(standing, unmet, page, reader),
        waits=tuple(standing.who_can) if lacking(unmet) and not asks_of_checks(unmet) else (),
        stages=targets(standing),
    )


def unmet_gates(standing: Standing) -> list[GateStanding]:
    """The gates that count and are not open, in the path's order."""
    return [gate for stage in standing.stages for gate in stage.gates if gate.stops]


def watched_gates(standing: Standing) -> list[GateStanding]:
    """The gates that are not open, and would keep the version if they counted."""
    return [gate for stage in standing.stages for gate in stage.gates if not (gate.counts or gate.is_open)]


def worst(gates: Sequence[GateStanding]) -> str:
    return min((gate.verdict for gate in gates), key=WORST.index, default="pass")


def sentence(standing: Standing, unmet: Sequence[GateStanding]) -> str:
    name = f"Version {standing.version}"
    if standing.stage == "archived":
        return f"{name} is archived: it takes no traffic"
    if said := irregular(standing):
        return f"{name} is in {standing.stage} {said}"
    if standing.stage == "production":
        passed = passed_over([gate for stage in standing.stages for gate in stage.gates])
        return f"{name} is in production, but {reasons(unmet)}" if unmet else f"{name} is in production{passed}"
    if not unmet:
        return f"{name} may go to production: {openness(standing)}"
    if all(is_unasked(gate) or gate.check == "approvals" for gate in unmet) and any(map(is_unasked, unmet)):
        return f"{name} was not evaluated yet: {plural(sum(map(is_unasked, unmet)), 'check')} of its path wait"
    return f"{name} may not go to production: {reasons(unmet)}"


def irregular(standing: Standing) -> str:
    """That what let a version in has run out, or was broken glass; empty where it stands there as others do."""
    if standing.overdue:
        return f"and overdue: {standing.overdue[0]}"
    return (
        f"past closed gates: {standing.broken.by} broke the glass"
        if standing.broken and stands_on_glass(standing)
        else ""
    )


def short(standing: Standing, unmet: Sequence[GateStanding]) -> str:
    """For a table's cell: what keeps it."""
    if standing.stage == "archived":
        return "archived"
    if not unmet:
        return openness(standing)
    return reasons(unmet)


def openness(standing: Standing) -> str:
    gates = [gate for stage in standing.stages for gate in stage.gates]
    if not any(gate.counts for gate in gates):
        return "its path only watches" if gates else "its path asks nothing"
    if warned := [gate_name(gate.gate) for gate in watched_gates(standing) if gate.mode == "warn"]:
        return f"every gate that counts is open; {listed(warned)} {'warns' if len(warned) == 1 else 'warn'}"
    return f"every gate is open{passed_over(gates)}"


def passed_over(gates: Sequence[GateStanding]) -> str:
    """Which of them are waived until when, as the end of a sentence."""
    said = [f"{gate_name(gate.gate)} is waived until {gate.waived.until:%Y-%m-%d}" for gate in gates if gate.waived]
    return f"; {listed(said)}" if said else ""


def reasons(unmet: Sequence[GateStanding]) -> str:
    """What keeps the gates shut, the worst first: "fairness is inconclusive and 1 approval is missing"."""
    found = []
    checks = [gate for gate in unmet if gate.check != "approvals"]
    for verdict, one, several in (("fail", "fails", "fail"), ("inconclusive", "is inconclusive", "are inconclusive")):
        if names := [gate_name(gate.gate) for gate in checks if gate.verdict == verdict]:
            found.append(f"{listed(names)} {one if len(names) == 1 else several}")
    if names := [gate_name(gate.gate) for gate in checks if gate.verdict == "missing"]:
        found.append(f"{listed(names)} {'was' if len(names) == 1 else 'were'} not measured")
    if lacks := sum(lacking(unmet).values()):
        found.append(f"{plural(lacks, 'approval')} {'is' if lacks == 1 else 'are'} missing")
    return listed(found)


def lacking(gates: Sequence[GateStanding]) -> dict[GateStage, int]:
    """How many approvals each stage still lacks; stages that lack none are left out."""
    found: dict[GateStage, int] = {}
    for gate in gates:
        if gate.lacks:  # one yes counts for every gate of the stage that asks for it
            found[gate.stage] = max(found.get(gate.stage, 0), gate.lacks)
    return found


def is_unasked(gate: GateStanding) -> bool:
    """A check that was not asked for what stands now."""
    return gate.check not in LIVE and not gate.evidence


def asks_of_checks(unmet: Sequence[GateStanding]) -> list[GateStanding]:
    return [gate for gate in unmet if gate.check != "approvals"]


def detail(unmet: Sequence[GateStanding]) -> str:
    """The number behind the worst gate, in the first sentence of the check itself."""
    measured = [gate for gate in unmet if gate.check != "approvals" and gate.evidence]
    if not measured:
        return ""
    return split_reason(min(measured, key=lambda gate: WORST.index(gate.verdict)).outcome.reason)[0]


def is_of_number(outcome: Outcome) -> bool:
    """Whether the verdict is that of its number. A check may refuse what its number would have let pass."""
    estimate, threshold = outcome.estimate, outcome.threshold
    return estimate is None or threshold is None or verdict_on(estimate, threshold) == outcome.verdict


def split_reason(reason: str) -> tuple[str, str]:
    """What was measured, and what that means: a check's first sentence, and the others (or the one there is)."""
    first, _, rest = reason.partition(". ")
    return (f"{first}.", rest) if rest else (reason, reason)


def next_step(standing: Standing, unmet: Sequence[GateStanding], page: str, reader: Reader) -> NextStep | None:
    """The one thing that this reader can do now."""
    if standing.stage in ("production", "archived"):
        return None
    if checks := asks_of_checks(unmet):
        return step_for_checks(standing, checks, page, reader)
    if not unmet:
        return NextStep("Move to production", f"{page}#promote") if reader.may_promote else None
    if reader.name in standing.who_can:
        return NextStep("Look and approve", f"{page}#approval")
    asks = reader.may_evaluate and not reader.has_asked
    return NextStep("Ask for approval" if asks else "See who can approve", f"{page}#approval")


def step_for_checks(standing: Standing, checks: Sequence[GateStanding], page: str, reader: Reader) -> NextStep | None:
    """Asking them, unless that would make an author of who is to approve; or what opens the worst."""
    if any(map(is_unasked, checks)):
        does = reader.may_evaluate and reader.name not in standing.who_can
        return NextStep("Evaluate", f"/gates{page}/evaluations", does=True) if does else None
    first = min(checks, key=lambda gate: WORST.index(gate.verdict))
    if first.check == "card":
        return NextStep("Complete the card", f"{page}#card")
    return NextStep("See what would open it", f"{page}#{anchor(first.stage, first.gate)}")


def targets(standing: Standing) -> tuple[str, ...]:
    """The stages one may try to move the version to: those before it, and out of the way."""
    names = [stage.stage for stage in standing.stages]
    after = names[names.index(standing.stage) + 1 :] if standing.stage in names else names
    last = () if standing.stage in ("archived", "none") else ("archived",)
    return (*reversed(after), *last)
