"""What the outside sees of gates that observe or warn: what they would have stopped."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from taxiway.gates.contract import GateMode, GateStage, Verdict
from taxiway.kernel.endpoint import Endpoint, Nothing
from taxiway.models.contract import ModelStage


class Missed(Struct, frozen=True):
    """A gate that would have stopped a movement, had it counted: its verdict, and the sentence with the number."""

    stage: GateStage
    gate: str
    mode: GateMode
    verdict: Verdict
    sentence: str


class Observation(Struct, frozen=True):
    """A version that moved past gates of a path that only watched. missed: those that would have stopped it."""

    id: str
    path: str
    path_version: int
    model: str
    version: int
    project: str
    stage: ModelStage
    missed: list[Missed]
    by: str
    at: datetime


class GateTally(Struct, frozen=True):
    """How often a gate would have stopped a movement, of those that it watched in its mode."""

    stage: GateStage
    gate: str
    times: int


class Observed(Struct, frozen=True):
    """What a path's watching gates saw, over all of its versions: of `movements`, `stopped` would not have been.

    Movements in projects that the caller may not see are left out. items: the newest that would have been stopped.
    """

    path: str
    movements: int
    stopped: int
    gates: list[GateTally]
    items: list[Observation]


observed = Endpoint(
    "GET",
    "/api/gates/paths/{path}/observed",
    Nothing,
    Observed,
    "gates.read",
    "What the gates of a path that observe or warn would have stopped",
    "platform",
)
