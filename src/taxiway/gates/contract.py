"""What the outside sees of gates."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

from taxiway.gates.exceptions.passed import BrokenGlass, Leeway, Waived
from taxiway.gates.laws.estimates import Estimate, GroupRate
from taxiway.gates.laws.rules import Threshold
from taxiway.gates.showing.drawings import Bars, Spread
from taxiway.kernel.endpoint import Endpoint, Nothing, Page
from taxiway.models.contract import ModelStage
from taxiway.projects.contract import RiskTier
from taxiway.storage import contract as storage_contract

# Paths come as YAML; its refusal must be known wherever this module is.
YamlBroken = storage_contract.YamlBroken

GateStage = Literal["staging", "production"]
Verdict = Literal["pass", "fail", "inconclusive", "missing", "waived"]
GATE_STAGES: tuple[GateStage, ...] = ("staging", "production")

# What a gate that is not open does: it is written down, it is shown as a warning too, or it stops what would pass.
GateMode = Literal["observe", "warn", "block"]
Party = Literal["platform", "project"]


class GateSpec(Struct, frozen=True):
    """One gate of a path: its name there, the check that it asks, with what parameters, and that in words.

    mode: only a gate that blocks counts. demanded_by: the platform, for all projects of a tier, or the project's own
    path. path: the ref of the path that asks; empty until the path is looked at for a version. waivable: whether a
    waiver may stand in for it. conditional_days: how long it may be let through while inconclusive; 0 is never.
    """

    name: str
    check: str
    parameters: dict[str, Any]
    title: str
    mode: GateMode = "block"
    demanded_by: Party = "project"
    path: str = ""
    waivable: bool = True
    conditional_days: int = 0


class PathStage(Struct, frozen=True):
    """A stage of a path and the gates before it."""

    stage: GateStage
    gates: list[GateSpec]


class PathVersion(Struct, frozen=True):
    """One published state of a path; it never changes. `digest` stands for what it asks, comments left out.

    risk: the tiers whose projects may take it. aliases: for each stage the alias that moves with it and no other way.
    is_pinned: False for a path that ships with the platform and has not been used here yet. mode: of the gates that
    say none of their own. platform: the tiers of whose projects it is demanded, beside the path that they take.
    demands: refs of the platform's paths whose gates are among these, where it is looked at for a version. leeway: who
    may grant waivers, and break the glass. accepted_by: who accepted it, where it was proposed.
    """

    name: str
    version: int
    digest: str
    risk: list[RiskTier]
    aliases: dict[GateStage, str]
    stages: list[PathStage]
    text: str
    published_by: str
    published_at: datetime | None
    is_pinned: bool = True
    mode: GateMode = "block"
    platform: list[RiskTier] = []
    demands: list[str] = []
    accepted_by: str = ""
    leeway: Leeway = Leeway()

    @property
    def ref(self) -> str:
        return f"path:{self.name}@{self.version}"


class Compared(Struct, frozen=True):
    """One of several comparisons behind a gate.

    what: such as "black / white, by race", or "all rows". p: Holm-adjusted over all comparisons of the gate, where one
    was tested. is_counted: False for what is shown only, for want of rows.
    """

    what: str
    estimate: Estimate
    threshold: float | None = None
    verdict: Verdict | None = None
    p: float | None = None
    is_counted: bool = True


class Bin(Struct, frozen=True):
    """Rows of about the same score: the mean that was said, the share that came true with its interval, and how many.

    group: whose rows; empty for all.
    """

    said: float
    observed: Estimate
    group: str = ""


class Outcome(Struct, frozen=True):
    """What a check found. A check that had nothing to measure says `missing`, and why.

    reason: sentences for people. advice: what to do next unless it passed. groups: rates by group. curve: points of
    the ROC curve, (false positive rate, true positive rate), where scores are there. details: a line for each thing
    found. drawings: figures as data. is_broken: the check itself could not be asked, and asking again may help.
    comparisons: several estimates behind one verdict. bins: of a calibration curve. warnings: what changes no verdict.
    """

    verdict: Verdict
    reason: str
    advice: str = ""
    metric: str = ""
    estimate: Estimate | None = None
    threshold: Threshold | None = None
    rows_needed: int | None = None
    groups: list[GroupRate] = []
    curve: list[tuple[float, float]] = []
    details: list[str] = []
    drawings: list[Bars | Spread] = []
    is_broken: bool = False
    comparisons: list[Compared] = []
    bins: list[Bin] = []
    warnings: list[str] = []


class Evidence(Struct, frozen=True):
    """The record of one check on one version; it never changes.

    It speaks of exactly the digests in `inputs` and the path's; when one of them is another, it is not looked at.
    """

    id: str
    key: str
    model: str
    version: int
    stage: GateStage
    gate: str
    check: str
    parameters: dict[str, Any]
    path: str
    path_digest: str
    inputs: dict[str, str]
    outcome: Outcome
    tools: dict[str, str]
    author: str
    at: datetime


class Digests(Struct, frozen=True):
    """What an approval is given to. `evidence` stands for all evidence up to the stage."""

    bundle: str
    evaluation: str
    card: str
    path: str
    evidence: str


class Approval(Struct, frozen=True):
    """A named person's yes to exactly these digests. It counts while they are the current ones.

    void_because: why it does not count (any more); empty where it does. on_behalf_of: who delegated the role to them.
    """

    id: str
    model: str
    version: int
    stage: GateStage
    by: str
    role: str
    comment: str
    digests: Digests
    at: datetime
    expires_at: datetime | None
    withdrawn_at: datetime | None = None
    withdrawn_because: str = ""
    void_because: str = ""
    on_behalf_of: str = ""

    @property
    def counts(self) -> bool:
        return not self.void_because


class GateStanding(Struct, frozen=True):
    """How one gate stands for a version. `evidence` is empty where it was not evaluated yet.

    mode, demanded_by, path: as its path says. waiver: the id of what stands in for it, where something does.
    lacks: how many approvals it waits for.
    """

    stage: GateStage
    gate: str
    check: str
    title: str
    outcome: Outcome
    evidence: str = ""
    author: str = ""
    at: datetime | None = None
    mode: GateMode = "block"
    demanded_by: Party = "project"
    path: str = ""
    waiver: str = ""
    lacks: int = 0
    waived: Waived | None = None

    @property
    def verdict(self) -> Verdict:
        """What the check said, or that something stands in for it; `outcome` still says what was found."""
        return "waived" if self.waived else self.outcome.verdict

    @property
    def counts(self) -> bool:
        """Whether it stops what it does not let pass; one that observes or warns stops nothing."""
        return self.mode == "block"

    @property
    def is_open(self) -> bool:
        """Whether it has what it asks for, whatever its mode."""
        return self.verdict in ("pass", "waived")

    @property
    def stops(self) -> bool:
        return self.counts and not self.is_open


class StageStanding(Struct, frozen=True):
    """The gates before a stage, and whether these and all before them are open, of those that count.

    approvals: all that were ever given for this stage, newest first. digests: what an approval would be given to now.
    """

    stage: GateStage
    is_open: bool
    gates: list[GateStanding]
    approvals: list[Approval]
    digests: Digests


class Standing(Struct, frozen=True):
    """Where a version stands on its path.

    authors: who may not approve it, each with why. who_can: who may and has not yet, by the path's roles.
    demands: refs of the platform's paths whose gates stand here beside those of its project's path. broken: the glass
    that was broken for it last. overdue: what let it into its stage and has run out since.
    """

    model: str
    version: int
    project: str
    path: str
    path_digest: str
    stage: ModelStage
    stages: list[StageStanding]
    authors: dict[str, list[str]]
    who_can: list[str]
    demands: list[str] = []
    broken: BrokenGlass | None = None
    overdue: list[str] = []

    def _repr_html_(self) -> str:
        from taxiway.gates.showing.displays import standing_html

        return standing_html(self)


class Evaluate(Struct, frozen=True, forbid_unknown_fields=True):
    """Asks every check of the path that has no evidence for what stands now.

    anyway: also where the caller could approve the version, and cannot any more after that.
    """

    anyway: bool = False


class Approve(Struct, frozen=True, forbid_unknown_fields=True):
    """comment: what was looked at and why it is good; required. digests: what the approver saw; another is refused.

    role, on_behalf_of: which of the approver's roles, where they hold several; whose, where it was delegated to them.
    """

    comment: str
    stage: GateStage = "production"
    digests: Digests | None = None
    role: str = ""
    on_behalf_of: str = ""


class Withdraw(Struct, frozen=True, forbid_unknown_fields=True):
    reason: str


class RequestApproval(Struct, frozen=True, forbid_unknown_fields=True):
    """anyway: also where the caller could approve it themselves; who asks may not approve."""

    stage: GateStage = "production"
    note: str = ""
    anyway: bool = False


class Request(Struct, frozen=True):
    """That somebody asks for approval of a version.

    earlier: who had asked before, where it was asked anew so that roles given since then count.
    """

    model: str
    version: int
    project: str
    stage: GateStage
    by: str
    note: str
    at: datetime
    earlier: list[str] = []


class InboxItem(Struct, frozen=True):
    """A request that waits. waits_for: who can give the approvals that lack. is_yours: the caller is among them.

    why_not: why the caller cannot, where they hold a role that could. unmet: the other gates that are not open.
    """

    request: Request
    lacks: int
    waits_for: list[str]
    is_yours: bool
    why_not: str
    unmet: list[str]


show_standing = Endpoint(
    "GET",
    "/api/gates/models/{model}/versions/{version}",
    Nothing,
    Standing,
    "gates.read",
    "Where a version stands on its path",
)
evaluate = Endpoint(
    "POST",
    "/api/gates/models/{model}/versions/{version}/evaluations",
    Evaluate,
    Standing,
    "gates.evaluate",
    "Ask the checks that have no evidence yet",
)
list_evidence = Endpoint(
    "GET",
    "/api/gates/models/{model}/versions/{version}/evidence",
    Nothing,
    Page[Evidence],
    "gates.read",
    "All evidence there ever was for a version, newest first",
)
request_approval = Endpoint(
    "POST",
    "/api/gates/models/{model}/versions/{version}/requests",
    RequestApproval,
    Request,
    "gates.evaluate",
    "Ask for approval of a version",
)
approve = Endpoint(
    "POST",
    "/api/gates/models/{model}/versions/{version}/approvals",
    Approve,
    Approval,
    "gates.approve",
    "Approve exactly what stands now",
)
withdraw = Endpoint(
    "POST",
    "/api/gates/models/{model}/versions/{version}/approvals/{approval}/withdrawal",
    Withdraw,
    Approval,
    "gates.approve",
    "Take one's approval back",
)
inbox = Endpoint("GET", "/api/gates/inbox", Nothing, Page[InboxItem], "gates.read", "What waits for whom", "platform")
