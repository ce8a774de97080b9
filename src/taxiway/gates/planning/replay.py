"""One version as a new path would see it: with the evidence there is, and the approvals as they were given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from taxiway.gates.approving.authorship import approvals_asked, voice_of
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import (
    Approval,
    Digests,
    Evidence,
    GateStage,
    GateStanding,
    Outcome,
    PathStage,
    PathVersion,
)
from taxiway.gates.laws.quorum import lacking
from taxiway.gates.planning.contract import Effect, PlannedGate
from taxiway.gates.standing.look import Asked, Look, Sources
from taxiway.models.contract import ModelVersion

Answer = Callable[[Asked], Outcome | None]
UNWRITTEN = "unwritten"
OF_THE_PATH = ("path", "evidence")  # what another path changes, without anything being wrong with the approval


class Replay(Look):
    """A look through another path. An approval counts as it was given: publishing the path would void it (told apart).

    at: of a past movement, when it was made: approvals that were given later are left out, and none has expired since.
    """

    def __init__(
        self, sources: Sources, connection: Connection, version: ModelVersion, at: datetime, path: PathVersion
    ) -> None:
        super().__init__(sources, connection, version, at, path)
        self.given = [each for each in self.given if each.at <= at]

    def changed(self, approval: Approval, now: Digests) -> list[str]:
        return [name for name in super().changed(approval, now) if name not in OF_THE_PATH]

    def answer(self, ask: Answer) -> None:
        """Has the checks asked that have no evidence; what they say is kept here alone."""
        for asked in self.unanswered():
            if (outcome := ask(asked)) is not None:
                self.evidence[asked.key] = self._unwritten(asked, outcome)

    def _unwritten(self, asked: Asked, outcome: Outcome) -> Evidence:
        """Evidence that stands in this look alone: by nobody, so that it makes no author."""
        return Evidence(
            id=UNWRITTEN,
            key=asked.key,
            model=self.version.model,
            version=self.version.version,
            stage=asked.stage,
            gate=asked.spec.name,
            check=asked.spec.check,
            parameters=asked.spec.parameters,
            path=self.path.ref,
            path_digest=self.path.digest,
            inputs=asked.inputs,
            outcome=outcome,
            tools={},
            author="",
            at=self.at,
        )

    def nobody(self, upto: GateStage) -> list[GateStage]:
        """The stages up to one whose approvals nobody could give, by who holds the roles and has no part in it."""
        found = []
        for stage in self.path.stages:
            if any(self._lacks_people(stage)):
                found.append(stage.stage)
            if stage.stage == upto:
                break
        return found

    def _lacks_people(self, stage: PathStage) -> list[bool]:
        counting = [each for each in self.approvals(stage.stage) if each.counts]
        able = [] if self.authorship.unknown else [way for way in self.authorship.ways(stage) if not way.why_not]
        voices = [*map(voice_of, counting), *(way.voice for way in able)]
        asked = [spec for spec in stage.gates if spec.check == "approvals" and spec.mode == "block"]
        return [bool(lacking(approvals_asked(spec).seats, voices)) for spec in asked]


def effect_of(closed: list[PlannedGate], *, was_open: bool) -> Effect:
    """What becomes of a version: only what was measured stops it for sure, and only what lets it pass today."""
    if not closed:
        return "same" if was_open else "opened"
    newly = closed if was_open else [gate for gate in closed if gate.before in ("", "pass", "waived")]
    if not newly:
        return "same"
    return "unknown" if all(gate.is_unasked for gate in newly) else "stopped"


def effect_of_refused(closed: list[PlannedGate], *, is_open: bool) -> Effect:
    """What becomes of a version that was refused: what another path alone would let pass, or may once it is asked.

    is_open: today's path would let it pass by now.
    """
    if is_open:
        return "same"
    if not closed:
        return "opened"
    asks_anew = all(gate.is_unasked for gate in closed) and any(gate.before != gate.verdict for gate in closed)
    return "unknown" if asks_anew else "same"


def planned(gate: GateStanding, before: dict[tuple[GateStage, str], GateStanding]) -> PlannedGate:
    """before: today's gates by stage and name."""
    known = before.get((gate.stage, gate.gate))
    return PlannedGate(
        stage=gate.stage,
        gate=gate.gate,
        mode=gate.mode,
        verdict=gate.verdict,
        sentence=gate.outcome.reason,
        before=known.verdict if known else "",
        is_unasked=not (gate.evidence or CHECKS[gate.check].is_live),
    )
