"""The rules of dividing traffic: who may get requests, and copies of them, is decided here."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import asdict, replace

from taxiway.audit.service import Record
from taxiway.endpoints import store as endpoints_store
from taxiway.endpoints.contract import Deploy, EndpointRecord, Revision
from taxiway.endpoints.refusals import ShadowsFull, ShadowTooEarly
from taxiway.endpoints.rollout import entering, store
from taxiway.endpoints.rollout.contract import (
    MOST_SHADOWS,
    AddShadow,
    ChangeGuard,
    ChangeTraffic,
    RemoveShadow,
    TrafficDetail,
    UndoTraffic,
)
from taxiway.endpoints.rollout.declared import Shadow
from taxiway.endpoints.rollout.falls import Fall
from taxiway.endpoints.rollout.showing import detail_of
from taxiway.endpoints.rollout.split import Split, divide
from taxiway.endpoints.service import Endpoints, add_revision, require_endpoint, unknown_revision
from taxiway.endpoints.store import Kept
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_fit, require_version
from taxiway.notices.telling import News, tell


class Traffic:
    """How requests are divided, copied and taken back."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints

    # --- what answers ---

    def change(self, caller: Caller, body: ChangeTraffic, *, endpoint: str) -> TrafficDetail:
        """Divides requests anew. Every revision that gets more than it has goes through the gates of its stage.

        Raises BadField, BundleTampered, GateClosed, NotFound, StageNotServed.
        """

        def wanted(record: Record, kept: Kept) -> Split:
            now = kept.rollout.split
            named = {share.revision for share in body.shares}
            rules = now.rules if body.rules is None else tuple(body.rules)
            if body.rules is None:
                rules = tuple(rule for rule in rules if rule.revision in named)
            sticky = now.sticky if body.sticky is None else body.sticky
            return divide(body.shares, now, sticky=sticky, rules=rules)

        asked = [*(s.revision for s in body.shares), *(rule.revision for rule in body.rules or ())]
        return self._divide_anew(caller, "endpoints.change_traffic", endpoint, body.reason, wanted, asked)

    def undo(self, caller: Caller, body: UndoTraffic, *, endpoint: str) -> TrafficDetail:
        """Has an earlier split in force again, its very keys included. Raises as `change`."""
        kept = self.endpoints.kept(endpoint)
        to = body.to or kept.rollout.number - 1
        with self.endpoints.database.read() as connection:
            entry = store.find_split(connection, endpoint, to)
        if entry is None or to == kept.rollout.number:
            hint = f"`taxiway endpoints traffic {endpoint}` lists those there were."
            raise NotFound(kind="split", name=f"{endpoint}/{to}", hint=hint)
        found = entry.split
        reason = body.reason or f"back to split {to}"
        return self._divide_anew(
            caller, "endpoints.undo_traffic", endpoint, reason, lambda record, kept: found, found.revisions
        )

    def _divide_anew(
        self,
        caller: Caller,
        verb: str,
        endpoint: str,
        reason: str,
        wanted: Callable[[Record, Kept], Split],
        asked: list[int],
    ) -> TrafficDetail:
        """Puts a split in force after every byte of what gets traffic was read and the gates were asked."""
        for number in dict.fromkeys(asked):
            revision = self._revision(endpoint, number)
            version = self.endpoints.below.models.find(revision.model, revision.version)
            self.endpoints.check_bundle(caller, version, f"endpoint:{endpoint}")

        def make(record: Record, kept: Kept) -> None:
            split = wanted(record, kept)
            for number in split.revisions:
                self._admit(record, kept, split, number)
            entering.enter(record, kept, split, reason=reason)

        self.endpoints.turn(caller, verb, endpoint, reason, make)
        return self.show(caller, endpoint=endpoint)

    def _admit(self, record: Record, kept: Kept, split: Split, number: int) -> None:
        """Asks the gates of a revision that answers more than it did. Raises GateClosed, StageNotServed, NotFound."""
        revision = endpoints_store.find_revision(record.connection, kept.name, number)
        if revision is None:
            raise unknown_revision(kept.name, number)
        now = kept.rollout.split
        is_no_more = number in now.revisions and split.percent(number) <= now.percent(number)
        version = require_version(record, revision.model, revision.version)
        require_fit(version)
        self.endpoints.admit(record, version, kept.name, kept.serves, revision if is_no_more else None)
        if revision.reason:
            endpoints_store.mark(record.connection, revision, refusal="", fell_at=None)

    def _revision(self, endpoint: str, number: int) -> Revision:
        with self.endpoints.database.read() as connection:
            found = endpoints_store.find_revision(connection, self.endpoints.kept(endpoint).name, number)
        if found is None:
            raise unknown_revision(endpoint, number)
        return found

    # --- what gets copies ---

    def add_shadow(self, caller: Caller, body: AddShadow, *, endpoint: str) -> Revision:
        """Copies requests to a version that stands at least one stage before the one that the endpoint serves.

        Raises BadField, BundleTampered, EndpointElsewhere, GateClosed, NotFound, ShadowsFull, ShadowTooEarly.
        """
        asked = Deploy(
            endpoint=endpoint,
            project=self.endpoints.project_of(endpoint),
            version=body.version,
            revision=body.revision,
            workers=body.workers,
            may_run_code=body.may_run_code,
            note=body.reason,
        )
        version, standing = self.endpoints.proven(caller, asked)
        made: list[int] = []

        def make(record: Record, kept: Kept) -> None:
            self._admit_shadow(record, kept, version)
            number = body.revision or self.endpoints.same(record, kept, asked, version)
            if not number:
                number = add_revision(record, asked, version, standing).number
            others = [each for each in kept.rollout.shadows if each.revision != number]
            if len(others) >= MOST_SHADOWS:
                raise ShadowsFull(endpoint=endpoint, most=MOST_SHADOWS)
            shadows = (*others, Shadow(number, body.share))
            entering.keep(record, kept, replace(kept.rollout, shadows=shadows))
            endpoints_store.mark_number(record.connection, endpoint, number, refusal="", fell_at=None)
            record.note(shadow=number, share=body.share, version=version.ref)
            made.append(number)

        self.endpoints.turn(caller, "endpoints.add_shadow", endpoint, body.reason, make)
        return self.endpoints.revision(caller, endpoint=endpoint, number=made[-1])

    def _admit_shadow(self, record: Record, kept: Kept, version: ModelVersion) -> None:
        """Lets in what stands in the stage before the endpoint's, or further. Raises GateClosed, ShadowTooEarly."""
        found = require_version(record, version.model, version.version)
        if kept.serves == "staging" and found.stage != "archived":
            return
        if found.stage in ("staging", "production"):
            return
        if found.stage != "archived":
            self.endpoints.below.gates.require_open(record, found, "staging")
        raise ShadowTooEarly(endpoint=kept.name, model=found.model, version=found.version, stage=found.stage)

    def remove_shadow(self, caller: Caller, body: RemoveShadow, *, endpoint: str, number: int) -> TrafficDetail:
        """Copies nothing to a revision any more; what was compared stays. Raises NotFound."""

        def make(record: Record, kept: Kept) -> None:
            left = tuple(each for each in kept.rollout.shadows if each.revision != number)
            if len(left) == len(kept.rollout.shadows):
                hint = f"`taxiway endpoints show {endpoint}` shows its shadows."
                raise NotFound(kind="shadow", name=f"{endpoint}/{number}", hint=hint)
            entering.keep(record, kept, replace(kept.rollout, shadows=left))
            record.note(shadow=number)

        self.endpoints.turn(caller, "endpoints.remove_shadow", endpoint, body.reason, make)
        return self.show(caller, endpoint=endpoint)

    # --- what is taken back ---

    def change_guard(self, caller: Caller, body: ChangeGuard, *, endpoint: str) -> TrafficDetail:
        """When a revision gives its traffic back, from now on."""
        if body.guard.seconds > 10:
            raise BadField(field="seconds", value=str(body.guard.seconds), expected="1 to 10")

        def make(record: Record, kept: Kept) -> None:
            entering.keep(record, kept, replace(kept.rollout, guard=body.guard))
            record.note(guard=asdict(body.guard), before=asdict(kept.rollout.guard))

        self.endpoints.turn(caller, "endpoints.change_guard", endpoint, body.reason, make)
        return self.show(caller, endpoint=endpoint)

    def enter_fall(self, fall: Fall) -> None:
        """What the gateway did by itself becomes what is declared: with an entry, a notice and its numbers."""

        def make(record: Record) -> bool:
            if store.has_fall(record.connection, fall):
                return False
            kept = require_endpoint(record, fall.endpoint)
            said = f"gave its traffic back: {fall.cause}"
            store.add_fall(record.connection, fall)
            endpoints_store.mark_number(record.connection, fall.endpoint, fall.revision, refusal=said, fell_at=fall.at)
            if kept.rollout.number == fall.number:
                shadows = tuple(each for each in kept.rollout.shadows if each.revision != fall.revision)
                kept = replace(kept, rollout=replace(kept.rollout, shadows=shadows))
                entering.enter(record, kept, fall.to, cause=str(fall.cause))
                self.endpoints.publish(record)
            record.note(cause=asdict(fall.cause), fell_at=fall.at.isoformat(), log_tail=fall.log_tail)
            self._tell(record, kept, fall)
            return True

        project = self.endpoints.project_of(fall.endpoint)
        thing = f"revision:{fall.endpoint}/{fall.revision}"
        self.endpoints.ledger.change(SYSTEM, "endpoints.roll_back", thing, make, answer=bool, project=project)

    def _tell(self, record: Record, kept: Kept, fall: Fall) -> None:
        able = self.endpoints.below.access.people_who_may("endpoints.deploy", kept.project)
        what = f"Revision {fall.revision} of the endpoint {kept.name} gave its traffic back"
        url, thing = f"/endpoints/{kept.name}#traffic", f"endpoint:{kept.name}"
        tell(record, able, News("fell_back", what, url, thing, kept.project, str(fall.cause)))
        facts = {"endpoint": kept.name, "revision": fall.revision, "to": entering.told(fall.to)}
        announce(record, "endpoint.rolled_back", facts | {"cause": str(fall.cause), "url": f"/endpoints/{kept.name}"})

    # --- reading ---

    def show(self, caller: Caller, *, endpoint: str) -> TrafficDetail:
        """How an endpoint's requests are divided, copied and guarded. Raises NotFound."""
        record: EndpointRecord = self.endpoints.find(endpoint)
        kept = self.endpoints.kept(endpoint)
        revisions = self.endpoints.revisions(endpoint)
        with self.endpoints.database.read() as connection:
            history = store.splits_of(connection, endpoint)
            fall = store.last_fall(connection, endpoint)
        return detail_of(self.endpoints.home, record, kept, revisions, history, fall)
