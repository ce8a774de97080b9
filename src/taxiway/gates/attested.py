"""What gates have signed: results of checks, approvals, waivers, broken glass, reviews, and what was taken back."""

from __future__ import annotations

from typing import Any

import msgspec

from taxiway.audit.service import Record
from taxiway.evidence.attesting import attest
from taxiway.evidence.statement import (
    APPROVAL,
    BROKEN_GLASS,
    CHECK_RESULT,
    REVIEW,
    TEST_RESULT,
    WAIVER,
    WAIVER_REVOKED,
    WITHDRAWAL,
    Resource,
    Subject,
    hashed,
)
from taxiway.gates.contract import Approval, Evidence, GateSpec
from taxiway.gates.exceptions.contract import Waiver
from taxiway.gates.exceptions.passed import BrokenGlass
from taxiway.gates.reviews.contract import Review
from taxiway.models.contract import ModelVersion

DRAWN = ("curve", "drawings", "bins")  # kept with the evidence, too long to be said twice


def subject_of(version: ModelVersion) -> Subject:
    """A version as a statement names it: by its bundle."""
    return Subject(version.ref, version.bundle)


def attest_evidence(record: Record, version: ModelVersion, spec: GateSpec, evidence: Evidence) -> None:
    """Says the result of a check twice: as other people's programs read test results, and with its numbers."""
    attest(record, [subject_of(version)], TEST_RESULT, test_result(spec, evidence))
    attest(record, [subject_of(version)], CHECK_RESULT, check_result(evidence))


def test_result(spec: GateSpec, evidence: Evidence) -> dict[str, Any]:
    """A check as in-toto's test result, which knows *passed with warnings* and no *inconclusive*.

    What has not been passed, whatever the verdict, is a failure, and a warning only where the path does not count it.
    """
    name, found = f"{evidence.stage}/{evidence.gate}", evidence.outcome
    is_clean = found.verdict == "pass" and not found.warnings
    result = "PASSED" if is_clean else "WARNED" if found.verdict == "pass" or spec.mode != "block" else "FAILED"
    rests_on = {evidence.path: evidence.path_digest, **evidence.inputs}
    tests = {kind: [name] if result == kind.upper() else [] for kind in ("passed", "warned", "failed")}
    return {
        "result": result,
        "configuration": [
            msgspec.to_builtins(Resource(name=what, digest=hashed(digest)))
            for what, digest in rests_on.items()
            if digest
        ],
        "url": f"taxiway:/gates/models/{evidence.model}/versions/{evidence.version}/evidence/{evidence.id}",
        **{f"{kind}Tests": names for kind, names in tests.items()},
    }


def check_result(evidence: Evidence) -> dict[str, Any]:
    """The evidence as it is kept, without its drawings."""
    said: dict[str, Any] = msgspec.to_builtins(evidence)
    said["outcome"] = {name: value for name, value in said["outcome"].items() if name not in DRAWN}
    return said


def attest_approval(record: Record, version: ModelVersion, approval: Approval) -> None:
    """Says who approved what, with all digests that it was given to."""
    said: dict[str, Any] = msgspec.to_builtins(approval)
    fields = {name: value for name, value in said.items() if not name.startswith(("withdrawn_", "void_"))}
    attest(record, [subject_of(version)], APPROVAL, fields)


def attest_withdrawal(record: Record, version: ModelVersion, approval: Approval, because: str) -> None:
    """Says that an approval does not count from now on."""
    said = {"approval": approval.id, "stage": approval.stage, "by": approval.by, "reason": because, "at": record.at}
    attest(record, [subject_of(version)], WITHDRAWAL, said)


def attest_waiver(record: Record, version: ModelVersion, waiver: Waiver) -> None:
    """Says who answers for a gate that is not open, why, until when, and for which digests."""
    said: dict[str, Any] = msgspec.to_builtins(waiver)
    fields = {name: value for name, value in said.items() if not name.startswith(("revoked_", "void_"))}
    attest(record, [subject_of(version)], WAIVER, fields)


def attest_revoked(record: Record, version: ModelVersion, waiver: Waiver) -> None:
    """Says that a waiver does not count from now on."""
    why = {"reason": waiver.revoked_because, "by": waiver.revoked_by, "at": waiver.revoked_at}
    attest(record, [subject_of(version)], WAIVER_REVOKED, {"waiver": waiver.id, "gate": waiver.gate, **why})


def attest_broken_glass(record: Record, version: ModelVersion, glass: BrokenGlass) -> None:
    """Says who moved a version past which closed gates, and why."""
    attest(record, [subject_of(version)], BROKEN_GLASS, glass)


def attest_review(record: Record, version: ModelVersion, review: Review) -> None:
    """Says who looked at a version in use again, what they found, and until when it may stay."""
    attest(record, [subject_of(version)], REVIEW, review)
