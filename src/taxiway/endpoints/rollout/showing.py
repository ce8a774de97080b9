"""How traffic is divided now: what is declared, joined with what the gateway says."""

from __future__ import annotations

from pathlib import Path

from taxiway.endpoints.contract import EndpointRecord, Revision
from taxiway.endpoints.gateway.status import Copies, RevisionStatus
from taxiway.endpoints.rollout.contract import Fallback, ShadowFigures, SplitEntry, TrafficDetail
from taxiway.endpoints.rollout.declared import Shadow
from taxiway.endpoints.rollout.falls import Fall
from taxiway.endpoints.rollout.guard import interval
from taxiway.endpoints.rollout.split import Share
from taxiway.endpoints.steering.seen import Seen
from taxiway.endpoints.store import Kept


def detail_of(
    home: Path,
    record: EndpointRecord,
    kept: Kept,
    revisions: list[Revision],
    history: list[SplitEntry],
    fall: Fall | None,
) -> TrafficDetail:
    """An endpoint's traffic as one looks at it."""
    seen = Seen(home)
    told = {each.number: status for each in revisions if (status := seen.of(each)) is not None}
    by_number = {each.number: each for each in revisions}
    is_there = seen.status is not None
    return TrafficDetail(
        endpoint=record,
        number=kept.rollout.number,
        wanted=kept.rollout.split,
        now=shares_now(told) if is_there else [],
        warm=[number for number, status in sorted(told.items()) if status.is_warm and is_there],
        shadows=[figures(each, by_number[each.revision], told.get(each.revision)) for each in kept.rollout.shadows],
        guard=kept.rollout.guard,
        history=history,
        last_fall=Fallback(fall.revision, fall.at, fall.to, fall.cause, fall.log_tail) if fall else None,
    )


def shares_now(told: dict[int, RevisionStatus]) -> list[Share]:
    """The largest first."""
    found = [Share(number, status.percent) for number, status in told.items() if status.is_live]
    return sorted(found, key=lambda share: (-share.percent, share.revision))


def figures(shadow: Shadow, revision: Revision, status: RevisionStatus | None) -> ShadowFigures:
    copies = status.copies if status is not None and status.copies is not None else Copies()
    low, high = interval(copies.agreed, copies.compared)
    return ShadowFigures(shadow, revision, copies.compared, copies.agreed, low, high, copies.dropped, copies.failed)
