"""Judging a bundle by a path, with the evidence and approvals that there are. Nothing is asked anew, or written."""

from __future__ import annotations

import re

from msgspec.structs import replace

from taxiway.access.service import Access
from taxiway.dossiers.judging.contract import JudgeBundle, Judged, JudgedGate
from taxiway.gates.contract import GATE_STAGES, GateStage, PathVersion, Standing
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.planning.replay import Replay
from taxiway.gates.service import Gates
from taxiway.gates.standing.look import Look
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import numbered
from taxiway.models.contract import ModelVersion
from taxiway.models.service import Models

NOBODY = "taxiway"  # as of paths that ship
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Judging:
    def __init__(self, access: Access, models: Models, gates: Gates) -> None:
        self.access = access
        self.models = models
        self.gates = gates

    def judge(self, caller: Caller, body: JudgeBundle) -> Judged:
        """How a bundle stands before a path. Raises NotFound, PathUnfit, YamlBroken."""
        version = self._version(caller, body.subject)
        path = self._path(caller, body)
        sources, at = self.gates.sources, self.gates.clock()
        with self.gates.database.read() as connection:
            if body.text:
                _, draft = sources.paths.draft(connection, PublishPath(body.text, body.name))
                path = replace(draft, published_by=NOBODY)  # whoever wrote the file is not known here
            look = Replay(sources, connection, version, at, path) if path else Look(sources, connection, version, at)
            standing = look.standing()
            named = look.path.ref if not body.text else f"{body.name} ({look.path.name})"
        return Judged(
            thing=version.ref,
            bundle=version.bundle,
            path=named,
            stage=body.stage,
            is_open=not any(gate.stops for gate in gates_of(standing, body.stage)),
            gates=gates_of(standing, body.stage),
            source="platform",
            as_of=at.isoformat(),
        )

    def _version(self, caller: Caller, subject: str) -> ModelVersion:
        """The version that a name or a bundle's digest means, the newest of several. Raises NotFound."""
        if not DIGEST.fullmatch(subject):
            found: list[ModelVersion] = []

            def projects() -> list[str]:
                found.append(self.models.resolve(subject))
                return [found[0].project]

            self.access.admit(caller, "gates.read", kind="model", name=subject, find=projects)
            return found[0]
        known = [each for each in self.models.everywhere(caller) if each.bundle == subject and not each.deleted_at]
        if not known:
            hint = "No version that you may see holds it. `taxiway models list` lists models."
            raise NotFound(kind="bundle", name=subject, hint=hint)
        return max(known, key=lambda each: each.created_at)

    def _path(self, caller: Caller, body: JudgeBundle) -> PathVersion | None:
        """The published path that is named; None for the version's own, or where a text is given. Raises NotFound."""
        if not body.path or body.text:
            return None
        name, number = numbered(body.path, "path", "careful@1")
        return self.gates.paths.show(caller, path=name, version=number)


def gates_of(standing: Standing, stage: GateStage) -> list[JudgedGate]:
    """The gates up to a stage, in the path's order."""
    counted = GATE_STAGES[: GATE_STAGES.index(stage) + 1]
    return [
        JudgedGate(g.stage, g.gate, g.check, g.mode, g.verdict, g.outcome.reason, g.stops)
        for each in standing.stages
        if each.stage in counted
        for g in each.gates
    ]
