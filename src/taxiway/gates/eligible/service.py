"""Who can approve: read for a version as it stands, or for a project as if a stranger made the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection

from taxiway.access.holdings import Holding
from taxiway.access.roles import ROLES
from taxiway.datasets.contract import ListDatasets
from taxiway.gates.approving.authorship import (
    Way,
    approvals_asked,
    asks_of_lineage,
    roles_in,
    roles_of,
    seats_asked,
    voice_of,
    why_unfit,
)
from taxiway.gates.contract import Approval, PathStage, PathVersion
from taxiway.gates.eligible.contract import Candidate, Eligible, StageEligible
from taxiway.gates.laws.quorum import taken
from taxiway.gates.refusals import joined
from taxiway.gates.standing.look import Look, Sources
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.projects.service import find_project
from taxiway.storage.database import Database

MOST_NAMED = 3


class Eligibility:
    """Answers who can approve."""

    def __init__(self, database: Database, sources: Sources, clock: Clock) -> None:
        self.database = database
        self.sources = sources
        self.clock = clock

    def of_version(self, caller: Caller, *, model: str, version: str) -> Eligible:
        """Who can approve a version, as things stand now. Raises NotFound, PathUnfit."""
        found = self.sources.models.find(model, version)
        with self.database.read() as connection:
            look = Look(self.sources, connection, found, self.clock())
            members = self._members(connection, found.project)
            stages = []
            for stage in asking(look.path):
                given = [each for each in look.approvals(stage.stage) if each.counts]
                people = candidates(look.authorship.ways(stage), stage, members, look.authorship.authors)
                if look.authorship.unknown:
                    why = f"{joined(look.authorship.unknown)} made it, and is no person"
                    people = [Candidate(each.person, each.roles, each.why_not or why) for each in people]
                usable = [] if look.authorship.unknown else look.authorship.ways(stage)
                stages.append(told(stage, usable, people, given))
        return Eligible(found.project, look.path.ref, stages, found.model, found.version)

    def of_project(self, caller: Caller, *, project: str) -> Eligible:
        """Who could approve what a project makes: all but who published its path, and who will have made it.

        Raises NotFound, PathUnfit.
        """
        with self.database.read() as connection:
            path = self.sources.paths.of_project(connection, find_project(connection, project))
            holdings = self.sources.access.holdings(connection, project=project, roles=roles_in(path), at=self.clock())
            members = self._members(connection, project)
        authors = {path.published_by: [f"published its path {path.name}@{path.version}"]}
        made = self._made(caller, project) if asks_of_lineage(path) else {}
        stages = []
        for stage in asking(path):
            ways = [way_of(each, authors) for each in holdings if each.role in roles_of(stage)]
            people = candidates(ways, stage, members, authors, made)
            stages.append(told(stage, ways, people, []))
        return Eligible(project, path.ref, stages)

    def _members(self, connection: Connection, project: str) -> list[str]:
        """Everybody with a role in the project, also for somebody else."""
        found = self.sources.access.holdings(connection, project=project, roles=ROLES, at=self.clock())
        owners = {grant.user for grant in self.sources.access.grants(project=project).items}
        people = set(self.sources.access.people(connection))
        return sorted(({each.user for each in found} | owners) & people)

    def _made(self, caller: Caller, project: str) -> dict[str, list[str]]:
        """By person, the project's datasets that they registered: whoever did is an author of what comes of them."""
        found: dict[str, list[str]] = {}
        datasets = self.sources.models.sources.datasets
        for each in datasets.list(caller, ListDatasets(project=project)).items:
            for version in datasets.versions(caller, project=project, name=each.name).items:
                found.setdefault(version.created_by, []).append(f"{version.name}@{version.version}")
        return found


def asking(path: PathVersion) -> list[PathStage]:
    """The stages that ask for approvals."""
    return [stage for stage in path.stages if any(spec.check == "approvals" for spec in stage.gates)]


def way_of(holding: Holding, authors: Mapping[str, Sequence[str]]) -> Way:
    for name in (holding.user, holding.on_behalf_of):
        if name in authors:
            return Way(holding, f"{name} {joined(list(authors[name]))}", is_author=True)
    return Way(holding, why_unfit(holding, None))


def candidates(
    ways: Sequence[Way],
    stage: PathStage,
    members: Sequence[str],
    authors: Mapping[str, Sequence[str]],
    made: Mapping[str, Sequence[str]] | None = None,
) -> list[Candidate]:
    """Everybody with a part in the project: those who can first, each once."""
    found: dict[str, Candidate] = {}
    for name in sorted({*members, *(way.holding.user for way in ways)}):
        theirs = [way for way in ways if way.holding.user == name]
        usable = [way for way in theirs if not way.why_not]
        roles = [role_words(way.holding) for way in usable or theirs]
        if usable:
            why_not = ""
        elif name in authors:
            why_not = f"{name} {joined(list(authors[name]))}"
        elif theirs:
            why_not = theirs[0].why_not
        else:
            why_not = f"{name} holds none of the roles that it asks for: {', '.join(roles_of(stage))}"
        beware = beware_of((made or {}).get(name, [])) if usable else ""
        found[name] = Candidate(name, roles, why_not, beware)
    return sorted(found.values(), key=lambda each: (not each.can, each.person))


def told(stage: PathStage, ways: Sequence[Way], people: list[Candidate], given: Sequence[Approval]) -> StageEligible:
    """The gate that is hardest to fill speaks for its stage."""
    usable = [way.voice for way in ways if not way.why_not]
    voices = [*(voice_of(each) for each in given), *usable]
    specs = [spec for spec in stage.gates if spec.check == "approvals"]
    hardest = max(specs, key=lambda spec: len(seats_asked(spec)) - len(taken(seats_asked(spec), voices)))
    seats = seats_asked(hardest)
    filled = len(seats) - len(approvals_asked(hardest).lacking(given))
    return StageEligible(stage.stage, hardest.title, len(seats), len(taken(seats, voices)), filled, people)


def role_words(holding: Holding) -> str:
    """A role, and whose: "validator for vera until 2026-12-24"."""
    if not holding.on_behalf_of:
        return holding.role
    until = f" until {holding.until:%Y-%m-%d}" if holding.until else ""
    return f"{holding.role} for {holding.on_behalf_of}{until}"


def beware_of(made: Sequence[str]) -> str:
    """What would bar somebody from approving what is made of it."""
    if not made:
        return ""
    more = f" and {len(made) - MOST_NAMED} more" if len(made) > MOST_NAMED else ""
    return f"registered {', '.join(made[:MOST_NAMED])}{more}: not of versions that come from it"
