"""Asking the checks: measured outside of any change, recorded in one, and never twice for the same things."""

from __future__ import annotations

import platform

import numpy as np
import pyarrow as pa

from taxiway.audit.service import Ledger, Record
from taxiway.gates import store
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import Evaluate, Evidence, Outcome, Standing
from taxiway.gates.paths import pin
from taxiway.gates.policy import parameters_of
from taxiway.gates.standing import Asked, Look, Sources
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.ids import new_id
from taxiway.kernel.version import VERSION
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_bundle, require_version
from taxiway.storage.blobs import DigestMismatch
from taxiway.storage.database import Database


class Evaluations:
    """Evidence: made by checks, kept for ever, found again by the digests that it rests on."""

    def __init__(self, database: Database, ledger: Ledger, sources: Sources, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.sources = sources
        self.clock = clock

    def evaluate(self, caller: Caller, body: Evaluate, *, model: str, version: str) -> Standing:
        """Asks every check of the path that has no evidence for what stands now; what has some keeps it.

        Who asks becomes an author of the evidence, and may not approve on it. Raises DigestMismatch.
        """
        found = self.sources.models.find(model, version)
        require_bundle(found, "be evaluated")
        with self.database.read() as connection:
            look = Look(self.sources, connection, found, self.clock())
            try:
                answers = ask_checks(look)
            except DigestMismatch as refusal:
                self.ledger.refused(caller, "gates.evaluate", found.ref, refusal, project=found.project)
                raise
            if not answers:
                return look.standing()

        def make(record: Record) -> Standing:
            here = require_version(record, model, found.version)
            pin(record, self.sources.path(record.connection, here))
            look = Look(self.sources, record.connection, here, record.at)
            still = {each.key for each in look.unanswered()}
            for asked, outcome in answers:
                if asked.key in still:  # else somebody was faster, or what it rests on has changed meanwhile
                    evidence = self._evidence(record, here, look, asked, outcome)
                    store.add_evidence(record.connection, evidence)
                    record.note(**{asked.spec.name: {"verdict": outcome.verdict, "evidence": evidence.id}})
            record.note(path=look.path.ref)
            return Look(self.sources, record.connection, here, record.at).standing()

        return self.ledger.change(caller, "gates.evaluate", found.ref, make, answer=Standing, project=found.project)

    def evidence(self, caller: Caller, *, model: str, version: str) -> Page[Evidence]:
        """All that there ever was for a version, newest first; also what is not looked at any more."""
        found = self.sources.models.find(model, version)
        with self.database.read() as connection:
            return Page(store.evidence_of(connection, found.model, found.version))

    def _evidence(self, record: Record, version: ModelVersion, look: Look, asked: Asked, outcome: Outcome) -> Evidence:
        return Evidence(
            id=new_id(),
            key=asked.key,
            model=version.model,
            version=version.version,
            stage=asked.stage,
            gate=asked.spec.name,
            check=asked.spec.check,
            parameters=asked.spec.parameters,
            path=look.path.ref,
            path_digest=look.path.digest,
            inputs=asked.inputs,
            outcome=outcome,
            tools=tools(),
            author=record.caller.name,
            at=record.at,
        )


def ask_checks(look: Look) -> list[tuple[Asked, Outcome]]:
    """What every check says that has no evidence yet. Raises DigestMismatch for predictions that were changed."""
    case = look.case()
    return [(each, CHECKS[each.spec.check].ask(parameters_of(each.spec), case)) for each in look.unanswered()]


def tools() -> dict[str, str]:
    """The versions of what measures."""
    return {
        "taxiway": VERSION,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "pyarrow": pa.__version__,
    }
