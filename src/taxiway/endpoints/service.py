"""The rules of endpoints: who may answer is decided here; answering is the gateway's."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.datasets.service import Datasets
from taxiway.endpoints import store
from taxiway.endpoints.canary import store as canaries
from taxiway.endpoints.canary.told import on_trial
from taxiway.endpoints.contract import Deploy, EndpointDetail, EndpointRecord, ListEndpoints, Revision
from taxiway.endpoints.external import store as external
from taxiway.endpoints.external.doors import REGISTERING, check_kind
from taxiway.endpoints.inferences.logs.keeping import check_policy, keep_policy
from taxiway.endpoints.leaving import follow_name, refuse_answering
from taxiway.endpoints.refusals import EndpointElsewhere, StageNotServed
from taxiway.endpoints.rollout import entering
from taxiway.endpoints.rollout.split import joining, whole, without
from taxiway.endpoints.setup import PLAIN
from taxiway.endpoints.steering.publishing import Publisher
from taxiway.endpoints.steering.seen import LATELY, Seen, elsewhere, stands_elsewhere
from taxiway.endpoints.store import Kept
from taxiway.gates.contract import GateStage, Standing
from taxiway.gates.service import Gates
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import is_name
from taxiway.lineage.service import draw_edge
from taxiway.models.bundles.bundle import Bundle, BundleTampered, read_manifest, read_verified
from taxiway.models.bundles.mlmodel import read_example
from taxiway.models.contract import ModelVersion
from taxiway.models.lookup import require_fit, require_version
from taxiway.models.service import Models
from taxiway.projects.service import enter_stage, find_project
from taxiway.runs.service import Runs

RESERVED = ("predictions", "new")  # words of our own addresses
NAME_EXPECTED = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"


class Below(Struct, frozen=True):
    """The nouns that endpoints stand on."""

    access: Access
    datasets: Datasets
    runs: Runs
    models: Models
    gates: Gates


class Endpoints:
    """Endpoints, their revisions, and who moves them."""

    def __init__(self, home: Path, ledger: Ledger, below: Below, publisher: Publisher) -> None:
        self.home = home
        self.database = ledger.database
        self.ledger = ledger
        self.below = below
        self.publisher = publisher
        publisher.path_asks = below.gates.paths.log_of_project
        # Asked, by endpoint, from when on records of its log are still to be measured; None is from no time on.
        self.needed_since: list[Callable[[str], datetime | None]] = []
        below.models.movements.before_leaving.append(refuse_answering)
        below.models.catalogue.follow.append(follow_name)

    def stock(self) -> None:
        """Has the bundles of all that answers stand in this home, also those that another server registered."""
        with self.database.read() as connection:
            active = store.active_revisions(connection)
        for revision in active.values():
            self.below.models.shelf.place(revision.bundle)

    # --- changing what answers ---

    def deploy(self, caller: Caller, body: Deploy, *, url: str | None = None) -> Revision:
        """A version takes over, as a new revision; what answers already is given back unchanged.

        url: where it answers instead, of one that is only registered here: see `external`.

        With `revision` an earlier one takes over again. Either way the version must stand in the stage that the
        endpoint serves. Raises BadField, BundleTampered, EndpointElsewhere, GateClosed, NotFound, StageNotServed.
        """
        if not is_name(body.endpoint) or body.endpoint in RESERVED:
            raise BadField(field="endpoint", value=repr(body.endpoint), expected=NAME_EXPECTED)
        if body.log is not None:
            check_policy(body.log)
        version, standing = self.proven(caller, body)

        def make(record: Record) -> Revision:
            kept = store.find(record.connection, body.endpoint, is_locked=True)
            if kept is not None and kept.project != body.project:
                raise EndpointElsewhere(kind="endpoint", name=body.endpoint, project=body.project)
            check_kind(record.connection, body.endpoint, verb, is_there=kept is not None)
            answering = store.find_revision(record.connection, kept.name, kept.active) if kept else None
            self.admit(record, version, body.endpoint, kept.serves if kept else body.serves, answering)
            record.note(version=version.ref, bundle=version.bundle, reason=body.note)
            if body.setup != PLAIN:
                record.note(setup=msgspec.to_builtins(body.setup))
            if body.log is not None:
                asks = self.publisher.path_asks(record.connection, find_project(record.connection, body.project))
                keep_policy(record, body.endpoint, body.log, project=body.project, path_asks=asks, reason=body.note)
                record.note(log=msgspec.to_builtins(body.log))
            known = store.find_revision(record.connection, body.endpoint, self.same(record, kept, body, version))
            revision = known or add_revision(record, body, version, standing)
            if url is not None:
                external.keep(record.connection, body.endpoint, url)
                store.mark(record.connection, revision, live_at=revision.live_at or record.at)
                enter_stage(record, body.project, "production", because=revision.ref)
            self._activate(record, kept, body, revision)
            record.thing = revision.ref
            record.note(revision=revision.number, before=kept.active if kept else None)
            return revision

        thing, verb = f"endpoint:{body.endpoint}", "endpoints.deploy" if url is None else REGISTERING
        made = self.ledger.change(caller, verb, thing, make, answer=Revision, project=body.project)
        return self.revision(caller, endpoint=made.endpoint, number=made.number)

    def proven(self, caller: Caller, body: Deploy) -> tuple[ModelVersion, Standing]:
        """The version that is to answer, every byte of it read, and how its gates stand.

        Raises BadField, BundleTampered, EndpointElsewhere, NotFound.
        """
        version = self.wanted(body)
        if version.project != body.project:
            raise EndpointElsewhere(kind="model", name=version.model, project=body.project)
        require_fit(version)
        self.check_bundle(caller, version, f"endpoint:{body.endpoint}")
        return version, self.below.gates.standing(caller, model=version.model, version=version.version)

    def wanted(self, body: Deploy) -> ModelVersion:
        """The version that is to answer. Raises BadField, NotFound."""
        if (body.revision is None) == (not body.version):
            given = f"version {body.version!r} and revision {body.revision}"
            raise BadField(field="version", value=given, expected="either a version such as 'mortgage@2' or a revision")
        if body.revision is None:
            return self.below.models.resolve(body.version)
        with self.database.read() as connection:
            found = store.find_revision(connection, body.endpoint, body.revision)
        if found is None:
            raise unknown_revision(body.endpoint, body.revision)
        return self.below.models.find(found.model, found.version)

    def check_bundle(self, caller: Caller, version: ModelVersion, thing: str) -> None:
        """Reads every byte of the bundle. Raises BundleTampered, naming the file, and leaves an entry of that."""
        try:
            self.below.models.shelf.verify(version.bundle)
        except BundleTampered as refusal:
            self.ledger.refused(caller, "endpoints.deploy", thing, refusal, project=version.project)
            raise

    def admit(
        self, record: Record, version: ModelVersion, endpoint: str, serves: GateStage, answering: Revision | None
    ) -> None:
        """Lets in what stands in the stage with its gates open as of now, or is there already.

        A gate can close after a version went through: an approval is withdrawn, a path is published anew. What
        answers then goes on; where else it may answer is asked again. Raises GateClosed, StageNotServed.
        """
        found = require_version(record, version.model, version.version)
        is_there = answering is not None and (answering.model, answering.version) == (found.model, found.version)
        if found.stage == serves and is_there:
            return
        self.below.gates.require_open(record, found, serves)
        if found.stage == serves:
            return
        raise StageNotServed(
            endpoint=endpoint, model=found.model, version=found.version, stage=found.stage, serves=serves
        )

    def same(self, record: Record, kept: Kept | None, body: Deploy, version: ModelVersion) -> int:
        """The number of the revision that is meant: the one asked for, or the one that answers with just that."""
        if body.revision is not None:
            return body.revision
        rollout = kept.rollout if kept else None
        numbers = (
            [kept.active, *rollout.split.revisions, *(s.revision for s in rollout.shadows)] if kept and rollout else []
        )
        wanted = (version.bundle, body.workers, body.may_run_code, body.setup)
        for number in numbers:
            each = store.find_revision(record.connection, body.endpoint, number)
            if (
                each is not None
                and (each.bundle, each.workers, each.may_run_code, each.setup) == wanted
                and not each.reason
            ):
                return number
        return 0

    def _activate(self, record: Record, kept: Kept | None, body: Deploy, revision: Revision) -> None:
        if kept is None:
            fresh = Kept(
                name=body.endpoint,
                project=body.project,
                serves=body.serves,
                active=revision.number,
                is_stopped=False,
                reason="",
                created_by=record.caller.name,
                created_at=record.at,
                changed_by=record.caller.name,
                changed_at=record.at,
                rollout=entering.first(record, body.endpoint, revision.number, body.note),
            )
            store.add(record.connection, fresh)
        else:
            now, number = kept.rollout.split, revision.number
            split = whole(number, now) if body.percent is None else joining(now, number, body.percent)
            if split != now or revision.reason:
                store.mark(record.connection, revision, refusal="", fell_at=None)
                entering.enter(record, kept, split, reason=body.note)
        self.publish(record)

    # --- what changes of an endpoint besides ---

    def turn(
        self, caller: Caller, verb: str, endpoint: str, reason: str, make: Callable[[Record, Kept], None]
    ) -> EndpointRecord:
        """Changes an endpoint and what the gateway serves of it, in one. Raises NotFound, and what `make` raises."""
        project = self.project_of(endpoint)

        def both(record: Record) -> str:
            kept = require_endpoint(record, endpoint)
            check_kind(record.connection, endpoint, verb)
            make(record, kept)
            self.publish(record)
            record.note(reason=reason, revision=kept.active)
            return endpoint

        self.ledger.change(caller, verb, f"endpoint:{endpoint}", both, answer=str, project=project)
        return self.find(endpoint)

    def keep(self, record: Record, kept: Kept, **values: Any) -> None:
        """Keeps an endpoint with other values, within a change."""
        changed = replace(kept, changed_by=record.caller.name, changed_at=record.at, **values)
        store.change(record.connection, changed)

    def publish(self, record: Record) -> None:
        configuration = self.publisher.renew(record.change)
        record.after_commit(lambda: self.publisher.publish(configuration))

    def go_back(self, caller: Caller, revision: Revision, *, to: int, reason: str) -> None:
        """Notes that the gateway did not take a revision, so that the one that answers stays after a restart, too."""

        def make(record: Record) -> bool:
            kept = require_endpoint(record, revision.endpoint)
            rollout, gone = kept.rollout, {revision.number}
            if revision.number not in rollout.split.revisions:
                return False
            store.mark(record.connection, revision, refusal=reason)
            left = without(rollout.split, gone) or (without(rollout.before, gone) if rollout.before else None)
            entering.enter(record, kept, left or whole(to, rollout.split), cause=reason)
            self.publish(record)
            record.note(reason=reason, answering=to)
            return True

        project = self.project_of(revision.endpoint)
        self.ledger.change(caller, "endpoints.go_back", revision.ref, make, answer=bool, project=project)

    # --- reading ---

    def project_of(self, endpoint: str) -> str:
        """The project that owns an endpoint. Raises NotFound."""
        return self.kept(endpoint).project

    def kept(self, endpoint: str) -> Kept:
        """The endpoint as it is stored. Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, endpoint)
        if found is None:
            raise unknown(endpoint)
        return found

    def find(self, endpoint: str) -> EndpointRecord:
        """An endpoint as it is now. Raises NotFound."""
        return self._records([self.kept(endpoint)])[0]

    def _records(self, found: list[Kept]) -> list[EndpointRecord]:
        seen = Seen(self.home)
        with self.database.read() as connection:
            active = store.active_revisions(connection)
            counters = store.counters(connection)
            lately = store.requests_since(connection, self.publisher.writer.clock() - LATELY)
            urls = external.urls(connection)
            trials = {each.endpoint: on_trial(each) for each in canaries.running(connection)}
        joined = {
            kept.name: seen.revision(active[kept.name], kept, counters.get((kept.name, kept.active))) for kept in found
        }
        records = [seen.record(kept, joined[kept.name], lately.get(kept.name, 0)) for kept in found]
        records = [replace(each, canary=trials.get(each.name)) for each in records]
        return [elsewhere(each, urls[each.name]) if each.name in urls else each for each in records]

    def show(self, caller: Caller, *, endpoint: str) -> EndpointDetail:
        record = self.find(endpoint)
        revisions = self.revisions(endpoint)
        version = self.below.models.recall(record.model, record.version)
        address = Seen(self.home).address
        path = f"/endpoints/{endpoint}/invocations"
        gateway = f"{address.url}{path}" if address else ""
        return EndpointDetail(record, revisions, version.signature, self.example(version), path, gateway)

    def example(self, version: ModelVersion) -> list[dict[str, Any]]:
        """The rows that a version was recorded with; none where it has none. Raises BundleTampered."""
        folder = self.below.models.shelf.place(version.bundle)
        bundle = Bundle(folder=folder, manifest=read_manifest(folder), digest=version.bundle)
        path = bundle.manifest.example
        return read_example(read_verified(bundle, path)) if path else []

    def revisions(self, endpoint: str) -> list[Revision]:
        """Newest first. Raises NotFound."""
        kept, seen = self.kept(endpoint), Seen(self.home)
        with self.database.read() as connection:
            found = store.revisions_of(connection, endpoint)
            counters = store.counters(connection)
            is_external = external.is_external(connection, endpoint)
        joined = [seen.revision(each, kept, counters.get((each.endpoint, each.number))) for each in found]
        return [stands_elsewhere(each, kept) for each in joined] if is_external else joined

    def revision(self, caller: Caller, *, endpoint: str, number: int) -> Revision:
        """A revision as it is now. Raises NotFound."""
        found = next((each for each in self.revisions(endpoint) if each.number == number), None)
        if found is None:
            raise unknown_revision(endpoint, number)
        return found

    def standing_at_deploy(self, endpoint: str, number: int) -> Standing | None:
        """How the gates stood when a revision was deployed."""
        with self.database.read() as connection:
            return store.standing_of(connection, endpoint, number)

    def minutes(self, endpoint: str, lately: timedelta) -> list[store.Minute]:
        """What each revision did, minute by minute."""
        with self.database.read() as connection:
            return store.minutes_of(connection, endpoint, self.publisher.writer.clock() - lately)

    def list(self, caller: Caller, body: ListEndpoints) -> Page[EndpointRecord]:
        """The endpoints that the caller may see, by name."""
        visible = self.below.access.visible(caller)
        if body.project:
            visible = [body.project] if visible is None or body.project in visible else []
        with self.database.read() as connection:
            found = store.all_of(connection, visible)
        return Page(self._records(found))


def add_revision(record: Record, body: Deploy, version: ModelVersion, standing: Standing) -> Revision:
    """A new revision within a change, with its edges."""
    revision = Revision(
        endpoint=body.endpoint,
        number=store.newest(record.connection, body.endpoint) + 1,
        model=version.model,
        version=version.version,
        bundle=version.bundle,
        state="retired",
        workers=body.workers,
        may_run_code=body.may_run_code,
        setup=body.setup,
        note=body.note,
        created_by=record.caller.name,
        created_at=record.at,
    )
    store.add_revision(record.connection, revision, standing)
    draw_edge(record, source=version.ref, verb="deployed_as", target=revision.ref, project=body.project)
    draw_edge(record, source=revision.ref, verb="answers_for", target=f"endpoint:{body.endpoint}", project=body.project)
    return revision


def require_endpoint(record: Record, endpoint: str) -> Kept:
    found = store.find(record.connection, endpoint, is_locked=True)
    if found is None:
        raise unknown(endpoint)
    return found


def require_revision(record: Record, kept: Kept, number: int) -> Revision:
    found = store.find_revision(record.connection, kept.name, number)
    if found is None:
        raise unknown_revision(kept.name, number)
    return found


def unknown(endpoint: str) -> NotFound:
    hint = (
        f"`taxiway endpoints list` shows those there are; `taxiway endpoints deploy {endpoint} MODEL@VERSION` makes it."
    )
    return NotFound(kind="endpoint", name=endpoint, hint=hint)


def unknown_revision(endpoint: str, number: int) -> NotFound:
    hint = f"`taxiway endpoints show {endpoint}` shows those there are."
    return NotFound(kind="revision", name=f"{endpoint}/{number}", hint=hint)
