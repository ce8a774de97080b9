"""The CLI of the audit log."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taxiway.audit.contract import Entry, TreeHead, Verification
from taxiway.audit.held import read_heads
from taxiway.kernel.commands import Argument, Command, count

if TYPE_CHECKING:
    from taxiway.client import Client


def list_(client: Client, given: Namespace) -> list[Entry]:
    return client.audit.entries(
        project=given.project, thing=given.thing, actor=given.actor, verb=given.verb, limit=given.limit
    ).items


def head(client: Client, given: Namespace) -> TreeHead:
    found = client.audit.head()
    if given.out:
        Path(given.out).write_bytes(msgspec.json.encode(found) + b"\n")
    return found


def verify(client: Client, given: Namespace) -> Verification:
    return client.audit.verify(*(read_heads(Path(given.head).read_bytes(), given.head) if given.head else ()))


def tell(found: Verification) -> str:
    if found.is_intact:
        entries = "1 entry" if found.entries == 1 else f"{found.entries:,} entries"
        heads = "1 signed head" if found.heads == 1 else f"{found.heads:,} signed heads"
        return f"The log holds: {entries}, {heads}, every hash and signature right."
    return f"The log does not hold: {found.problem}."


COMMANDS = (
    Command(
        "list",
        "what was changed, newest first",
        list_,
        (
            Argument("--project", "only of this project"),
            Argument("--thing", "only of this thing, such as model:mortgage@1"),
            Argument("--actor", "only by this person"),
            Argument("--verb", "only this kind of change, such as models.promote"),
            Argument("--limit", "how many at most", count, 50),
        ),
        ("seq", "at", "actor", "verb", "thing", "door"),
    ),
    Command(
        "head",
        "the newest signed head, to keep elsewhere",
        head,
        (Argument("--out", "also write it to this file", is_file=True),),
    ),
    Command(
        "verify",
        "check every entry, hash and signature; exits 1 when something does not hold",
        verify,
        (Argument("--head", "a file of heads that were kept elsewhere: the log must contain them all", is_file=True),),
        show=tell,
        exit_code=lambda found: 0 if found.is_intact else 1,
    ),
)
