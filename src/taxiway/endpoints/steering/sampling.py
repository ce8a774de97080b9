"""What the gateway counts, brought into the database: requests, errors, percentiles, and processor seconds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from taxiway.audit.service import Ledger, Record
from taxiway.endpoints import store
from taxiway.endpoints.contract import Revision
from taxiway.endpoints.gateway.status import GatewayStatus, RevisionStatus, read_status
from taxiway.endpoints.rollout import store as rollout_store
from taxiway.endpoints.rollout.falls import Fall, read_falls
from taxiway.endpoints.rollout.service import Traffic
from taxiway.endpoints.service import Endpoints
from taxiway.endpoints.steering.counters import Counters, counted
from taxiway.endpoints.steering.seen import Seen
from taxiway.kernel.caller import SYSTEM
from taxiway.projects.service import enter_stage
from taxiway.storage.writes import Change


class Sampler:
    """Takes over what the gateway counted, and notes what became of new revisions."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.traffic = Traffic(endpoints)
        self.ledger: Ledger = endpoints.ledger

    def sample(self) -> None:
        """Adds what was counted since the last sample. It is no change of anybody's, so it leaves no audit entry."""
        status = read_status(self.endpoints.home)
        if status is None:
            return
        with self.endpoints.database.read() as connection:
            is_news = bool(grown(connection, status))
        if is_news:
            self.ledger.writer.write(lambda change: keep(change, status))

    def note_arrivals(self) -> None:
        """Enters which revisions answer for the first time, and which the gateway did not take."""
        seen = Seen(self.endpoints.home)
        with self.endpoints.database.read() as connection:
            running = store.running_revisions(connection, self.ledger.writer.clock())
        for revision in running:
            found = seen.of(revision)
            if found is None or revision.state in ("refused", "fallen"):
                continue
            answering = seen.answering(revision.endpoint)
            if found.is_live and found.state == "ready" and revision.live_at is None:
                self._arrived(revision)
            elif found.state in ("refused", "failing") and answering not in (None, revision.number):
                self.endpoints.go_back(SYSTEM, revision, to=answering or 0, reason=found.reason)

    def note_falls(self) -> None:
        """Enters which revisions the gateway took the traffic from by itself."""
        falls = read_falls(self.endpoints.home)
        with self.endpoints.database.read() as connection:
            new = [fall for fall in falls if is_ours(connection, fall) and not rollout_store.has_fall(connection, fall)]
        for fall in new:
            self.traffic.enter_fall(fall)

    def _arrived(self, revision: Revision) -> None:
        project = self.endpoints.project_of(revision.endpoint)

        def make(record: Record) -> bool:
            store.mark(record.connection, revision, live_at=record.at)
            enter_stage(record, project, "production", because=revision.ref)
            record.note(version=revision.version_ref, bundle=revision.bundle)
            return True

        self.ledger.change(SYSTEM, "endpoints.go_live", revision.ref, make, answer=bool, project=project)


def is_ours(connection: Connection, fall: Fall) -> bool:
    """Whether the endpoint is there; a home may have been put back from a copy."""
    return store.find_revision(connection, fall.endpoint, fall.revision) is not None


Grown = dict[tuple[str, int], tuple[RevisionStatus, Counters, Counters]]


def grown(connection: Connection, status: GatewayStatus) -> Grown:
    """The revisions that were counted further: what the gateway says, all that was kept, and what is new."""
    kept = store.counters(connection)
    found: Grown = {}
    for each in status.revisions:
        known = kept.get((each.endpoint, each.number))
        if known is not None and (more := counted(each).since(known[1])) != Counters():
            found[(each.endpoint, each.number)] = (each, known[0], more)
    return found


def keep(change: Change, status: GatewayStatus) -> None:
    """Adds the new counts; asked again inside the change, so that nothing is added twice."""
    minute_at = minute_of(status.at)
    for (endpoint, number), (each, before, more) in grown(change.connection, status).items():
        store.count(change.connection, endpoint, number, counted=before.plus(more), seen=counted(each))
        if more.requests or more.errors:
            minute = store.Minute(number, minute_at, more.requests, more.errors, each.p50_ms, each.p99_ms)
            store.add_minute(change.connection, endpoint, minute)


def minute_of(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
