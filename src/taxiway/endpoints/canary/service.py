"""The rules of canaries: which version may be one, and what its verdict does. Each step is one change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from taxiway.audit.service import Record
from taxiway.endpoints import store as endpoints_store
from taxiway.endpoints.canary import store
from taxiway.endpoints.canary.asking import settled
from taxiway.endpoints.canary.contract import BeginCanary, Canary, CanaryDetail, EndCanary, Verdict
from taxiway.endpoints.canary.laws.verdict import ask_of, judge_latest
from taxiway.endpoints.canary.refusals import CanaryRuns
from taxiway.endpoints.contract import Deploy, Revision
from taxiway.endpoints.rollout import entering
from taxiway.endpoints.rollout import store as rollout_store
from taxiway.endpoints.rollout.declared import Shadow
from taxiway.endpoints.rollout.falls import Fall
from taxiway.endpoints.rollout.guard import Cause
from taxiway.endpoints.rollout.service import Traffic
from taxiway.endpoints.rollout.split import joining, whole, without
from taxiway.endpoints.service import Endpoints, add_revision, require_endpoint
from taxiway.endpoints.store import Kept
from taxiway.gates.canaries.contract import CanaryEvidence, CanaryVerdict
from taxiway.gates.canaries.service import asked_of, record_canary, require_open_but_canary
from taxiway.gates.contract import GateStage
from taxiway.hooks.announcing import announce
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import new_id
from taxiway.models.contract import ModelVersion, Promote
from taxiway.models.lookup import require_version
from taxiway.notices.telling import News, tell

BEFORE: dict[GateStage, str] = {"staging": "none", "production": "staging"}


class Canaries:
    """Begins canaries, shows them, and does what their verdicts say."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        self.traffic = Traffic(endpoints)

    # --- beginning ---

    def begin(self, caller: Caller, body: BeginCanary, *, endpoint: str) -> CanaryDetail:
        """Lets a version answer a share, beside the one that answers now; both score every request.

        It may stand in the stage before the endpoint's if its path has a gate `canary` there and all others are open.
        Raises BadField, BundleTampered, CanaryRuns, EndpointElsewhere, GateClosed, NotFound, StageNotServed.
        """
        asked = Deploy(
            endpoint=endpoint,
            project=self.endpoints.project_of(endpoint),
            version=body.version,
            workers=body.workers,
            may_run_code=body.may_run_code,
            note=body.reason,
        )
        version, standing = self.endpoints.proven(caller, asked)

        def make(record: Record, kept: Kept) -> None:
            body_now = settled(body, asked_of(self.endpoints.below.gates, record.connection, version, kept.serves))
            before = store.latest(record.connection, endpoint)
            if before is not None and before.state == "running":
                raise CanaryRuns(endpoint=endpoint, version=f"{before.model}@{before.version}")
            if len(kept.rollout.split.answering) != 1:
                value = f"{endpoint}, divided among several,"
                raise BadField(field="endpoint", value=value, expected="one whose requests one revision answers")
            champion = endpoints_store.find_revision(record.connection, endpoint, kept.rollout.split.main)
            assert champion is not None, "what answers is kept"
            if champion.bundle == version.bundle:
                raise BadField(field="version", value=body.version, expected="another than the one that answers")
            self._admit(record, kept, version)
            candidate = add_revision(record, asked, version, standing)
            canary = canary_of(body_now, record, candidate, champion)
            store.add(record.connection, canary)
            self._enter(record, kept, canary)
            record.note(canary=canary.id, version=version.ref, share=canary.share, metric=canary.metric)
            record.note(non_inferiority=canary.non_inferiority, cluster=canary.cluster, clusters=canary.min_clusters)
            record.note(paired=canary.paired)

        self.endpoints.turn(caller, "endpoints.begin_canary", endpoint, body.reason, make)
        return self.show(caller, endpoint=endpoint)

    def _admit(self, record: Record, kept: Kept, version: ModelVersion) -> None:
        """Lets in what stands in the stage, or before it with nothing between but a canary."""
        found = require_version(record, version.model, version.version)
        gates = self.endpoints.below.gates
        is_asked = bool(asked_of(gates, record.connection, found, kept.serves))
        if found.stage == BEFORE[kept.serves] and is_asked:
            require_open_but_canary(gates, record, found, kept.serves)
            return
        self.endpoints.admit(record, found, kept.name, kept.serves, None)

    def _enter(self, record: Record, kept: Kept, canary: Canary) -> None:
        """Divides the requests, and where it is paired has each revision score what the other answered."""
        both = {canary.candidate, canary.champion}
        others = tuple(each for each in kept.rollout.shadows if each.revision not in both)
        shadows = (*others, Shadow(canary.candidate), Shadow(canary.champion)) if canary.paired else others
        split = joining(kept.rollout.split, canary.candidate, 100 * canary.share)
        kept = replace(kept, rollout=replace(kept.rollout, shadows=shadows))
        entering.enter(record, kept, split, reason=f"canary of {canary.model} v{canary.version}")

    # --- what a look decided ---

    def promote(self, canary: Canary, verdict: Verdict) -> None:
        """All requests go to the candidate, through the gates and the door of a deployment, which its evidence opens.

        Raises GateClosed, StageNotServed, and leaves all as it was.
        """

        def make(record: Record) -> bool:
            kept, found = self._on_trial(record, canary)
            if kept is None or found is None:
                return False
            version = require_version(record, found.model, found.version)
            record_canary(record, version, evidence_of(found, verdict, "promote", record.at))
            if version.stage != kept.serves:
                said = Promote(kept.serves, verdict.sentence)
                version = self.endpoints.below.models.movements.move(record, version, said, seen=version.stage)
            self.endpoints.admit(record, version, kept.name, kept.serves, None)
            kept = without_shadows(kept, found)
            entering.enter(record, kept, whole(found.candidate, kept.rollout.split), reason=verdict.sentence)
            self._end(record, found, "promoted", verdict.sentence)
            self.endpoints.publish(record)
            note(record, found, verdict)
            self._tell(record, kept, found, "decided", "took over after its canary", verdict.sentence)
            return True

        self._change("endpoints.promote_canary", canary, make)

    def roll_back(self, canary: Canary, verdict: Verdict, because: str) -> None:
        """All requests go to the version before; the candidate's number says why."""

        def make(record: Record) -> bool:
            kept, found = self._on_trial(record, canary)
            if kept is None or found is None:
                return False
            version = require_version(record, found.model, found.version)
            record_canary(record, version, evidence_of(found, verdict, "roll back", record.at, because))
            left = without(kept.rollout.split, {found.candidate}) or whole(found.champion, kept.rollout.split)
            fall = Fall(kept.name, kept.rollout.number, found.candidate, record.at, left, Cause("canary", because))
            rollout_store.add_fall(record.connection, fall)
            said = f"gave its traffic back: {because}"
            endpoints_store.mark_number(record.connection, kept.name, found.candidate, refusal=said, fell_at=record.at)
            kept = without_shadows(kept, found)
            entering.enter(record, kept, left, cause=because)
            self._end(record, found, "rolled back", because)
            self.endpoints.publish(record)
            note(record, found, verdict)
            record.note(cause=because)
            if found.proxy is not None and not verdict.looks:
                record.note(proxy=msgspec.to_builtins(found.proxy))
            self._tell(record, kept, found, "rolled_back", "was rolled back by its canary", because)
            facts = {"endpoint": kept.name, "revision": found.candidate, "to": entering.told(left)}
            announce(record, "endpoint.rolled_back", facts | {"cause": because, "url": f"/endpoints/{kept.name}"})
            return True

        self._change("endpoints.roll_back_canary", canary, make)

    def end(self, caller: Caller, body: EndCanary, *, endpoint: str) -> CanaryDetail:
        """Ends it without a verdict; what answered before answers all. Raises NotFound."""
        canary = self._require(endpoint)

        def make(record: Record, kept: Kept) -> None:
            found = store.find(record.connection, canary.id)
            if found is None or found.state != "running":
                raise no_canary(endpoint)
            if found.candidate in kept.rollout.split.revisions:
                left = without(kept.rollout.split, {found.candidate}) or whole(found.champion, kept.rollout.split)
                entering.enter(record, without_shadows(kept, found), left, reason=body.reason or "the canary was ended")
            self._end(record, found, "ended", body.reason or f"{caller.name} ended it")

        self.endpoints.turn(caller, "endpoints.end_canary", endpoint, body.reason, make)
        return self.show(caller, endpoint=endpoint)

    def lost(self, canary: Canary, why: str, verdict: Verdict | None) -> None:
        """Enters that a candidate answers no more, though no look said so. verdict: where it fell by itself."""

        def make(record: Record) -> bool:
            kept, found = self._on_trial(record, canary)
            if kept is None or found is None:
                return False
            if verdict is not None:
                version = require_version(record, found.model, found.version)
                record_canary(record, version, evidence_of(found, verdict, "roll back", record.at, why))
            entering.keep(record, kept, without_shadows(kept, found).rollout)
            self._end(record, found, "ended" if verdict is None else "rolled back", why)
            self.endpoints.publish(record)
            record.note(reason=why)
            return True

        self._change("endpoints.end_canary", canary, make)

    def block(self, canary: Canary, why: str) -> None:
        """Keeps why what was shown cannot be done yet; no change of anybody's."""
        self.endpoints.ledger.writer.write(lambda change: store.keep(change.connection, replace(canary, blocked=why)))

    def _change(self, verb: str, canary: Canary, make: Any) -> None:
        project, thing = self.endpoints.project_of(canary.endpoint), f"revision:{canary.endpoint}/{canary.candidate}"
        self.endpoints.ledger.change(SYSTEM, verb, thing, make, answer=bool, project=project)

    def _on_trial(self, record: Record, canary: Canary) -> tuple[Kept | None, Canary | None]:
        """The endpoint and the canary as they are within a change; nothing where somebody was faster."""
        kept = require_endpoint(record, canary.endpoint)
        found = store.find(record.connection, canary.id)
        return (kept, found) if found is not None and found.state == "running" else (None, None)

    def _end(self, record: Record, canary: Canary, state: Any, why: str) -> None:
        store.keep(record.connection, replace(canary, state=state, ended_at=record.at, why=why, blocked=""))

    def _tell(self, record: Record, kept: Kept, canary: Canary, kind: Any, what: str, note: str) -> None:
        able = self.endpoints.below.access.people_who_may("endpoints.deploy", kept.project)
        said = f"{canary.model} v{canary.version} at the endpoint {kept.name} {what}"
        url, thing = f"/endpoints/{kept.name}#canary", f"endpoint:{kept.name}"
        tell(record, able, News(kind, said, url, thing, kept.project, note))

    # --- reading ---

    def show(self, caller: Caller, *, endpoint: str) -> CanaryDetail:
        """The latest canary of an endpoint. Raises NotFound."""
        found = self.latest(endpoint)
        if found is None:
            raise no_canary(endpoint)
        return found

    def latest(self, endpoint: str) -> CanaryDetail | None:
        with self.endpoints.database.read() as connection:
            canary = store.latest(connection, endpoint)
            if canary is None:
                return None
            clusters, looks = store.clusters_of(connection, canary.id), store.looks_of(connection, canary.id)
        return CanaryDetail(canary, judge_latest(ask_of(canary), clusters, looks), looks, clusters)

    def _require(self, endpoint: str) -> Canary:
        self.endpoints.kept(endpoint)
        found = self.latest(endpoint)
        if found is None or found.canary.state != "running":
            raise no_canary(endpoint)
        return found.canary


def canary_of(body: Any, record: Record, candidate: Revision, champion: Revision) -> Canary:
    return Canary(
        id=new_id(),
        endpoint=candidate.endpoint,
        candidate=candidate.number,
        champion=champion.number,
        model=candidate.model,
        version=candidate.version,
        bundle=candidate.bundle,
        champion_ref=champion.version_ref,
        champion_bundle=champion.bundle,
        share=body.share,
        metric=body.metric,
        non_inferiority=body.non_inferiority,
        cluster=body.cluster,
        min_clusters=body.min_clusters,
        labelled=body.labelled,
        alpha=body.alpha,
        limits=body.limits,
        paired=body.paired,
        begun_by=record.caller.name,
        begun_at=record.at,
        reason=body.reason,
    )


def evidence_of(
    canary: Canary, verdict: Verdict, decision: CanaryVerdict, at: datetime, because: str = ""
) -> CanaryEvidence:
    return CanaryEvidence(
        id=new_id(),
        model=canary.model,
        version=canary.version,
        bundle=canary.bundle,
        champion_bundle=canary.champion_bundle,
        endpoint=canary.endpoint,
        metric=canary.metric,
        non_inferiority=canary.non_inferiority,
        cluster=canary.cluster,
        min_clusters=canary.min_clusters,
        share=canary.share,
        verdict=decision,
        sentence=because or verdict.sentence,
        estimate=verdict.estimate,
        low=verdict.low,
        high=verdict.high,
        clusters=verdict.clusters,
        rows=verdict.rows,
        looks=verdict.looks,
        alpha=verdict.alpha,
        at=at,
        paired=canary.paired,
    )


def without_shadows(kept: Kept, canary: Canary) -> Kept:
    both = {canary.candidate, canary.champion}
    shadows = tuple(each for each in kept.rollout.shadows if each.revision not in both)
    return replace(kept, rollout=replace(kept.rollout, shadows=shadows))


def note(record: Record, canary: Canary, verdict: Verdict) -> None:
    """The numbers of a verdict, in the entry of what it did."""
    record.note(
        canary=canary.id,
        estimate=verdict.estimate,
        interval=[verdict.low, verdict.high],
        clusters=verdict.clusters,
        rows=verdict.rows,
        looks=verdict.looks,
        alpha=verdict.alpha,
        non_inferiority=canary.non_inferiority,
    )


def no_canary(endpoint: str) -> NotFound:
    hint = f"`taxiway endpoints canary {endpoint} MODEL@VERSION` begins one."
    return NotFound(kind="canary", name=endpoint, hint=hint)
