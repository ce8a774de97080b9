"""in-toto Statements 1.0: a predicate said of subjects that are named by digest. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from taxiway.audit.leaves import spelt
from taxiway.kernel.canonical import canonical_json

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PROVENANCE = "https://slsa.dev/provenance/v1"
OWN = "https://taxiway.dev/"
CHECK_RESULT = f"{OWN}check-result/v1"
APPROVAL = f"{OWN}approval/v1"
WITHDRAWAL = f"{OWN}withdrawal/v1"
WAIVER = f"{OWN}waiver/v1"
WAIVER_REVOKED = f"{OWN}waiver-revoked/v1"
BROKEN_GLASS = f"{OWN}broken-glass/v1"
REVIEW = f"{OWN}review/v1"
CANARY = f"{OWN}canary/v1"
PROMOTION = f"{OWN}promotion/v1"
REPRODUCTION = f"{OWN}reproduction/v1"
DOSSIER = f"{OWN}dossier/v1"


class Subject(Struct, frozen=True):
    """What a statement is about: what it is called, and the digest that it is, `sha256:` and 64 digits."""

    name: str
    digest: str


class Resource(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """in-toto's ResourceDescriptor, as far as it is used here. digest: by algorithm, in hexadecimal digits."""

    name: str = ""
    uri: str = ""
    digest: dict[str, str] = {}


class Said(Struct, frozen=True, rename={"type_": "_type", "predicate_type": "predicateType"}):
    """A Statement as it travels."""

    type_: str
    subject: list[Resource]
    predicate_type: str
    predicate: dict[str, Any]


class NoStatement(ValueError):
    """What came as a Statement is none."""


def statement_bytes(subjects: Sequence[Subject], predicate_type: str, predicate: object) -> bytes:
    """The canonical JSON of a Statement. Numbers that JSON cannot say exactly, such as NaN, are spelt as texts."""
    said = Said(
        type_=STATEMENT,
        subject=[Resource(name=each.name, digest=hashed(each.digest)) for each in subjects],
        predicate_type=predicate_type,
        predicate=spelt(msgspec.to_builtins(predicate)),
    )
    return canonical_json(said)


def read_statement(payload: bytes) -> Said:
    """Raises NoStatement."""
    try:
        said = msgspec.json.decode(payload, type=Said)
    except msgspec.MsgspecError as e:
        raise NoStatement(f"its payload is no in-toto Statement ({e})") from e
    if said.type_ != STATEMENT:
        raise NoStatement(f"its payload is of type {said.type_!r}, not {STATEMENT}")
    return said


def subjects_of(said: Said) -> list[Subject]:
    """The subjects that are named by a SHA-256."""
    return [Subject(each.name, f"sha256:{each.digest['sha256']}") for each in said.subject if "sha256" in each.digest]


def hashed(digest: str) -> dict[str, str]:
    """A digest as in-toto writes it.

    >>> hashed("sha256:00ff")
    {'sha256': '00ff'}
    """
    algorithm, _, digits = digest.partition(":")
    return {algorithm: digits}


def kind_of(predicate_type: str) -> str:
    """What a statement of a type is, in a word or two; a type that nobody here makes is shown as it is.

    >>> kind_of("https://taxiway.dev/check-result/v1"), kind_of("https://slsa.dev/provenance/v1")
    ('check result', 'provenance')
    """
    known = {TEST_RESULT: "test result", PROVENANCE: "provenance"}
    if predicate_type.startswith(OWN):
        return predicate_type.removeprefix(OWN).partition("/")[0].replace("-", " ")
    return known.get(predicate_type, predicate_type)
