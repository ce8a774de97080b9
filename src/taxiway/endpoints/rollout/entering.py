"""A split put in force within a change: kept with the endpoint, and entered among those that were."""

from __future__ import annotations

from msgspec.structs import replace

from taxiway.audit.service import Record
from taxiway.endpoints import store as endpoints
from taxiway.endpoints.rollout import store
from taxiway.endpoints.rollout.contract import SplitEntry
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.split import Split, whole
from taxiway.endpoints.store import Kept


def first(record: Record, endpoint: str, revision: int, reason: str) -> Rollout:
    """The rollout of a new endpoint."""
    split = whole(revision)
    store.add_split(record.connection, endpoint, SplitEntry(1, split, record.at, record.caller.name, reason))
    return Rollout(1, split, record.at)


def enter(record: Record, kept: Kept, split: Split, *, reason: str = "", cause: str = "") -> None:
    """Divides an endpoint's requests so from the commit on.

    cause: why a revision gave its traffic back. What it fell from is not kept warm; what somebody changed is.
    """
    now = kept.rollout
    before = None if cause else now.split
    rollout = replace(now, number=now.number + 1, split=split, before=before, changed_at=record.at)
    entry = SplitEntry(rollout.number, split, record.at, record.caller.name, reason, cause)
    store.add_split(record.connection, kept.name, entry)
    keep(record, kept, rollout)
    record.note(split=told(split), split_before=told(now.split))


def keep(record: Record, kept: Kept, rollout: Rollout) -> None:
    """Keeps an endpoint with another rollout, within a change."""
    changed = replace(
        kept, rollout=rollout, active=main(kept, rollout), changed_by=record.caller.name, changed_at=record.at
    )
    endpoints.change(record.connection, changed)


def main(kept: Kept, rollout: Rollout) -> int:
    """The revision with the largest share; where others have as much, the one that had it stays."""
    split = rollout.split
    return kept.active if split.percent(kept.active) == split.percent(split.main) else split.main


def told(split: Split) -> dict[str, object]:
    """A split as an audit entry has it."""
    shares: dict[str, object] = {f"revision {share.revision}": f"{share.percent:g} %" for share in split.shares}
    rules = [f"{rule.header}={rule.value}:{rule.revision}" for rule in split.rules]
    return shares | ({"sticky": split.sticky} if split.sticky else {}) | ({"rules": rules} if rules else {})
