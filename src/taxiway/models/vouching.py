"""Commands that give a version's word to others: its dossier."""

from __future__ import annotations

import hashlib
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from taxiway.audit.held import read_heads
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
    shown = client.dossiers.show(name, held=held)
    client.dossiers.save(name, out, held=held)
    with out.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(str(out), f"sha256:{digest}", shown.key, [f"{each.part}: {each.why}" for each in shown.missing])


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
