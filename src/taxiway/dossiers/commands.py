"""The CLI of dossiers, which stands among that of models."""

from __future__ import annotations

import hashlib
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from taxiway.audit.held import read_heads
from taxiway.evidence.dsse import Envelope, payload_of
from taxiway.evidence.statement import read_statement
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField

if TYPE_CHECKING:
    from taxiway.client import Client


class Written(Struct, frozen=True):
    """A dossier that was written. missing: what it could hold and does not, with why."""

    file: str
    digest: str
    key: str
    missing: list[str]


def dossier(client: Client, given: Namespace) -> Written:
    found = client.models.find(given.version)
    name = f"{found.model}@{found.version}"
    held = max(head.size for head in read_heads(Path(given.head).read_bytes(), given.head)) if given.head else None
    out = Path(given.out or f"{found.model}-{found.version}.dossier.zip")
    if out.exists():
        raise BadField(field="out", value=repr(str(out)), expected="a file that is not there yet")
    client.dossiers.save(name, out, held=held)
    with out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with zipfile.ZipFile(out) as archive:
        sealed = msgspec.json.decode(archive.read("manifest.json"), type=Envelope)
    missing = read_statement(payload_of(sealed)).predicate["missing"]
    said = [f"{each['part']}: {each['why']}" for each in missing]
    return Written(str(out), f"sha256:{digest}", sealed.signatures[0].keyid, said)


def tell_written(written: Written) -> str:
    lines = [written.file, written.digest, f"sealed by {written.key}", *(f"missing {each}" for each in written.missing)]
    return "\n".join(lines)


COMMANDS = (
    Command(
        "dossier",
        "write one file that proves why a version was let through, and verifies without Taxiway",
        dossier,
        (
            Argument("version", "MODEL@VERSION or MODEL@ALIAS; MODEL alone is the newest version"),
            Argument("--out", "the file to write; by default MODEL-VERSION.dossier.zip", default="", is_file=True),
            Argument("--head", "a head of the audit log kept in a file: the dossier leads to it", is_file=True),
        ),
        show=tell_written,
    ),
)
