"""The CLI of evidence."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taxiway.evidence.contract import EnvelopeVerdict, PublicKey, Shown, Statement
from taxiway.evidence.dsse import Envelope
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import decode

if TYPE_CHECKING:
    from taxiway.client import Client

WHY = Argument("--reason", "why; it stands in the audit log", default="")


def list_(client: Client, given: Namespace) -> list[Statement]:
    asked = {"subject": given.subject, "thing": given.thing, "predicate_type": given.type}
    return client.evidence.list(**asked, limit=given.limit).items


def show(client: Client, given: Namespace) -> Shown:
    found = client.evidence.show(given.statement)
    if given.out:
        Path(given.out).write_bytes(msgspec.json.encode(found.envelope) + b"\n")
    return found


def verify(client: Client, given: Namespace) -> EnvelopeVerdict:
    file = Path(given.what)
    envelope = read_envelope(file) if file.exists() else client.evidence.show(given.what).envelope
    return client.evidence.verify(envelope)


def read_envelope(file: Path) -> Envelope:
    """An envelope from a file. Raises BadField, OSError."""
    try:
        return decode(file.read_bytes(), Envelope)
    except BadField as e:
        expected = "a DSSE envelope as `taxiway evidence show ID --out FILE` writes it"
        raise BadField(field="what", value=repr(str(file)), expected=expected) from e


def tell(found: EnvelopeVerdict) -> str:
    if not found.holds:
        return f"It does not hold: {found.problem}."
    about = ", ".join(f"{each.name} {each.digest}" for each in found.subjects)
    marked = f"\nNote: {found.problem}." if found.problem else ""
    return f"It holds: {found.predicate_type}\nabout {about}\nsigned by {found.key}{marked}"


def keys(client: Client, given: Namespace) -> list[PublicKey]:
    found = client.evidence.keys()
    if given.out:
        Path(given.out).write_text("".join(key.public for key in found))
    return found


def rotate(client: Client, given: Namespace) -> PublicKey:
    return client.evidence.rotate(given.reason)


def revoke(client: Client, given: Namespace) -> PublicKey:
    return client.evidence.revoke(given.key, given.reason, at=given.at)


def moment(text: str) -> datetime:
    """A time in ISO 8601, UTC where it says no zone; argparse shows the complaint."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as e:
        raise ArgumentTypeError(f"{text!r} is no time such as 2026-11-23T14:00") from e
    return read if read.tzinfo else read.replace(tzinfo=UTC)


COMMANDS = (
    Command(
        "list",
        "signed statements, newest first",
        list_,
        (
            Argument("--subject", "only about this digest, such as a bundle's", default=""),
            Argument("--thing", "only about this thing, such as model:mortgage@1", default=""),
            Argument("--type", "only of this predicate type", default=""),
            Argument("--limit", "how many at most", count, 50),
        ),
        ("id", "at", "predicate_type", "thing", "by", "trust"),
    ),
    Command(
        "show",
        "what a statement says, with its envelope",
        show,
        (
            Argument("statement", "the statement's id"),
            Argument("--out", "also write the envelope to this file", is_file=True),
        ),
    ),
    Command(
        "verify",
        "check the signature of a statement, or of an envelope in a file; exits 1 when it does not hold",
        verify,
        (Argument("what", "the statement's id, or a file with an envelope", is_file=True),),
        show=tell,
        exit_code=lambda found: 0 if found.holds else 1,
    ),
    Command(
        "keys",
        "the public keys that statements are signed with, newest first",
        keys,
        (Argument("--out", "also write them to this file, as PEM", is_file=True),),
        ("id", "state", "made_at", "retired_at", "revoked_at", "because"),
    ),
    Command("rotate", "let a new key sign from now on", rotate, (WHY,)),
    Command(
        "revoke",
        "say that a key is not to be believed any more",
        revoke,
        (
            Argument("key", "the key's id"),
            WHY,
            Argument("--at", "since when, such as 2026-11-23T14:00; by default now", moment),
        ),
    ),
)
