"""Keeping how a canary ended, and asking what a path's gate of that name wants of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from taxiway.audit.service import Record
from taxiway.evidence.attesting import attest
from taxiway.evidence.statement import CANARY
from taxiway.gates.attested import subject_of
from taxiway.gates.canaries import store
from taxiway.gates.canaries.contract import CanaryEvidence
from taxiway.gates.contract import GateStage
from taxiway.gates.paths.policy import parameters_of
from taxiway.gates.refusals import GateClosed
from taxiway.gates.standing.closing import gates_up_to, unmet_of
from taxiway.gates.standing.look import Look
from taxiway.models.contract import ModelVersion

if TYPE_CHECKING:
    from taxiway.gates.service import Gates

NAME = "canary"


def record_canary(record: Record, version: ModelVersion, evidence: CanaryEvidence) -> None:
    """Keeps and signs, within a change, how a canary of the version ended."""
    store.add(record.connection, evidence)
    attest(record, [subject_of(version)], CANARY, evidence)


def asked_of(gates: Gates, connection: Connection, version: ModelVersion, stage: GateStage) -> list[Any]:
    """The parameters of the gates named canary that stand before a stage on the version's path."""
    path = gates.sources.path(connection, version)
    specs = [spec for each in path.stages if each.stage == stage for spec in each.gates if spec.check == NAME]
    return [parameters_of(spec) for spec in specs]


def require_open_but_canary(gates: Gates, record: Record, version: ModelVersion, stage: GateStage) -> None:
    """Raises GateClosed unless every gate up to a stage is open, but for those that a canary will answer."""
    standing = Look(gates.sources, record.connection, version, record.at).standing()
    unmet = [unmet_of(gate) for gate in gates_up_to(standing, stage) if gate.stops and gate.check != NAME]
    unmet += gates.reviews.unmet(record, version)
    if unmet:
        raise GateClosed(model=version.model, version=version.version, stage=stage, unmet=unmet)
    record.note(path=standing.path, evidence=[g.evidence for s in standing.stages for g in s.gates if g.evidence])
