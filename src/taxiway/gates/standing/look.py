"""Where a version stands on its path: evidence looked up by what it rests on, approvals counted by their digests.

All of it is read over one connection, so that inside a change it is judged as of that change.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import cache

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.access.holdings import Holding
from taxiway.access.roles import Role
from taxiway.access.service import Access
from taxiway.discussions.service import unresolved
from taxiway.gates import store
from taxiway.gates.approving.authorship import Authorship, approvals_asked
from taxiway.gates.canaries.store import canaries_of
from taxiway.gates.checks.port import Case, inputs_asked
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import (
    Approval,
    Digests,
    GateSpec,
    GateStage,
    GateStanding,
    Outcome,
    PathStage,
    PathVersion,
    StageStanding,
    Standing,
)
from taxiway.gates.exceptions import store as exceptions_store
from taxiway.gates.exceptions.counting import Grounds, glass_of, judged, overdue, passed_over
from taxiway.gates.findings.service import about
from taxiway.gates.laws.predictions import Predictions
from taxiway.gates.paths.policy import parameters_of
from taxiway.gates.paths.service import Paths
from taxiway.gates.questionnaires.service import attested_of
from taxiway.gates.working.packing import champion_of, digests_of_named
from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundles.bundle import digest_of
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models
from taxiway.projects.service import find_project
from taxiway.runs.again.reproductions import reproductions_of
from taxiway.storage.blobs import read_blob

NOTHING = ""


class Asked(Struct, frozen=True):
    """A gate that leaves evidence, with the key under which the evidence for what stands now is found."""

    stage: GateStage
    spec: GateSpec
    key: str
    inputs: dict[str, str]


class Sources:
    """The services that a look at a version reads from."""

    def __init__(self, models: Models, paths: Paths, access: Access) -> None:
        self.models = models
        self.paths = paths
        self.access = access

    def path(self, connection: Connection, version: ModelVersion) -> PathVersion:
        """The path that a version must take. Raises NotFound, PathUnfit."""
        return self.paths.of_project(connection, find_project(connection, version.project), version.risk)


class Look:
    """One look at a version, at one moment, over one connection. Raises NotFound, PathUnfit when there is no path.

    path: another than the one that the version must take, to see what it would ask.
    """

    def __init__(
        self,
        sources: Sources,
        connection: Connection,
        version: ModelVersion,
        at: datetime,
        path: PathVersion | None = None,
    ) -> None:
        self.sources = sources
        self.connection = connection
        self.version = version
        self.at = at
        self.path = path or sources.path(connection, version)
        self.inputs = Inputs(sources.models, connection, version)
        self.asked = [
            each for stage in self.path.stages for spec in stage.gates if (each := self._ask(stage.stage, spec))
        ]
        self.evidence = store.find_evidence(connection, [each.key for each in self.asked])
        self.attempts = store.attempts_of(connection, version.model, version.version)
        authorship = Authorship(sources, connection, version, at)
        self.authorship = authorship.read(self.path, self.evidence.values())
        self.given = store.approvals_of(connection, version.model, version.version)
        moves = sources.models.movements.entered(connection, version)
        self.archived_at = max((each.entered_at for each in moves if each.stage == "archived"), default=None)
        asked = exceptions_store.waivers_of(connection, version.model, version.version)
        grounds = self._grounds() if asked else None
        self.waivers = [judged(each, grounds) for each in asked if grounds]
        broken = exceptions_store.broken_of(connection, version.model, version.version)
        self.glass = glass_of(version, broken, self.archived_at)

    def standing(self) -> Standing:
        stages: list[StageStanding] = []
        for stage in self.path.stages:
            gates = [passed_over(self._gate(stage, spec), self.waivers) for spec in stage.gates]
            was_open = all(before.is_open for before in stages)
            is_open = was_open and not any(gate.stops for gate in gates)
            approvals, digests = self.approvals(stage.stage), self.digests(stage.stage)
            stages.append(StageStanding(stage.stage, is_open, gates, approvals, digests))
        return Standing(
            model=self.version.model,
            version=self.version.version,
            project=self.version.project,
            path=self.path.ref,
            path_digest=self.path.digest,
            stage=self.version.stage,
            stages=stages,
            authors=self.authorship.authors,
            demands=self.path.demands,
            who_can=sorted({name for stage in self.path.stages for name in self.who_can(stage)}),
            broken=self.glass,
            overdue=overdue(stages, self.version.stage, self.waivers, self.glass, self.at),
        )

    def held(self, roles: Collection[Role]) -> list[Holding]:
        """How active persons hold a role in the version's project themselves: by somebody else's grant."""
        access, project = self.sources.access, self.version.project
        found = access.holdings(self.connection, project=project, roles=roles, at=self.at)
        return [each for each in found if not each.on_behalf_of and each.is_active and not each.in_return]

    def who_can_waive(self) -> list[str]:
        """Who could grant a waiver that they did not ask for. Nobody, where an author is no person."""
        able = {each.user for each in self.held(self.path.leeway.waivers_by)}
        return [] if self.authorship.unknown else sorted(able - set(self.authorship.authors))

    def _grounds(self) -> Grounds:
        return Grounds(
            at=self.at,
            digests=self.digests,
            authors=self.authorship.authors,
            unknown=self.authorship.unknown,
            held=self.held(self.path.leeway.waivers_by),
            archived_at=self.archived_at,
        )

    def unanswered(self) -> list[Asked]:
        """What has no evidence yet; gates that ask the same of the same share it, and stand here once."""
        return list({each.key: each for each in reversed(self.asked) if each.key not in self.evidence}.values())[::-1]

    def case(self) -> Case:
        """What checks get to see of the version."""
        version, models = self.version, self.sources.models
        digest = version.evaluation.digest if version.evaluation else NOTHING

        @cache
        def predictions() -> Predictions:
            return Predictions(read_blob(models.blobs, digest, f"what {version.ref} was judged on"))

        return Case(
            version=version,
            card=lambda: models.cards.card(self.connection, version),
            datasets=lambda: models.sources.versions_of(version.datasets),
            predictions=predictions,
            reproductions=lambda: reproductions_of(self.connection, version.run or NOTHING),
        )

    def digests(self, stage: GateStage) -> Digests:
        """What an approval for a stage would be given to: the evidence of all gates that count up to it is in it."""
        upto = [each.stage for each in self.path.stages]
        counted = upto[: upto.index(stage) + 1]
        found = [
            (each.stage, each.spec.name, self.evidence[each.key].id if each.key in self.evidence else NOTHING)
            for each in self.asked
            if each.stage in counted and each.spec.mode == "block"
        ]
        return Digests(
            bundle=self.inputs["bundle"],
            evaluation=self.inputs["evaluation"],
            card=self.inputs["card"],
            path=self.path.digest,
            evidence=digest_of(canonical_json(found)),
        )

    def approvals(self, stage: GateStage) -> list[Approval]:
        """All that were given for a stage, newest first, each knowing why it does not count, if it does not."""
        now = self.digests(stage)
        return [replace(each, void_because=self._why_void(each, now)) for each in self.given if each.stage == stage]

    def who_can(self, stage: PathStage) -> list[str]:
        """Who could give the stage an approval that it has not got yet, as things stand now."""
        return self.authorship.who_can(stage, [each for each in self.approvals(stage.stage) if each.counts])

    def _ask(self, stage: GateStage, spec: GateSpec) -> Asked | None:
        check = CHECKS[spec.check]
        if check.is_live:
            return None
        asked = inputs_asked(check, parameters_of(spec))
        inputs: dict[str, str] = {name: self.inputs[name] for name in ("bundle", *asked) if name in self.inputs}
        inputs |= digests_of_named(self.sources.models, self.version, spec, check)
        return Asked(stage, spec, evidence_key(spec, inputs), inputs)

    def _gate(self, stage: PathStage, spec: GateSpec) -> GateStanding:
        if CHECKS[spec.check].is_live:
            return self._live(stage, spec)
        standing = stands(stage, spec, unasked(self.version))
        [asked] = [each for each in self.asked if each.stage == stage.stage and each.spec.name == spec.name]
        if asked.key not in self.evidence and asked.key in self.attempts:
            tried = self.attempts[asked.key]
            return replace(standing, outcome=tried.outcome, author=tried.author, at=tried.at)
        found = self.evidence.get(asked.key)
        if found is None:
            return standing
        return replace(standing, outcome=found.outcome, evidence=found.id, author=found.author, at=found.at)

    def _live(self, stage: PathStage, spec: GateSpec) -> GateStanding:
        """A gate that is asked anew each time: approvals, findings, discussions, canaries."""
        approvals, version = self.approvals(stage.stage), self.version
        case = replace(
            self.case(),
            approvals=approvals,
            who_can=self.who_can(stage),
            unknown_authors=self.authorship.unknown,
            findings=lambda: about(self.connection, self.version, self.at),
            discussions=lambda things: unresolved(self.connection, things),
            canaries=lambda: canaries_of(self.connection, version.model, version.version),
        )
        outcome = CHECKS[spec.check].ask(parameters_of(spec), case)
        if spec.check != "approvals":
            return replace(stands(stage, spec, outcome), at=self.at)
        asks = approvals_asked(spec)
        return replace(stands(stage, spec, outcome), at=self.at, lacks=len(asks.lacking(approvals)))

    def changed(self, approval: Approval, now: Digests) -> list[str]:
        """What an approval was given to and is another by now."""
        return [name for name in Digests.__struct_fields__ if getattr(approval.digests, name) != getattr(now, name)]

    def _why_void(self, approval: Approval, now: Digests) -> str:
        if approval.withdrawn_at is not None:
            return "it was withdrawn"
        if approval.expires_at is not None and approval.expires_at <= self.at:
            return f"it expired on {approval.expires_at:%Y-%m-%d}"
        if changed := self.changed(approval, now):
            return f"what it was given to has changed since: {', '.join(changed)}"
        if self.archived_at is not None and approval.at <= self.archived_at:
            return "the version was archived since"
        return self.authorship.why_not_theirs(approval)


def stands(stage: PathStage, spec: GateSpec, outcome: Outcome) -> GateStanding:
    """A gate with an outcome, as its path says the rest."""
    said = {"mode": spec.mode, "demanded_by": spec.demanded_by, "path": spec.path}
    return replace(GateStanding(stage.stage, spec.name, spec.check, spec.title, outcome), **said)


def unasked(version: ModelVersion) -> Outcome:
    advice = f"Run `taxiway gates evaluate {version.model}@{version.version}`."
    return Outcome("missing", "It was not evaluated for what stands now.", advice)


class Inputs:
    """The digests of all that checks may rest on, as they are now; each is made when a gate asks for it."""

    def __init__(self, models: Models, connection: Connection, version: ModelVersion) -> None:
        evaluation = version.evaluation
        self.made: dict[str, str] = {}
        self.make: dict[str, Callable[[], str]] = {
            "bundle": lambda: version.bundle,
            "evaluation": lambda: digest_of(canonical_json(evaluation)) if evaluation else NOTHING,
            "datasets": lambda: digest_of(canonical_json(version.datasets)),
            "card": lambda: models.cards.digest(connection, version),
            "reproductions": lambda: reproductions_digest(connection, version),
            "champion": lambda: champion_digest(models, connection, version),
            "attestations": lambda: attested_digest(connection, version),
        }

    def __contains__(self, name: str) -> bool:
        return name in self.make

    def __getitem__(self, name: str) -> str:
        if name not in self.made:
            self.made[name] = self.make[name]()
        return self.made[name]


def reproductions_digest(connection: Connection, version: ModelVersion) -> str:
    return digest_of(canonical_json([each.id for each in reproductions_of(connection, version.run or NOTHING)]))


def attested_digest(connection: Connection, version: ModelVersion) -> str:
    attested = attested_of(connection, version)
    return digest_of(canonical_json([attested.tier, [sheet.id for sheet in attested.sheets]]))


def champion_digest(models: Models, connection: Connection, version: ModelVersion) -> str:
    champion = champion_of(models, connection, version)
    return digest_of(canonical_json([champion.bundle, champion.evaluation])) if champion else NOTHING


def evidence_key(spec: GateSpec, inputs: dict[str, str]) -> str:
    """What a piece of evidence is found by: everything that its answer depends on.

    Which path asks, and in what mode, changes no answer: another version of a path keeps what was measured.
    """
    return digest_of(canonical_json({"check": spec.check, "parameters": spec.parameters, "inputs": inputs}))
