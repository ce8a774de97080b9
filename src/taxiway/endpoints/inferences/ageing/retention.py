"""Which files of a log are older than its policy keeps them. Nothing is removed here but what the caller recorded."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from taxiway.endpoints.inferences.ageing.chain import Link, append, read_chain
from taxiway.endpoints.inferences.policy import LogPolicy


class Expired(Struct, frozen=True):
    """Files that may go: every record of theirs is older than `before`, and no monitor still waits for one."""

    before: datetime
    files: list[Link]

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.files)


def expired(
    home: Path, endpoint: str, policy: LogPolicy, now: datetime, needed_since: datetime | None
) -> Expired | None:
    """What may be removed now; None where that is nothing.

    needed_since: what happened from then on is still to be measured by a monitor. A legal hold keeps everything.
    Raises ChainBroken.
    """
    if policy.keep_days is None or policy.hold:
        return None
    before = now - timedelta(days=policy.keep_days)
    folder = home / "inferences" / endpoint
    links, _ = read_chain(folder)
    files = [each for each in {link.file: link for link in links}.values() if (folder / each.file).exists()]
    old = [
        each
        for each in files
        if each.last_at is None
        or (each.last_at < before and (needed_since is None or (each.last_event_at or each.last_at) < needed_since))
    ]
    return Expired(before, old) if old else None


def remove(home: Path, endpoint: str, found: Expired, at: datetime) -> None:
    """Takes the files away, with a link for each. A killed server leaves files that the next round removes."""
    folder = home / "inferences" / endpoint
    append(folder, [replace(each, act="removed", at=at) for each in found.files])
    for each in found.files:
        (folder / each.file).unlink(missing_ok=True)
