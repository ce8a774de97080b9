"""Replaying a new path over what stands in staging and production, over past movements and refused promotions.

Nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.access.service import Access
from taxiway.audit.contract import Entry
from taxiway.audit.service import refusals
from taxiway.gates.approving.authorship import roles_in, seats_asked
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import GATE_STAGES, GateStage, GateStanding, Outcome, PathVersion, Standing
from taxiway.gates.laws.quorum import Voice, lacking
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.planning.contract import EFFECTS, AskPlan, Plan, PlannedProject, PlannedVersion
from taxiway.gates.planning.replay import Replay, effect_of, effect_of_refused, planned
from taxiway.gates.questionnaires.service import unknown_asked
from taxiway.gates.refusals import GateClosed
from taxiway.gates.standing.evaluation import Evaluations
from taxiway.gates.standing.look import Asked, Look
from taxiway.gates.working.packing import pack
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.contract import ModelVersion
from taxiway.projects.contract import Project
from taxiway.projects.service import find_project
from taxiway.storage.database import Database

MOST_PAST = 500
MOST_REFUSALS = 10_000  # that are read: many of them are of the same version


class Moved(Struct, frozen=True):
    """Where a version stands, or stood last, and since when; or where it was kept from, and when last."""

    version: ModelVersion
    stage: GateStage
    at: datetime | None
    is_live: bool
    was_refused: bool = False


class Planning:
    def __init__(self, database: Database, evaluations: Evaluations, access: Access, clock: Clock) -> None:
        self.database = database
        self.evaluations = evaluations
        self.sources = evaluations.sources
        self.access = access
        self.clock = clock

    def plan(self, caller: Caller, body: AskPlan) -> Plan:
        """What a path would change in the projects that the caller may see. Raises YamlBroken.

        Evidence counts where check, parameters and inputs are the same. With `evaluate` the others are asked, in
        projects where the caller may evaluate; what they say is not kept.
        """
        with self.database.read() as connection:
            before, draft = self.sources.paths.draft(connection, PublishPath(body.text, body.name))
            is_same = before is not None and before.digest == draft.digest
            draft = before if before and is_same else replace(draft, published_by=caller.name)
            seen = self.access.visible(caller)
            follow = self.sources.paths.followers(connection, draft)
            following = [project for project in follow if seen is None or project.name in seen]
            projects = [self._project(connection, project, draft) for project in following]
            moved = [each for project in following for each in self._moved(connection, project)]
            moved += self._refused(connection, following)
            past = sorted((e for e in moved if not e.is_live and e.at), key=lambda e: str(e.at), reverse=True)
            looked = [*(each for each in moved if each.is_live), *past[:MOST_PAST]]
            versions = [
                found for each in looked if (found := self._version(connection, each, draft, caller, body)) is not None
            ]
            problems = unknown_asked(connection, draft)
        return Plan(
            path=draft.name,
            number=draft.version,
            digest=draft.digest,
            is_new=before is None,
            is_same=is_same,
            made_at=self.clock(),
            projects=projects,
            versions=sorted(versions, key=lambda each: (EFFECTS.index(each.effect), not each.is_live)),
            left_out=max(len(past) - MOST_PAST, 0),
            problems=[str(each) for each in problems],
        )

    def _project(self, connection: Connection, project: Project, draft: PathVersion) -> PlannedProject:
        """Whether somebody in a project holds the roles that the path asks for, whoever made what."""
        try:
            path = self.sources.paths.of_project(connection, project, instead=draft)
        except TaxiwayError as unfit:
            return PlannedProject(project.name, [], str(unfit))
        held = self.access.holdings(connection, project=project.name, roles=roles_in(path), at=self.clock())
        voices = [Voice(each.user, each.role, each.on_behalf_of) for each in held if each.is_active]
        nobody = [
            stage.stage
            for stage in path.stages
            for spec in stage.gates
            if spec.check == "approvals" and spec.mode == "block" and lacking(seats_asked(spec), voices)
        ]
        return PlannedProject(project.name, list(dict.fromkeys(nobody)))

    def _moved(self, connection: Connection, project: Project) -> Iterator[Moved]:
        for version in self.sources.models.in_project(project.name):
            if version.deleted_at:
                continue
            history = self.sources.models.movements.entered(connection, version)
            came = {stage: each.entered_at for stage in GATE_STAGES for each in history if each.stage == stage}
            for stage in reversed(GATE_STAGES):  # where it stands, or the furthest that it came
                if version.stage == stage or (version.stage not in GATE_STAGES and stage in came):
                    yield Moved(version, stage, came.get(stage), is_live=version.stage == stage)
                    break

    def _refused(self, connection: Connection, projects: list[Project]) -> Iterator[Moved]:
        """The newest refusal of each version and stage that gates kept it from, and where it has not come since."""
        names = [project.name for project in projects]
        versions = {version.ref: version for name in names for version in self.sources.models.in_project(name)}
        seen = set()
        for entry in refusals(connection, "models.promote", names, most=MOST_REFUSALS) if names else ():
            version, stage = versions.get(entry.thing), kept_from(entry)
            if version is None or version.deleted_at or stage is None or (version.ref, stage) in seen:
                continue
            seen.add((version.ref, stage))
            if version.created_at <= entry.at and not self._came_since(connection, version, stage, entry.at):
                yield Moved(version, stage, entry.at, is_live=False, was_refused=True)

    def _came_since(self, connection: Connection, version: ModelVersion, stage: GateStage, at: datetime) -> bool:
        """Whether a version stands in a stage or a later one, or came there after a time."""
        enough = GATE_STAGES[GATE_STAGES.index(stage) :]
        history = self.sources.models.movements.entered(connection, version)
        return version.stage in enough or any(each.stage in enough and each.entered_at > at for each in history)

    def _version(
        self, connection: Connection, moved: Moved, draft: PathVersion, caller: Caller, body: AskPlan
    ) -> PlannedVersion | None:
        """How a version would stand; none where its project's path cannot be taken, which is told of the project."""
        version = moved.version
        at = self.clock() if moved.is_live or moved.at is None else moved.at
        try:
            project = find_project(connection, version.project)
            path = self.sources.paths.of_project(connection, project, version.risk, instead=draft)
            replay = Replay(self.sources, connection, version, at, path)
            today = self._today(connection, moved, at)
        except TaxiwayError:
            return None
        if body.evaluate and self.access.is_allowed(caller, "gates.evaluate", version.project):
            replay.answer(lambda asked: self._ask(connection, version, asked))
            if isinstance(today, Replay):  # what opens a refused version is told from what was only never asked
                today.evidence |= replay.evidence
                today.answer(lambda asked: self._ask(connection, version, asked))
        return compared(moved, today, replay)

    def _today(self, connection: Connection, moved: Moved, at: datetime) -> Look:
        """A version through today's path; what was refused with the approvals of that time, as through the new one."""
        if not moved.was_refused:
            return Look(self.sources, connection, moved.version, at)
        return Replay(self.sources, connection, moved.version, at, self.sources.path(connection, moved.version))

    def _ask(self, connection: Connection, version: ModelVersion, asked: Asked) -> Outcome | None:
        """What a check says; none where it could not be asked, as the bytes are gone or the check broke."""
        try:
            job = pack(self.sources.models, connection, version, asked.spec, CHECKS[asked.spec.check])
            outcome = self.evaluations.ask(asked, job).outcome
        except TaxiwayError:
            return None
        return None if outcome.is_broken else outcome


def compared(moved: Moved, today: Look, replay: Replay) -> PlannedVersion:
    version = moved.version
    standing, then = today.standing(), replay.standing()
    before = {(gate.stage, gate.gate): gate for gate in upto(standing, moved.stage)}
    gates = [planned(gate, before) for gate in upto(then, moved.stage) if gate.stops]
    watched = [planned(gate, before) for gate in upto(then, moved.stage) if not (gate.counts or gate.is_open)]
    is_open = not any(gate.stops for gate in before.values())
    # What was moved in the past was let through then, whatever today's path would say of it.
    effect = effect_of(gates, was_open=is_open or not moved.is_live)
    if moved.was_refused:
        effect = effect_of_refused(gates, is_open=is_open)
    changes = replay.path.digest != today.path.digest
    voided = [a for stage in standing.stages for a in stage.approvals if a.counts] if moved.is_live and changes else []
    return PlannedVersion(
        project=version.project,
        model=version.model,
        version=version.version,
        stage=moved.stage,
        is_live=moved.is_live,
        at=moved.at,
        effect=effect,
        gates=gates,
        watched=watched,
        approvals_void=len(voided),
        nobody=replay.nobody(moved.stage) if moved.is_live else [],
        was_refused=moved.was_refused,
    )


def kept_from(entry: Entry) -> GateStage | None:
    """The stage that gates kept a version from, by the entry of its refusal; none where something else refused it."""
    match entry.facts:
        case {"error": GateClosed.__name__, "facts": {"stage": said}}:
            return next((each for each in GATE_STAGES if each == said), None)
    return None


def upto(standing: Standing, stage: GateStage) -> list[GateStanding]:
    """The gates before a stage and before those that come first."""
    counted = GATE_STAGES[: GATE_STAGES.index(stage) + 1]
    return [gate for each in standing.stages if each.stage in counted for gate in each.gates]
