"""What the outside sees of plans: what a new path would change, with nothing written."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.gates.contract import GateMode, GateStage, Verdict
from taxiway.kernel.endpoint import Endpoint

# `unknown`: only gates that were never asked stand in the way.
Effect = Literal["stopped", "unknown", "opened", "same"]
EFFECTS: tuple[Effect, ...] = ("stopped", "unknown", "opened", "same")


class AskPlan(Struct, frozen=True, forbid_unknown_fields=True):
    """text: the path's YAML. name: what a refusal calls it. evaluate: asks checks that have no evidence, too."""

    text: str
    name: str = "path.yaml"
    evaluate: bool = False


class PlannedGate(Struct, frozen=True):
    """A gate of the new path that would not be open. before: what it says today; empty where it is not asked today.

    is_unasked: there is no evidence of this check, with these parameters, for what the version is now.
    """

    stage: GateStage
    gate: str
    mode: GateMode
    verdict: Verdict
    sentence: str
    before: Verdict | Literal[""]
    is_unasked: bool


class PlannedVersion(Struct, frozen=True):
    """What the new path makes of a version in a stage, of its last movement into one, or of one that was refused.

    is_live: it stands there now; else it did once, and `at` is when it came. was_refused: its gates kept it from the
    stage, last `at` then, and it has not come there since. gates: those that would keep it, by the new path; watched:
    those that would only tell. approvals_void: approvals that count today, and would not any more. nobody: stages whose
    approvals nobody could give.
    """

    project: str
    model: str
    version: int
    stage: GateStage
    is_live: bool
    at: datetime | None
    effect: Effect
    gates: list[PlannedGate]
    watched: list[PlannedGate]
    approvals_void: int
    nobody: list[GateStage]
    was_refused: bool = False


class PlannedProject(Struct, frozen=True):
    """A project that takes the path. nobody: stages whose approvals nobody could give. problem: why it cannot."""

    project: str
    nobody: list[GateStage]
    problem: str = ""


class Plan(Struct, frozen=True):
    """What would change if a path were published now. Nothing was written.

    number: the version that it would become. is_new: there is no such path yet. versions: those with a change first.
    left_out: how many past movements and refusals were not looked at, as there are so many. problems: why it would be
    refused as it is.
    """

    path: str
    number: int
    digest: str
    is_new: bool
    is_same: bool
    made_at: datetime
    projects: list[PlannedProject]
    versions: list[PlannedVersion]
    left_out: int = 0
    problems: list[str] = []

    def count(self, effect: Effect, *, is_live: bool, was_refused: bool = False) -> int:
        """How many versions it does that to, of those that stand there, came there, or were refused."""
        kind = (is_live, was_refused)
        return sum(each.effect == effect and (each.is_live, each.was_refused) == kind for each in self.versions)

    @property
    def nobody(self) -> list[str]:
        """Where nobody could approve, each as ``project before stage`` or ``model@version before stage``."""
        return [
            *(f"{each.project} before {stage}" for each in self.projects for stage in each.nobody),
            *(f"{v.model}@{v.version} before {stage}" for v in self.versions if v.is_live for stage in v.nobody),
        ]


plan_path = Endpoint(
    "POST",
    "/api/gates/plan",
    AskPlan,
    Plan,
    "gates.propose",
    "What a path would change, before it is published; nothing is written",
    "platform",
)
