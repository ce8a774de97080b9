"""What the outside sees of judging a bundle by a path."""

from __future__ import annotations

from msgspec import Struct

from taxiway.gates.contract import GateMode, GateStage, Verdict
from taxiway.kernel.endpoint import Endpoint


class JudgedGate(Struct, frozen=True):
    """A gate and what is known of it. stops: it counts, and is not open."""

    stage: GateStage
    gate: str
    check: str
    mode: GateMode
    verdict: Verdict
    sentence: str
    stops: bool


class Judged(Struct, frozen=True):
    """How a bundle stands before a path. source: `platform`, or the dossier's file. as_of: when that was so.

    is_open: every gate that counts, up to the stage, is open.
    """

    thing: str
    bundle: str
    path: str
    stage: GateStage
    is_open: bool
    gates: list[JudgedGate]
    source: str
    as_of: str
    problem: str = ""


class JudgeBundle(Struct, frozen=True, forbid_unknown_fields=True):
    """subject: MODEL@VERSION, or the digest of a bundle. path: the name of a published one, NAME@VERSION, or empty for
    its own; text: a path's YAML instead, of which `name` is what a refusal calls it. stage: up to which gates count.
    """

    subject: str
    path: str = ""
    text: str = ""
    name: str = "path.yaml"
    stage: GateStage = "production"


judge_bundle = Endpoint(
    "POST",
    "/api/gates/verifications",
    JudgeBundle,
    Judged,
    "gates.read",
    "Whether a bundle would pass a path; nothing is written",
    "platform",
)
