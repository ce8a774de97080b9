"""Which waivers count, and what is overdue, as of one look at a version. Nothing is read here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from taxiway.access.holdings import Holding
from taxiway.gates.contract import GATE_STAGES, Digests, GateStage, GateStanding, StageStanding
from taxiway.gates.exceptions.contract import WAITING, Waiver
from taxiway.gates.exceptions.passed import BrokenGlass, Leeway, Waived
from taxiway.gates.refusals import joined
from taxiway.models.contract import ModelStage, ModelVersion


class Grounds(Struct, frozen=True):
    """What a waiver is judged by. digests: of what stands now, up to a stage. held: roles by which one may grant."""

    at: datetime
    digests: Callable[[GateStage], Digests]
    authors: dict[str, list[str]]
    unknown: Collection[str]
    held: list[Holding]
    archived_at: datetime | None


def judged(waiver: Waiver, grounds: Grounds) -> Waiver:
    """The same, knowing why it does not count, if it does not."""
    return msgspec.structs.replace(waiver, void_because=why_void(waiver, grounds))


def why_void(waiver: Waiver, grounds: Grounds) -> str:
    if waiver.revoked_at is not None:
        return f"{waiver.revoked_by} took it back: {waiver.revoked_because}"
    if waiver.until <= grounds.at:
        return f"it ended on {waiver.until:%Y-%m-%d}"
    now = grounds.digests(waiver.stage)
    changed = [name for name in Digests.__struct_fields__ if getattr(waiver.digests, name) != getattr(now, name)]
    if changed:
        return f"what it was given to has changed since: {', '.join(changed)}"
    if grounds.archived_at is not None and waiver.asked_at <= grounds.archived_at:
        return "the version was archived since"
    if not waiver.granted_by:
        return WAITING
    return why_not_theirs(waiver, grounds)


def why_not_theirs(waiver: Waiver, grounds: Grounds) -> str:
    """Why who granted it could not grant it now."""
    if waiver.granted_by in grounds.authors:
        return f"{waiver.granted_by} {joined(grounds.authors[waiver.granted_by])}"
    if grounds.unknown:
        return f"{joined(sorted(grounds.unknown))} made it, and is no person"
    if (waiver.granted_by, waiver.role) not in [(each.user, each.role) for each in grounds.held]:
        return f"{waiver.granted_by} is no {waiver.role} any more"
    return ""


def passed_over(gate: GateStanding, waivers: Iterable[Waiver]) -> GateStanding:
    """The gate with what stands in for it, where it is not open and something does."""
    if gate.outcome.verdict == "pass":
        return gate
    for each in waivers:
        if each.counts and (each.stage, each.gate) == (gate.stage, gate.gate) and fits(each, gate):
            waived = Waived(each.id, each.kind, each.reason, each.asked_by, each.granted_by, each.until)
            return msgspec.structs.replace(gate, waiver=each.id, waived=waived)
    return gate


def fits(waiver: Waiver, gate: GateStanding) -> bool:
    """A conditional approval lets through what is inconclusive, and nothing that fails."""
    return waiver.kind == "waiver" or gate.outcome.verdict == "inconclusive"


def glass_of(version: ModelVersion, broken: Iterable[BrokenGlass], archived_at: datetime | None) -> BrokenGlass | None:
    """The glass that was broken last for these very bytes, since the version was archived last."""
    for each in broken:
        if each.bundle == version.bundle and (archived_at is None or each.at > archived_at):
            return each
    return None


def overdue(
    stages: Sequence[StageStanding],
    stage: ModelStage,
    waivers: Iterable[Waiver],
    glass: BrokenGlass | None,
    at: datetime,
) -> list[str]:
    """What let a version into the stage where it stands and has run out, while gates up to there are closed."""
    counted = GATE_STAGES[: GATE_STAGES.index(stage) + 1] if stage in GATE_STAGES else ()
    closed = {(gate.stage, gate.gate) for each in stages if each.stage in counted for gate in each.gates if gate.stops}
    found = []
    for each in waivers:
        was_in_force = each.granted_by and each.revoked_at is None and each.until <= at
        if was_in_force and (each.stage, each.gate) in closed:
            kind = "the waiver" if each.kind == "waiver" else "the conditional approval"
            found.append(f"{kind} of {each.granted_by} for {each.gate} ended on {each.until:%Y-%m-%d}")
    if glass is not None and glass.until <= at and closed:
        found.append(f"the glass that {glass.by} broke held until {glass.until:%Y-%m-%d}, and gates are still closed")
    return list(dict.fromkeys(found))


def bounds(leeway: Leeway, days: int | None, most: int) -> int | None:
    """For how many days, where that is within what the path allows; None where it is more."""
    allowed = min(leeway.waiver_days, most) if most else leeway.waiver_days
    return allowed if days is None else days if days <= allowed else None
