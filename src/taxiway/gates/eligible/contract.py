"""What the outside sees of who can approve."""

from __future__ import annotations

from msgspec import Struct

from taxiway.gates.contract import GateStage
from taxiway.kernel.endpoint import Endpoint, Nothing


class Candidate(Struct, frozen=True):
    """Somebody with a part in a project. roles: by which they would approve, also for whom ("validator for vera").

    why_not: why they cannot; empty for who can. beware: what they made, which bars them from what comes of it.
    """

    person: str
    roles: list[str]
    why_not: str = ""
    beware: str = ""

    @property
    def can(self) -> bool:
        return not self.why_not


class StageEligible(Struct, frozen=True):
    """Who can approve for a stage. asks: in words. asked: how many people; found: how many seats those who can fill.

    given: how many of them have, where it is about a version.
    """

    stage: GateStage
    asks: str
    asked: int
    found: int
    given: int
    people: list[Candidate]

    @property
    def is_enough(self) -> bool:
        return self.found >= self.asked


class Eligible(Struct, frozen=True):
    """Who can approve on a path, in a project or of one version of it (0 before there is one)."""

    project: str
    path: str
    stages: list[StageEligible]
    model: str = ""
    version: int = 0

    @property
    def is_enough(self) -> bool:
        return all(stage.is_enough for stage in self.stages)


project_eligible = Endpoint(
    "GET",
    "/api/gates/projects/{project}/eligible",
    Nothing,
    Eligible,
    "gates.read",
    "Who could approve what a project makes, before it is made",
)
version_eligible = Endpoint(
    "GET",
    "/api/gates/models/{model}/versions/{version}/eligible",
    Nothing,
    Eligible,
    "gates.read",
    "Who can approve a version, and why each other person cannot",
)
