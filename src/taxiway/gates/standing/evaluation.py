"""Asking the checks: measured outside of any change, recorded in one, and never twice for the same things."""

from __future__ import annotations

from contextlib import suppress

from msgspec import Struct

from taxiway.audit.service import Ledger, Record
from taxiway.gates import store
from taxiway.gates.approving.ways import require_not_barring
from taxiway.gates.attested import attest_evidence
from taxiway.gates.checks.register import CHECKS
from taxiway.gates.contract import Evaluate, Evidence, Outcome, Standing
from taxiway.gates.paths.service import pin
from taxiway.gates.standing.look import Asked, Look, Sources
from taxiway.gates.working import wire
from taxiway.gates.working.packing import pack
from taxiway.gates.working.pool import WORKERS, Workers
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import TaxiwayError, revive
from taxiway.kernel.ids import new_id
from taxiway.models.bundles.bundle import BundleTampered
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_bundle, require_version
from taxiway.storage.blobs import DigestMismatch
from taxiway.storage.database import Database

TAMPERED: dict[str, type[TaxiwayError]] = {each.__name__: each for each in (DigestMismatch, BundleTampered)}


class Answer(Struct, frozen=True):
    """What a worker said to a gate's question, and with which tools."""

    asked: Asked
    outcome: Outcome
    tools: dict[str, str]


class Evaluations:
    """Evidence: made by checks, kept for ever, found again by the digests that it rests on."""

    def __init__(self, database: Database, ledger: Ledger, sources: Sources, clock: Clock) -> None:
        self.database = database
        self.ledger = ledger
        self.sources = sources
        self.clock = clock
        self.workers: Workers = WORKERS

    def evaluate(self, caller: Caller, body: Evaluate, *, model: str, version: str) -> Standing:
        """Asks every check of the path that has no evidence for what stands now; what has some keeps it.

        Who asks becomes an author of the evidence, and may not approve on it; so who could is asked first whether they
        mean to (BarsYourself). A check that could not be asked leaves
        no evidence, only why, and is asked again the next time. Raises BundleTampered, DigestMismatch, WorkersGone.
        """
        found = self.sources.models.find(model, version)
        require_bundle(found, "be evaluated")
        with self.database.read() as connection:
            look = Look(self.sources, connection, found, self.clock())
            jobs = [
                (each, pack(self.sources.models, connection, found, each.spec, CHECKS[each.spec.check]))
                for each in look.unanswered()
            ]
            if not jobs:
                return look.standing()
            require_not_barring(look, caller, "ran its checks", anyway=body.anyway)
        try:
            answers = [self.ask(asked, job) for asked, job in jobs]
        except (DigestMismatch, BundleTampered) as refusal:
            self.ledger.refused(caller, "gates.evaluate", found.ref, refusal, project=found.project)
            raise

        def make(record: Record) -> Standing:
            here = require_version(record, model, found.version)
            pin(record, self.sources.path(record.connection, here))
            look = Look(self.sources, record.connection, here, record.at)
            still = {each.key for each in look.unanswered()}
            for answer in answers:
                if answer.asked.key in still:  # else somebody was faster, or what it rests on has changed meanwhile
                    evidence = self._evidence(record, here, look, answer)
                    store.add_evidence(record.connection, evidence)
                    attest_evidence(record, here, answer.asked.spec, evidence)
                    noted = {"verdict": evidence.outcome.verdict, "evidence": evidence.id}
                    record.note(**{answer.asked.spec.name: noted})
            record.note(path=look.path.ref)
            return Look(self.sources, record.connection, here, record.at).standing()

        return self.ledger.change(caller, "gates.evaluate", found.ref, make, answer=Standing, project=found.project)

    def evidence(self, caller: Caller, *, model: str, version: str) -> Page[Evidence]:
        """All that there ever was for a version, newest first; also what is not looked at any more."""
        found = self.sources.models.find(model, version)
        with self.database.read() as connection:
            return Page(store.evidence_of(connection, found.model, found.version))

    def ask(self, asked: Asked, job: wire.Job) -> Answer:
        """Has a worker answer a gate's question. Raises BundleTampered, DigestMismatch, WorkersGone."""
        found = self.workers.ask(job)
        if isinstance(found, wire.Answered):
            return Answer(asked, found.outcome, found.tools)
        if found.error in TAMPERED:
            with suppress(KeyError, TypeError, ValueError):  # a model's code may have written it: then it is no refusal
                raise revive(found.error, found.facts)
        reason = found.reason if found.error else f"The check {asked.spec.check} gave no answer: {found.reason}."
        advice = (
            "Mend that and evaluate again." if found.error else "Evaluate again; its author can look at the reason."
        )
        return Answer(asked, Outcome("missing", reason, advice, is_broken=True), {})

    def _evidence(self, record: Record, version: ModelVersion, look: Look, answer: Answer) -> Evidence:
        asked, id_ = answer.asked, new_id()
        return Evidence(
            id=id_,
            key=f"{asked.key}{store.ATTEMPT}{id_[-8:]}" if answer.outcome.is_broken else asked.key,
            model=version.model,
            version=version.version,
            stage=asked.stage,
            gate=asked.spec.name,
            check=asked.spec.check,
            parameters=asked.spec.parameters,
            path=look.path.ref,
            path_digest=look.path.digest,
            inputs=asked.inputs,
            outcome=answer.outcome,
            tools=answer.tools,
            author=record.caller.name,
            at=record.at,
        )
