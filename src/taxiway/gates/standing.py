"""Where a version stands on its path: evidence looked up by what it rests on, approvals counted by their digests.

All of it is read over one connection, so that inside a change it is judged as of that change.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.gates import store
from taxiway.gates.authorship import Authorship
from taxiway.gates.checks.port import Case
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
from taxiway.gates.paths import Paths
from taxiway.gates.policy import parameters_of
from taxiway.gates.predictions import Predictions
from taxiway.kernel.canonical import canonical_json
from taxiway.models.bundle import digest_of
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
    """One look at a version, at one moment, over one connection. Raises NotFound, PathUnfit when there is no path."""

    def __init__(self, sources: Sources, connection: Connection, version: ModelVersion, at: datetime) -> None:
        self.sources = sources
        self.connection = connection
        self.version = version
        self.at = at
        self.path = sources.path(connection, version)
        self.inputs = inputs_of(sources.models, connection, version)
        self.asked = [
            each for stage in self.path.stages for spec in stage.gates if (each := self._ask(stage.stage, spec))
        ]
        self.evidence = store.find_evidence(connection, [each.key for each in self.asked])
        authorship = Authorship(sources.models, sources.access, connection, version)
        self.authorship = authorship.read(self.path, self.evidence.values())
        self.given = store.approvals_of(connection, version.model, version.version)
        moves = sources.models.movements.entered(connection, version)
        self.archived_at = max((each.entered_at for each in moves if each.stage == "archived"), default=None)

    def standing(self) -> Standing:
        stages: list[StageStanding] = []
        for stage in self.path.stages:
            gates = [self._gate(stage, spec) for spec in stage.gates]
            was_open = all(before.is_open for before in stages)
            is_open = was_open and all(gate.verdict == "pass" for gate in gates)
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
            who_can=sorted({name for stage in self.path.stages for name in self.who_can(stage)}),
        )

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
        """What an approval for a stage would be given to: all evidence up to that stage is in it."""
        upto = [each.stage for each in self.path.stages]
        counted = upto[: upto.index(stage) + 1]
        found = [
            (each.stage, each.spec.name, self.evidence[each.key].id if each.key in self.evidence else NOTHING)
            for each in self.asked
            if each.stage in counted
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
        return [
            msgspec.structs.replace(each, void_because=self._why_void(each, now))
            for each in self.given
            if each.stage == stage
        ]

    def who_can(self, stage: PathStage) -> list[str]:
        """Who could give the stage an approval that it has not got yet, as things stand now."""
        return self.authorship.who_can(stage, {each.by for each in self.approvals(stage.stage) if each.counts})

    def _ask(self, stage: GateStage, spec: GateSpec) -> Asked | None:
        check = CHECKS[spec.check]
        if check.is_live:
            return None
        inputs: dict[str, str] = {name: self.inputs[name] for name in ("bundle", *check.inputs)}
        return Asked(stage, spec, evidence_key(self.path, stage, spec, inputs), inputs)

    def _gate(self, stage: PathStage, spec: GateSpec) -> GateStanding:
        if CHECKS[spec.check].is_live:
            case = msgspec.structs.replace(
                self.case(),
                approvals=self.approvals(stage.stage),
                who_can=self.who_can(stage),
                unknown_authors=self.authorship.unknown,
            )
            outcome = CHECKS[spec.check].ask(parameters_of(spec), case)
            return GateStanding(stage.stage, spec.name, spec.check, spec.title, outcome, at=self.at)
        [asked] = [each for each in self.asked if each.stage == stage.stage and each.spec.name == spec.name]
        found = self.evidence.get(asked.key)
        if found is None:
            version = f"{self.version.model}@{self.version.version}"
            advice = f"Run `taxiway gates evaluate {version}`."
            outcome = Outcome("missing", "It was not evaluated for what stands now.", advice)
            return GateStanding(stage.stage, spec.name, spec.check, spec.title, outcome)
        return GateStanding(
            stage.stage, spec.name, spec.check, spec.title, found.outcome, found.id, found.author, found.at
        )

    def _why_void(self, approval: Approval, now: Digests) -> str:
        if approval.withdrawn_at is not None:
            return "it was withdrawn"
        if approval.expires_at is not None and approval.expires_at <= self.at:
            return f"it expired on {approval.expires_at:%Y-%m-%d}"
        changed = [name for name in Digests.__struct_fields__ if getattr(approval.digests, name) != getattr(now, name)]
        if changed:
            return f"what it was given to has changed since: {', '.join(changed)}"
        if self.archived_at is not None and approval.at <= self.archived_at:
            return "the version was archived since"
        return self.authorship.why_not_theirs(approval)


def inputs_of(models: Models, connection: Connection, version: ModelVersion) -> dict[str, str]:
    """The digests of all that checks may rest on, as they are now."""
    evaluation = version.evaluation
    made_again = [each.id for each in reproductions_of(connection, version.run or NOTHING)]
    return {
        "bundle": version.bundle,
        "evaluation": digest_of(canonical_json(evaluation)) if evaluation else NOTHING,
        "datasets": digest_of(canonical_json(version.datasets)),
        "card": models.cards.digest(connection, version),
        "reproductions": digest_of(canonical_json(made_again)),
    }


def evidence_key(path: PathVersion, stage: GateStage, spec: GateSpec, inputs: dict[str, str]) -> str:
    """What a piece of evidence is found by: everything that its answer depends on."""
    rests_on = {"path": path.digest, "stage": stage, "gate": spec.name, "check": spec.check}
    return digest_of(canonical_json({**rests_on, "parameters": spec.parameters, "inputs": inputs}))
