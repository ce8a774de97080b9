"""What the outside sees of batch scoring: leave to score is asked first, and what was scored is told after."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from taxiway.gates.contract import GateStage
from taxiway.kernel.endpoint import Endpoint

Digest = Annotated[str, Meta(pattern="^sha256:[0-9a-f]{64}$")]


class AskScoring(Struct, frozen=True, forbid_unknown_fields=True):
    """serves: the stage whose gates must be open. is_trial: without them, for answers that nobody is to use."""

    serves: GateStage = "production"
    is_trial: bool = False


class ScoringLeave(Struct, frozen=True):
    """A version may score a file. id: names the scoring when it is told; bundle: the digest that may be loaded."""

    id: str
    model: str
    version: int
    bundle: str
    serves: GateStage
    is_trial: bool


class TellScoring(Struct, frozen=True, forbid_unknown_fields=True):
    """What was scored. input, output: the digests of the files. failed: rows without an answer, of all `rows`.

    registered: the reference of the dataset version that the output became.
    """

    id: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    input: Digest
    output: Digest
    rows: Annotated[int, Meta(ge=0)]
    failed: Annotated[int, Meta(ge=0)]
    serves: GateStage = "production"
    is_trial: bool = False
    registered: str = ""


class ScoringTold(Struct, frozen=True):
    """inputs: the registered dataset versions whose bytes were scored; from each an edge leads to the output."""

    id: str
    inputs: list[str]


PATH = "/api/models/{model}/versions/{version}/scorings"
ask_scoring = Endpoint(
    "POST",
    PATH,
    AskScoring,
    ScoringLeave,
    "endpoints.invoke",
    "Ask leave to score a file by a version",
    guarded=True,
)
tell_scoring = Endpoint(
    "POST", f"{PATH}/told", TellScoring, ScoringTold, "endpoints.invoke", "Tell what was scored by a version"
)
