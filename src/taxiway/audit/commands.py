"""The CLI of the audit log."""

from __future__ import annotations

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from taxiway.audit.contract import Entry, TreeHead, Verification, Witness
from taxiway.audit.exported import Exported, check_lines
from taxiway.audit.held import read_heads
from taxiway.kernel.commands import Argument, Command, count

if TYPE_CHECKING:
    from taxiway.client import Client


def list_(client: Client, given: Namespace) -> list[Entry]:
    return client.audit.entries(
        project=given.project,
        thing=given.thing,
        actor=given.actor,
        verb=given.verb,
        limit=given.limit,
        text=given.text,
        since=given.since,
        until=given.until,
    ).items


def day(text: str) -> datetime:
    """A day, from its beginning in UTC; argparse shows the complaint."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as e:
        raise ArgumentTypeError(f"{text!r} is no day such as 2027-01-31") from e
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def head(client: Client, given: Namespace) -> TreeHead:
    found = client.audit.head()
    if given.out:
        Path(given.out).write_bytes(msgspec.json.encode(found) + b"\n")
    return found


def progress(what: str) -> Callable[[int], None]:
    """Tells on one line of a terminal how far the work is; elsewhere nothing."""

    def tell(number: int) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number:,} {what}\033[K")
            sys.stderr.flush()

    return tell


def witnesses(client: Client, given: Namespace) -> list[Witness]:
    return client.audit.witnesses().items


def export(client: Client, given: Namespace) -> Exported:
    return client.audit.export(given.file, progress("entries"))


def verify(client: Client | None, given: Namespace) -> Verification:
    held = read_heads(Path(given.head).read_bytes(), given.head) if given.head else []
    if client is not None:
        return client.audit.verify(*held)
    with Path(given.log).open("rb") as lines:
        return check_lines(lines, held, progress("entries"))


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
            Argument("--text", "only what has this text anywhere, facts too", default=""),
            Argument("--since", "from this day on, such as 2027-01-31", day),
            Argument("--until", "before this day", day),
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
        "witnesses",
        "the places outside that keep heads, and how far each is",
        witnesses,
        columns=("url", "size", "kept_at", "problem"),
    ),
    Command(
        "export",
        "write the whole log to a file, which can be checked anywhere",
        export,
        (Argument("file", "the file to write", is_file=True),),
        show=lambda found: f"{found.entries:,} entries are in {found.file}, under the root {found.root}.",
    ),
    Command(
        "verify",
        "check every entry, hash and signature; exits 1 when something does not hold",
        verify,
        (
            Argument("--head", "a file of heads that were kept elsewhere: the log must contain them all", is_file=True),
            Argument("--log", "a file of `taxiway audit export`: check that, without a platform", is_file=True),
        ),
        is_offline=lambda given: bool(given.log),
        show=tell,
        exit_code=lambda found: 0 if found.is_intact else 1,
    ),
)
