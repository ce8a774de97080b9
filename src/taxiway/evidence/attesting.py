"""Saying something that will be signed: any room does it within its change, as it announces and notes.

The signature is made as the change ends, in its transaction; so nothing is signed that did not happen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec import Struct

from taxiway.audit.service import Record
from taxiway.evidence.statement import Subject, statement_bytes
from taxiway.kernel.ids import new_id

NOTED = "statements"  # the fact of an audit entry that names the digests of what was said


class Claim(Struct, frozen=True):
    """What a change says and nobody has signed yet. digest: of the bytes that will be."""

    id: str
    thing: str
    subjects: list[Subject]
    predicate_type: str
    payload: bytes
    digest: str


def attest(record: Record, subjects: Sequence[Subject], predicate_type: str, predicate: object) -> Claim:
    """Has the platform sign, with this change, what a predicate says of these subjects.

    predicate: a struct, or plain values. The change's audit entry names the digest of what is signed.
    """
    made = claim(record, record.thing, subjects, predicate_type, predicate)
    record.facts.setdefault(NOTED, []).append(made.digest)
    return made


def attest_also(
    record: Record, thing: str, subjects: Sequence[Subject], predicate_type: str, predicate: object
) -> dict[str, list[str]]:
    """As `attest`, of another thing than the change's own: the facts that go into that thing's own entry."""
    return {NOTED: [claim(record, thing, subjects, predicate_type, predicate).digest]}


def claim(record: Record, thing: str, subjects: Sequence[Subject], predicate_type: str, predicate: object) -> Claim:
    payload = statement_bytes(subjects, predicate_type, predicate)
    digest = f"sha256:{hashlib.sha256(payload).hexdigest()}"
    made = Claim(new_id(), thing, list(subjects), predicate_type, payload, digest)
    record.claims.append(made)
    return made
