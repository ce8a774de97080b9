"""Which gates keep a version from a stage, and what a refusal says of them. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from taxiway.gates.contract import GATE_STAGES, GateStanding, Standing
from taxiway.gates.refusals import Unmet
from taxiway.models.contract import ModelStage

LIVE = ("approvals", "canary", "findings", "review_threads")  # checks that are asked anew each time: no evidence


def gates_up_to(standing: Standing, stage: ModelStage) -> Iterator[GateStanding]:
    """The gates of every stage up to this one, in the path's order."""
    counted = GATE_STAGES[: GATE_STAGES.index(stage) + 1] if stage in GATE_STAGES else ()
    return (gate for each in standing.stages if each.stage in counted for gate in each.gates)


def closed(standing: Standing, stage: ModelStage) -> list[Unmet]:
    """The gates up to a stage that count and are not open, in the path's order."""
    return [unmet_of(gate) for gate in gates_up_to(standing, stage) if gate.stops]


def unmet_of(gate: GateStanding) -> Unmet:
    outcome = gate.outcome
    return Unmet(gate.stage, gate.gate, outcome.verdict, outcome.reason, outcome.advice)


def waived(standing: Standing, stage: ModelStage) -> list[str]:
    """What stands in for gates up to a stage, each in a sentence."""
    return [
        f"{gate.gate}, before {gate.stage}: {gate.waived.said}" for gate in gates_up_to(standing, stage) if gate.waived
    ]


def stands_on_glass(standing: Standing) -> bool:
    """Whether the glass that was broken is what the version stands on: gates up to there are closed."""
    glass = standing.broken
    return glass is not None and glass.stage == standing.stage and bool(closed(standing, glass.stage))


def told(standing: Standing) -> list[str]:
    """What the version stands on beside open gates, a line each: broken glass, what is overdue, what is waived."""
    glass = [f"■ {standing.broken.said}"] if standing.broken and stands_on_glass(standing) else []
    late = [f"■ overdue: {each}" for each in standing.overdue]
    passed = [f"⊘ {each}" for each in waived(standing, "production")]
    return [*glass, *late, *passed]
