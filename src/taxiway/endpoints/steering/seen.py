"""What is stored of endpoints joined with what the gateway says of them now."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from taxiway.endpoints.contract import EndpointRecord, EndpointState, Revision, RevisionState
from taxiway.endpoints.gateway.address import Address, read_address
from taxiway.endpoints.gateway.status import RevisionStatus, State, read_status
from taxiway.endpoints.steering.counters import Counters, counted
from taxiway.endpoints.store import Kept

LATELY = timedelta(minutes=5)  # what requests per second are counted over

# A revision that should answer, by what the gateway makes of it.
STATES: dict[State, RevisionState] = {
    "starting": "starting",
    "ready": "starting",  # it takes over within the moment, and is live then
    "restarting": "restarting",
    "failing": "failing",
    "refused": "refused",
    "draining": "starting",
    "stopped": "starting",
}


class Seen:
    """One look at the home's gateway; `address` is None where none runs."""

    def __init__(self, home: Path) -> None:
        address = read_address(home)
        self.address: Address | None = address if address is not None and address.is_alive() else None
        status = read_status(home)
        self.status = status if self.address is not None and status and status.pid == self.address.pid else None
        self.known = {(r.endpoint, r.number, r.bundle_digest): r for r in (status.revisions if status else [])}

    def of(self, revision: Revision) -> RevisionStatus | None:
        """What the gateway said of a revision last; its counters hold even when it is gone."""
        return self.known.get((revision.endpoint, revision.number, revision.bundle))

    def revision(self, revision: Revision, kept: Kept, counters: tuple[Counters, Counters] | None = None) -> Revision:
        """The revision with its state now, and with what was counted since the last sample."""
        status = self.of(revision)
        percent = kept.rollout.split.percent(revision.number)
        found = replace(revision, state=self._state(revision, kept, status), percent=percent)
        if status is None:
            return found
        total = counters[0].plus(counted(status).since(counters[1])) if counters else None
        if total is not None:
            counts = {"requests": total.requests, "errors": total.errors, "refused": total.refused}
            found = replace(found, **counts, abandoned=total.abandoned)
            found = replace(found, rows=total.rows, cpu_s=total.cpu_s)
        reason = found.reason or (status.reason if found.state != "live" else "")
        confinement = str(status.confinement) if status.confinement is not None and status.pids else ""
        runs = status.runs if status.pids else ""
        found = replace(found, reason=reason, log_tail=status.log_tail, confinement=confinement, runs=runs)
        found = replace(found, streams=status.streams)
        if status.p99_ms is None:  # a gateway that began anew; what is kept of the one before still holds
            return found
        return replace(found, p50_ms=status.p50_ms, p99_ms=status.p99_ms)

    def _state(self, revision: Revision, kept: Kept, status: RevisionStatus | None) -> RevisionState:
        is_shadow = any(each.revision == revision.number for each in kept.rollout.shadows)
        answers = revision.number in kept.rollout.split.revisions
        if not answers and not is_shadow:
            is_warm = self.status is not None and status is not None and status.is_warm
            return "warm" if is_warm and revision.state == "retired" else revision.state
        if kept.is_stopped:
            return "stopped"
        if self.status is None:
            return "waiting"
        if not answers and status is not None and status.state == "ready":
            return "shadow"
        if status is None:
            return "starting"
        return "live" if status.is_live and status.state == "ready" else STATES[status.state]

    def answering(self, endpoint: str) -> int | None:
        """The number of the revision that answers most for an endpoint now."""
        live = [
            r
            for r in (self.status.revisions if self.status else [])
            if r.endpoint == endpoint and r.is_live and r.state in ("ready", "restarting")
        ]
        return max(live, key=lambda each: each.percent).number if live else None

    def record(self, kept: Kept, active: Revision, lately: int) -> EndpointRecord:
        """An endpoint as it is now. active: already joined; lately: requests within `LATELY`."""
        answering = None if kept.is_stopped else self.answering(kept.name)
        return EndpointRecord(
            name=kept.name,
            project=kept.project,
            serves=kept.serves,
            state=state_of(active.state, is_answered=answering is not None),
            reason=kept.reason if kept.is_stopped else active.reason,
            active=kept.active,
            answering=answering,
            model=active.model,
            version=active.version,
            requests=active.requests,
            errors=active.errors,
            refused=active.refused,
            abandoned=active.abandoned,
            requests_per_s=lately / LATELY.total_seconds(),
            p50_ms=active.p50_ms,
            p99_ms=active.p99_ms,
            created_by=kept.created_by,
            created_at=kept.created_at,
            changed_by=kept.changed_by,
            changed_at=kept.changed_at,
            stopped_by=kept.stopped_by if kept.is_stopped else "",
            stopped_at=kept.stopped_at if kept.is_stopped else None,
            fallback=kept.fallback,
            split=list(kept.rollout.split.shares),
        )


def state_of(active: RevisionState, *, is_answered: bool) -> EndpointState:
    """How an endpoint is: while a revision starts or fails, the one before may answer."""
    match active:
        case "live":
            return "answering"
        case "stopped" | "waiting":
            return active
        case "retired":
            return "waiting"
        case "shadow" | "warm" | "fallen":
            return "answering" if is_answered else "starting"
        case _:
            return "answering" if is_answered else active


def elsewhere(record: EndpointRecord, url: str) -> EndpointRecord:
    """An endpoint that is served by others: whether it answers nobody here can see."""
    if record.state == "stopped":
        return replace(record, is_external=True, url=url)
    return replace(record, is_external=True, url=url, state="elsewhere", reason="", answering=record.active)


def stands_elsewhere(revision: Revision, kept: Kept) -> Revision:
    """A revision of such an endpoint."""
    if revision.number != kept.active:
        return replace(revision, state="retired", percent=0.0)
    return revision if kept.is_stopped else replace(revision, state="elsewhere", reason="")
