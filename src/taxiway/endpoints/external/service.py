"""The rules of external endpoints: which version may be said to be served elsewhere, and what is taken of its log."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from taxiway.audit.service import Record
from taxiway.endpoints import store as endpoints_store
from taxiway.endpoints.contract import MOST_NAMED, Deploy, Revision
from taxiway.endpoints.external import store
from taxiway.endpoints.external.captured.reading import Model, read_captured
from taxiway.endpoints.external.contract import Fed, FedRecord, FeedLog, RegisterExternal
from taxiway.endpoints.external.records import called, check, digest_of
from taxiway.endpoints.external.refusals import EndpointHere
from taxiway.endpoints.external.store import Known
from taxiway.endpoints.external.writing import LogWriter
from taxiway.endpoints.refusals import EndpointStopped
from taxiway.endpoints.service import Endpoints, require_endpoint, unknown_revision
from taxiway.endpoints.steering.counters import Counters
from taxiway.endpoints.steering.sampling import minute_of
from taxiway.endpoints.store import Minute
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.models.contract import ModelVersion
from taxiway.models.predicting.signature import InputMismatch

PLACE = re.compile(r"^records\[(\d+)\]\.?")
SHOWN = timedelta(days=32)  # how far back the figures of an endpoint's page go


class Externals:
    """Endpoints that answer elsewhere."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def register(self, caller: Caller, body: RegisterExternal) -> Revision:
        """Says that a version is served elsewhere from now on, through the gates that a deployment goes through.

        Raises as `deploy`, and EndpointHere for the name of an endpoint that is served here.
        """
        wanted = Deploy(body.endpoint, body.project, version=body.version, serves=body.serves, note=body.note)
        return self.endpoints.deploy(caller, wanted, url=body.url)

    def feed(self, caller: Caller, body: FeedLog, *, endpoint: str) -> Fed:
        """Brings records into the log, all of them or none; what is there already is left alone.

        Raises BadField and InputMismatch for the first that is not in order, EndpointStopped, EndpointHere, NotFound.
        """
        kept = self.endpoints.kept(endpoint)
        revision = self._revision(endpoint, kept.active if body.revision is None else body.revision)
        version = self.endpoints.below.models.recall(revision.model, revision.version)
        body, unpaired = in_order(body, version, self.endpoints.publisher.writer.clock())

        def make(record: Record) -> Fed:
            now = require_endpoint(record, endpoint)
            if not store.is_external(record.connection, endpoint):
                raise EndpointHere(endpoint=endpoint)
            if now.is_stopped:
                raise EndpointStopped(endpoint=endpoint, by=now.stopped_by, at=now.stopped_at, reason=now.reason)
            return replace(self._take(record, body, revision), unpaired=unpaired)

        thing = f"endpoint:{endpoint}"
        return self.endpoints.ledger.change(caller, "endpoints.feed", thing, make, answer=Fed, project=kept.project)

    def _revision(self, endpoint: str, number: int) -> Revision:
        with self.endpoints.database.read() as connection:
            found = endpoints_store.find_revision(connection, endpoint, number)
        if found is None:
            raise unknown_revision(endpoint, number)
        return found

    def _take(self, record: Record, body: FeedLog, revision: Revision) -> Fed:
        """Tells new from known within a change, and writes what is new before its commit."""
        connection, endpoint = record.connection, revision.endpoint
        names = {store.hashed(each.prediction_id): each.prediction_id for each in body.records}
        before = store.known(connection, endpoint, names.keys())
        ids = called(endpoint, body.records, {names[each.given]: each.prediction_id for each in before})
        kept = {(names[each.given], each.row): each.digest for each in before}
        fresh = [each for each in body.records if (each.prediction_id, each.row) not in kept]
        conflicts = [
            f"{each.prediction_id}/{each.row}"
            for each in body.records
            if kept.get((each.prediction_id, each.row)) not in (None, digest_of(each))
        ]
        known = len(body.records) - len(fresh) - len(conflicts)
        record.note(new=len(fresh), known=known, conflicts=len(conflicts), revision=revision.number)
        if fresh and not body.is_trial:
            self._store(record, revision, fresh, ids)
        return Fed(len(fresh), known, len(conflicts), conflicts[:MOST_NAMED])

    def _store(self, record: Record, revision: Revision, fresh: list[FedRecord], ids: dict[str, str]) -> None:
        writer = LogWriter(self.endpoints.home, revision)
        rows = [
            Known(store.hashed(each.prediction_id), each.row, ids[each.prediction_id], digest_of(each))
            for each in fresh
        ]
        store.add(record.connection, revision.endpoint, rows)
        count(record, revision, fresh)
        # Of what was written: of what was given it would tell a guess about somebody erased from the truth.
        record.note(digest=writer.write(record.connection, fresh, ids, record.caller.name))
        record.after_commit(writer.settle)


def in_order(body: FeedLog, version: ModelVersion, now: datetime) -> tuple[FeedLog, int]:
    """What is given as records that are in order, and how many captured events had no other half.

    Raises BadField and InputMismatch; of captured events with their place among those.
    """
    if not body.captured and body.form is None:
        check(body.records, version.signature, now)
        return body, 0
    if body.records or body.form is None:
        expected = "either `records`, or `captured` and their `form`"
        raise BadField(field="captured", value="both" if body.records else "no form", expected=expected)
    read = read_captured(body.form, body.captured, Model(version.signature, version.threshold, body.outputs))
    try:
        check(read.records, version.signature, now)
    except InputMismatch as e:
        place, row = read.origins[e.row], read.records[e.row].row
        where = f"captured[{place}], row {row}, {e.field}"
        raise BadField(field=where, value=e.value, expected=e.expected) from e
    except BadField as e:
        where = PLACE.sub(
            lambda m: f"captured[{read.origins[int(m[1])]}], row {read.records[int(m[1])].row}, ", e.field
        )
        raise BadField(field=where, value=e.value, expected=e.expected) from e
    return replace(body, records=read.records, captured=[], form=None), read.unpaired


def count(record: Record, revision: Revision, fresh: Sequence[FedRecord]) -> None:
    """Adds the records to what is counted of the revision, and minute by minute."""
    failed = [each for each in fresh if each.outputs is None]
    requests = {each.prediction_id for each in fresh if each.outputs is not None}
    errors = {each.prediction_id for each in failed} - requests
    more = Counters(len(requests), len(errors), len(fresh) - len(failed))
    known = endpoints_store.counters(record.connection).get((revision.endpoint, revision.number))
    before, seen = known or (Counters(), Counters())
    endpoints_store.count(record.connection, revision.endpoint, revision.number, counted=before.plus(more), seen=seen)
    by_minute: dict[object, list[FedRecord]] = defaultdict(list)
    for each in fresh:
        if each.row == 0 and record.at - each.at < SHOWN:
            by_minute[minute_of(each.at)].append(each)
    for some in by_minute.values():
        answered = sorted(each.latency_ms for each in some if each.outputs is not None)
        halves = (answered[len(answered) // 2], answered[-1 - len(answered) // 100]) if answered else (None, None)
        minute = Minute(revision.number, minute_of(some[0].at), len(answered), len(some) - len(answered), *halves)
        endpoints_store.add_minute(record.connection, revision.endpoint, minute)
