"""Who has a part in what is looked at, and who else could approve it: read over one connection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy import Connection

from taxiway.access.holdings import Holding
from taxiway.access.roles import Role
from taxiway.gates import store
from taxiway.gates.approving.upstream import makers_upstream
from taxiway.gates.checks.approvals import ApprovalsAsk, ApproverRole
from taxiway.gates.contract import Approval, Evidence, GateSpec, GateStage, PathStage, PathVersion, Request
from taxiway.gates.laws.quorum import Seat, Voice, helps
from taxiway.gates.paths.policy import parameters_of
from taxiway.gates.refusals import joined
from taxiway.models.contract import ModelVersion

if TYPE_CHECKING:
    from taxiway.gates.standing.look import Sources


class Way(Struct, frozen=True):
    """A role in which somebody could approve for a stage. why_not: why it gives no approval; empty where it does.

    is_author: because they, or who delegated it to them, have a part in what is to be approved.
    """

    holding: Holding
    why_not: str = ""
    is_author: bool = False

    @property
    def voice(self) -> Voice:
        return Voice(self.holding.user, self.holding.role, self.holding.on_behalf_of)


class Authorship:
    """The authors of a version, its checks and its path, and who of the others holds a role that the path asks for.

    authors: who may not approve the version, each with what they did, always told in the same order.
    unknown: who made the version and is no person: a service account, or the home's owner who did not sign in.
    holdings: the ways in which people hold a role of the path in the version's project, also for who delegated it.
    requests: who asked for approval, by stage.
    """

    def __init__(self, sources: Sources, connection: Connection, version: ModelVersion, at: datetime) -> None:
        self.sources = sources
        self.connection = connection
        self.version = version
        self.at = at
        self.authors: dict[str, list[str]] = {}
        self.unknown: list[str] = []
        self.holdings: list[Holding] = []
        self.requests: dict[GateStage, Request] = {}

    def read(self, path: PathVersion, evidence: Iterable[Evidence]) -> Authorship:
        """The same, filled in for the path that the version takes and the evidence that counts on it now."""
        connection, version = self.connection, self.version
        made = self._making()
        checks = Counter(each.author for each in evidence)
        did = [*made, *((name, f"ran {count} {'check' if count == 1 else 'checks'}") for name, count in checks.items())]
        did.append((path.published_by, f"published its path {path.name}@{path.version}"))
        self.requests = {each.stage: each for each in store.requests_of(connection, version.model, version.version)}
        did += [
            (name, "asked for its approval") for each in self.requests.values() for name in (each.by, *each.earlier)
        ]
        if asks_of_lineage(path):
            did += makers_upstream(self.sources.models, self.sources.access, connection, version)
        for name, what in did:
            said = self.authors.setdefault(name, [])
            said += [what] if what not in said else []
        self.unknown = sorted({name for name, _ in made} - set(self.sources.access.people(connection)))
        self.holdings = self.sources.access.holdings(
            connection, project=version.project, roles=roles_in(path), at=self.at
        )
        return self

    def ways(self, stage: PathStage, name: str = "") -> list[Way]:
        """The ways in which people hold a role that a stage asks for, or one of them does; their own ones first."""
        asked = roles_of(stage)
        found = [each for each in self.holdings if each.role in asked and name in ("", each.user)]
        return [self._way(each, self.requests.get(stage.stage)) for each in found]

    def who_can(self, stage: PathStage, given: Sequence[Approval]) -> list[str]:
        """Who could give an approval for a stage that those that count there still lack, by name.

        Nobody, where an author is no person: whoever stands behind that account might be the one who approves.
        """
        if self.unknown:
            return []
        said = [voice_of(each) for each in given]
        spoken = {name for voice in said for name in (voice.by, voice.on_behalf_of)}
        asked = [seats_asked(spec) for spec in stage.gates if spec.check == "approvals"]
        usable = [way for way in self.ways(stage) if not way.why_not]
        fresh = [way for way in usable if not {way.voice.by, way.voice.on_behalf_of} & (spoken - {""})]
        needed = [way for way in fresh if any(helps(seats, said, way.voice) for seats in asked)]
        return sorted({way.holding.user for way in needed or fresh})

    def why_not_theirs(self, approval: Approval) -> str:
        """Why who gave it could not give it now; empty where they could. Who was deactivated since, gave it once."""
        for name in (approval.by, approval.on_behalf_of):
            if name in self.authors:
                return f"{name} {joined(self.authors[name])}"
        if self.unknown:
            return f"{joined(self.unknown)} made it, and is no person"
        holder = approval.on_behalf_of or approval.by
        own = [(each.user, each.role) for each in self.holdings if not each.on_behalf_of]
        return "" if (holder, approval.role) in own else f"{holder} is no {approval.role} any more"

    def why_bars(self, holding: Holding) -> str:
        """Why who holds a role has a part in it, or holds it in vain, whatever was asked when; empty where neither."""
        return self._way(holding, None).why_not

    def _way(self, holding: Holding, request: Request | None) -> Way:
        for name in (holding.user, holding.on_behalf_of):
            if name in self.authors:
                return Way(holding, f"{name} {joined(self.authors[name])}", is_author=True)
        return Way(holding, why_unfit(holding, request))

    def _making(self) -> list[tuple[str, str]]:
        """Who made the version itself, and how."""
        version, models = self.version, self.sources.models
        did = [(version.created_by, "registered it")]
        if version.run:
            did.append((models.sources.runs.find(version.run).created_by, "started its run"))
        return did + [(name, "wrote on its card") for name in sorted(models.cards.writers(self.connection, version))]


def why_unfit(holding: Holding, request: Request | None) -> str:
    """Why a role gives no approval, whatever was made by whom; empty where it gives one."""
    owner = holding.on_behalf_of or holding.user
    if not holding.is_active:
        return f"{holding.user if holding.user == owner else f'{holding.user} or {owner}'} was deactivated"
    if holding.in_return:
        return f"{holding.granted_by} made {owner} {holding.role} and has rights from {owner} in return"
    if request is not None and holding.since > request.at:
        return (
            f"{owner} became {holding.role} on {holding.since:%Y-%m-%d at %H:%M} UTC, after approval was asked for; "
            f"a role counts for what is asked later"
        )
    return ""


def voice_of(approval: Approval) -> Voice:
    return Voice(approval.by, approval.role, approval.on_behalf_of)


def seats_asked(spec: GateSpec) -> list[Seat]:
    return approvals_asked(spec).seats


def roles_of(stage: PathStage) -> list[ApproverRole]:
    """The roles by which one can approve for a stage."""
    found = [role for spec in stage.gates if spec.check == "approvals" for role in approvals_asked(spec).roles]
    return list(dict.fromkeys(found))


def roles_in(path: PathVersion) -> set[Role]:
    """The roles by which one can approve anything on a path."""
    return {role for stage in path.stages for role in roles_of(stage)}


def asks_of_lineage(path: PathVersion) -> bool:
    """Whether one stage at least wants nobody to approve who has a part in anything upstream."""
    specs = [spec for stage in path.stages for spec in stage.gates if spec.check == "approvals"]
    return any(approvals_asked(spec).not_author == "lineage" for spec in specs)


def approvals_asked(spec: GateSpec) -> ApprovalsAsk:
    asked = parameters_of(spec)
    assert isinstance(asked, ApprovalsAsk)
    return asked
