"""Who has a part in what is looked at, and who else could approve it: read over one connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import Connection

from taxiway.access.roles import Role
from taxiway.access.service import Access
from taxiway.gates.checks.approvals import ApprovalsAsk, ApproverRole
from taxiway.gates.contract import Approval, Evidence, GateSpec, PathStage, PathVersion
from taxiway.gates.policy import parameters_of
from taxiway.gates.refusals import joined
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models


class Authorship:
    """The authors of a version, its checks and its path, and who of the others holds a role that the path asks for.

    authors: who may not approve the version, each with what they did, always told in the same order.
    unknown: who made the version and is no person: a service account, or the home's owner who did not sign in.
    holders: by person, the roles of the path that they hold in the version's project.
    """

    def __init__(self, models: Models, access: Access, connection: Connection, version: ModelVersion) -> None:
        self.models = models
        self.access = access
        self.connection = connection
        self.version = version
        self.authors: dict[str, list[str]] = {}
        self.unknown: list[str] = []
        self.holders: dict[str, list[Role]] = {}

    def read(self, path: PathVersion, evidence: Iterable[Evidence]) -> Authorship:
        """The same, filled in for the path that the version takes and the evidence that counts on it now."""
        made = self._making()
        checks = Counter(each.author for each in evidence)
        did = [*made, *((name, f"ran {count} {'check' if count == 1 else 'checks'}") for name, count in checks.items())]
        did.append((path.published_by, f"published its path {path.name}@{path.version}"))
        for name, what in did:
            self.authors.setdefault(name, []).append(what)
        self.unknown = sorted({name for name, _ in made} - set(self.access.people(self.connection)))
        roles = {role for stage in path.stages for role in roles_of(stage)}
        self.holders = self.access.people_with(self.connection, project=self.version.project, roles=roles)
        return self

    def who_can(self, stage: PathStage, given: Collection[str]) -> list[str]:
        """Who holds a role that the stage asks for, is no author, and has not given an approval that counts.

        Nobody, where an author is no person: whoever stands behind that account might be the one who approves.
        """
        if self.unknown:
            return []
        able = {name for name, held in self.holders.items() if set(held) & set(roles_of(stage))}
        return sorted(able - set(self.authors) - set(given))

    def why_not_theirs(self, approval: Approval) -> str:
        """Why who gave it could not give it now; empty where they could."""
        if approval.by in self.authors:
            return f"{approval.by} {joined(self.authors[approval.by])}"
        if self.unknown:
            return f"{joined(self.unknown)} made it, and is no person"
        if approval.role not in self.holders.get(approval.by, []):
            return f"{approval.by} is no {approval.role} any more"
        return ""

    def _making(self) -> list[tuple[str, str]]:
        """Who made the version itself, and how."""
        version, models = self.version, self.models
        did = [(version.created_by, "registered it")]
        if version.run:
            did.append((models.sources.runs.find(version.run).created_by, "started its run"))
        return did + [(name, "wrote on its card") for name in sorted(models.cards.writers(self.connection, version))]


def roles_of(stage: PathStage) -> list[ApproverRole]:
    """The roles by which one can approve for a stage."""
    return [role for spec in stage.gates if spec.check == "approvals" for role in approvals_asked(spec).roles]


def approvals_asked(spec: GateSpec) -> ApprovalsAsk:
    asked = parameters_of(spec)
    assert isinstance(asked, ApprovalsAsk)
    return asked
