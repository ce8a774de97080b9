"""The SDK of gates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taxiway.gates import contract
from taxiway.gates.checks import contract as checks_contract
from taxiway.gates.checks.contract import CheckOffer
from taxiway.gates.contract import (
    Approval,
    Approve,
    Evaluate,
    Evidence,
    GateStage,
    InboxItem,
    PathVersion,
    Request,
    RequestApproval,
    Standing,
    Withdraw,
)
from taxiway.gates.eligible import contract as eligible_contract
from taxiway.gates.eligible.contract import Eligible
from taxiway.gates.exceptions.client import Waivers
from taxiway.gates.findings.client import Findings
from taxiway.gates.observing import contract as observing
from taxiway.gates.observing.contract import Observed
from taxiway.gates.paths import contract as paths_contract
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.planning import contract as planning
from taxiway.gates.planning.contract import AskPlan, Plan
from taxiway.gates.proposing.client import Proposals
from taxiway.gates.proposing.contract import Proposal
from taxiway.gates.questionnaires.client import Questionnaires
from taxiway.gates.reviews.client import Reviews
from taxiway.gates.standing.needs import Assumed, Power, of_path, of_standing
from taxiway.kernel.errors import BadField
from taxiway.kernel.transport import Transport
from taxiway.models.client import split


class Gates:
    """Paths, evidence and approvals: ``client.gates``.

    Where a method takes a `name`, it reads ``mortgage@3``, ``mortgage@champion``, or ``mortgage`` for the newest.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.waivers = Waivers(transport)
        self.findings = Findings(transport)
        self.proposals = Proposals(transport)
        self.reviews = Reviews(transport)
        self.questionnaires = Questionnaires(transport)

    # --- paths ---

    def checks(self) -> list[CheckOffer]:
        """The checks that a path can ask, those of installed packages among them; and which of these cannot be used."""
        return self.transport.call(checks_contract.list_checks).items

    def paths(self) -> list[PathVersion]:
        """The newest version of every path, those that ship with the platform among them."""
        return self.transport.call(paths_contract.list_paths).items

    def path(self, name: str, version: int = 0) -> PathVersion:
        """A path's version; 0 is the newest. Raises NotFound."""
        return self.transport.call(paths_contract.show_path, path=name, version=version)

    def publish(self, text: str | Path) -> PathVersion:
        """Publishes a path from YAML, or from a file of it, as the next version of its name.

        The same path again gives the version there is. Needs an admin. Raises YamlBroken with line and key.
        """
        said, name = text_of(text)
        return self.transport.call(paths_contract.publish_path, PublishPath(said, name))

    def plan(self, text: str | Path, *, evaluate: bool = False) -> Plan:
        """What a path would change for live versions and past movements, before it is published. Nothing is written.

        evaluate: asks checks that have no evidence, too, and keeps nothing of it. Raises YamlBroken.

        >>> client.gates.plan(Path("path.yaml")).nobody  # doctest: +SKIP
        []
        """
        said, name = text_of(text)
        return self.transport.call(planning.plan_path, AskPlan(said, name, evaluate))

    def propose(self, text: str | Path, *, reason: str) -> Proposal:
        """Proposes a path's next version from YAML, or from a file of it; as `proposals.open`."""
        said, name = text_of(text)
        return self.proposals.open(said, reason=reason, name=name)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of a path's text, with the checks that the platform has: for editors."""
        return self.transport.call(paths_contract.show_schema)

    def observed(self, name: str) -> Observed:
        """What a path's gates that observe or warn would have stopped. Raises NotFound.

        >>> client.gates.observed("careful").stopped  # doctest: +SKIP
        3
        """
        return self.transport.call(observing.observed, path=name)

    # --- versions ---

    def show(self, name: str) -> Standing:
        """How a version stands before every gate of its path, and who may approve it."""
        return self.transport.call(contract.show_standing, **split(name))

    def evaluate(self, name: str, *, anyway: bool = False) -> Standing:
        """Asks every check that has no evidence for what stands now; what has evidence keeps it.

        Who runs checks may not approve on them. anyway: one could approve, and means to give that up.
        Raises BarsYourself.
        """
        return self.transport.call(contract.evaluate, Evaluate(anyway), **split(name))

    def eligible(self, name: str) -> Eligible:
        """Who can approve a version such as ``mortgage@3``, or what a project makes before there is one, and why each
        other person cannot."""
        if "@" in name:
            return self.transport.call(eligible_contract.version_eligible, **split(name))
        return self.transport.call(eligible_contract.project_eligible, project=name)

    def evidence(self, name: str) -> list[Evidence]:
        """All evidence there ever was for a version, newest first."""
        return self.transport.call(contract.list_evidence, **split(name)).items

    def power(self, name: str = "", *, path: str = "", assumed: Assumed | None = None) -> Power:
        """How many rows each gate needs before it can decide: of a version, by what was measured of it, or of a path
        (``careful``, ``careful@2``), by what is assumed.

        >>> client.gates.power("mortgage@1").gates[0].rows  # doctest: +SKIP
        8100
        """
        if bool(name) == bool(path):
            raise BadField(field="name", value="both" if name else "neither", expected="either a version or a path")
        if name:
            return of_standing(self.show(name), assumed or Assumed())
        of, _, version = path.partition("@")
        return of_path(self.path(of, int(version or 0)), assumed or Assumed())

    # --- approvals ---

    def request(self, name: str, *, stage: GateStage = "production", note: str = "", anyway: bool = False) -> Request:
        """Asks for approval: the version goes into the inbox of who can give it. Who asks may not approve.

        Asking again counts roles that were given since. Raises BarsYourself unless one says `anyway`.
        """
        body = RequestApproval(stage, note, anyway)
        return self.transport.call(contract.request_approval, body, **split(name))

    def approve(
        self,
        name: str,
        *,
        comment: str,
        stage: GateStage = "production",
        role: str = "",
        on_behalf_of: str = "",
    ) -> Approval:
        """Approves exactly what stands now; any later change voids it.

        role, on_behalf_of: in which of one's roles, and for whom where it was delegated; by default whichever the
        quorum still lacks. Raises NeedsPerson, FourEyes, RoleMissing, RoleUnfit, EvidenceMissing, AlreadyExists,
        BadField.

        >>> client.gates.approve("mortgage@2", comment="groups and limits checked")  # doctest: +SKIP
        """
        body = Approve(comment, stage, role=role, on_behalf_of=on_behalf_of)
        return self.transport.call(contract.approve, body, **split(name))

    def withdraw(self, name: str, approval: str, *, reason: str) -> Approval:
        """Takes one's own approval back. Raises NotFound, NotAllowed."""
        return self.transport.call(contract.withdraw, Withdraw(reason), **split(name), approval=approval)

    def inbox(self) -> list[InboxItem]:
        """The requests that wait, oldest first; `is_yours` marks those that the caller can answer."""
        return self.transport.call(contract.inbox).items


def text_of(text: str | Path) -> tuple[str, str]:
    """A path's text, and what a refusal calls it. Raises BadField for a file that is no text."""
    if not isinstance(text, Path):
        return text, "path.yaml"
    try:
        return text.read_text(encoding="utf-8"), text.name
    except UnicodeDecodeError as e:
        raise BadField(field="file", value=repr(str(text)), expected="YAML in UTF-8") from e
