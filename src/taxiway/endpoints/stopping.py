"""Stopping an endpoint at once, what it says then, and having it answer again."""

from __future__ import annotations

import msgspec

from taxiway.audit.service import Record
from taxiway.endpoints.contract import DeclareFallback, EndpointRecord, StartEndpoint, StopEndpoint
from taxiway.endpoints.external import store as external
from taxiway.endpoints.refusals import ReasonMissing
from taxiway.endpoints.service import Endpoints, require_revision
from taxiway.endpoints.store import Kept
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from taxiway.models.lookup import require_version
from taxiway.notices.telling import News, tell

MOST_FALLBACK_BYTES = 16 << 10


class Stopping:
    """The emergency stop. It travels as every change does: in the signed configuration that the gateway reads."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    def stop(self, caller: Caller, body: StopEndpoint, *, endpoint: str) -> EndpointRecord:
        """From the next moment on it answers with its fallback or 503, also who waits for an answer already.

        Raises ReasonMissing, NotFound.
        """
        require_reason(body.reason, endpoint)

        def make(record: Record, kept: Kept) -> None:
            since = (
                kept if kept.is_stopped else msgspec.structs.replace(kept, stopped_by=caller.name, stopped_at=record.at)
            )
            self.endpoints.keep(record, since, is_stopped=True, reason=body.reason)
            told = {"endpoint": endpoint, "by": caller.name, "reason": body.reason}
            elsewhere = external.urls(record.connection).get(endpoint)  # who hears of it may stop it there
            if elsewhere is not None:
                told |= {"elsewhere": elsewhere}
            announce(record, "endpoint.stopped", told | {"url": f"/endpoints/{endpoint}"})
            self._tell(record, kept, body.reason)

        return self.endpoints.turn(caller, "endpoints.stop", endpoint, body.reason, make)

    def _tell(self, record: Record, kept: Kept, reason: str) -> None:
        """Those who deploy in the project, and its owners."""
        able = self.endpoints.below.access.people_who_may("endpoints.deploy", kept.project)
        what = f"{record.caller.name} stopped the endpoint {kept.name}"
        if external.is_external(record.connection, kept.name):
            what += " here; it answers elsewhere and must be stopped there"
        url, thing = f"/endpoints/{kept.name}", f"endpoint:{kept.name}"
        tell(record, able, News("stopped", what, url, thing, kept.project, reason))

    def start(self, caller: Caller, body: StartEndpoint, *, endpoint: str) -> EndpointRecord:
        """The active revision answers again, if its version may still. Raises as `deploy`, and ReasonMissing."""

        def make(record: Record, kept: Kept) -> None:
            if kept.is_stopped:
                require_reason(body.reason, endpoint)
            for number in kept.rollout.split.revisions:
                revision = require_revision(record, kept, number)
                version = require_version(record, revision.model, revision.version)
                self.endpoints.admit(record, version, kept.name, kept.serves, revision)
            record.note(stopped_by=kept.stopped_by)
            self.endpoints.keep(record, kept, is_stopped=False, reason=body.reason, stopped_by="", stopped_at=None)

        return self.endpoints.turn(caller, "endpoints.start", endpoint, body.reason, make)

    def declare_fallback(self, caller: Caller, body: DeclareFallback, *, endpoint: str) -> EndpointRecord:
        """What each row is answered with while the endpoint is stopped. Raises BadField, NotFound."""
        size = len(msgspec.json.encode(body.answer))
        if size > MOST_FALLBACK_BYTES:
            raise BadField(field="answer", value=f"{size:,} bytes", expected=f"at most {MOST_FALLBACK_BYTES:,}")

        def make(record: Record, kept: Kept) -> None:
            record.note(fallback=body.answer, before=kept.fallback)
            self.endpoints.keep(record, kept, fallback=body.answer)

        return self.endpoints.turn(caller, "endpoints.declare_fallback", endpoint, body.reason, make)


def require_reason(reason: str, endpoint: str) -> None:
    if not reason.strip():
        raise ReasonMissing(endpoint=endpoint)
