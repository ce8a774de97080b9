"""The rules of models: a version is what its digest says, and it moves only where its guard lets it."""

from __future__ import annotations

import functools
from collections.abc import Callable

import msgspec

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField
from taxiway.kernel.thing import Thing
from taxiway.lineage.service import draw_edge
from taxiway.models import store
from taxiway.models.bundles.bundle import BundleTampered, Manifest, bundle_digest
from taxiway.models.bundles.shelf import Shelf, not_stored
from taxiway.models.bundles.used import check_used
from taxiway.models.catalogue import Catalogue, new_model
from taxiway.models.contract import (
    ListModels,
    LogModel,
    Model,
    ModelVersion,
    Promote,
    RegisterVersion,
    StageEntry,
    Verified,
)
from taxiway.models.describing.cards import Cards
from taxiway.models.logged import store as logged_store
from taxiway.models.logged.service import LoggedModels
from taxiway.models.lookup import find_kept, require_bundle, unknown
from taxiway.models.moving import announced
from taxiway.models.moving.guard import Guard
from taxiway.models.moving.movements import Movements
from taxiway.models.names import check_name
from taxiway.models.refusals import BundleDiffers, ModelElsewhere
from taxiway.models.registering.derived import origin_of
from taxiway.models.registering.evaluations import check_evaluation
from taxiway.models.registering.provenance import Sources, draw_edges, new_version
from taxiway.models.registering.sourced import Sourced
from taxiway.models.signing.attested import attest_provenance
from taxiway.projects.service import enter_stage, require_project
from taxiway.storage.blobs import Blobs
from taxiway.storage.database import Database


class Models:
    """Registered models and their versions. `movements` and `cards` hold what moves and what is said of them."""

    def __init__(
        self, database: Database, ledger: Ledger, access: Access, *, sources: Sources, blobs: Blobs, shelf: Shelf
    ) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.sources = sources
        self.blobs = blobs
        self.shelf = shelf
        shelf.manifest_of = self._manifest_of
        access.digests.named_in.append(store.names_digest)
        self.movements = Movements(database, ledger, access)
        self.catalogue = Catalogue(ledger, access, self.movements)
        self.logged = LoggedModels(ledger, access, blobs)
        self.sourced = Sourced(ledger, access, sources=sources, logged=self.logged, blobs=blobs, shelf=shelf)
        self.cards = Cards(database, ledger, sources.projects, sources.runs, self.movements)

    def guard_with(self, guard: Guard) -> None:
        """Lets the gates decide; until then nothing moves."""
        self.movements.guard = guard

    def _manifest_of(self, bundle: str) -> Manifest | None:
        with self.database.read() as connection:
            return store.manifest_of(connection, bundle)

    def promote(self, caller: Caller, body: Promote, *, model: str, version: str) -> ModelVersion:
        """As `Movements.promote`."""
        return self.movements.promote(caller, body, model=model, version=version)

    # --- registering ---

    def log(self, caller: Caller, body: LogModel, *, run: str) -> ModelVersion:
        """A new version that a run made, as `register`: trained on what the run read, at the risk of its project.

        Raises BadField where the manifest names another run, and what `register` raises.
        """
        if body.manifest.run not in (None, run):
            raise BadField(field="manifest.run", value=repr(body.manifest.run), expected=f"{run}, as in the address")
        recorded = self.sources.runs.find(run)
        project = self.sources.projects.find(recorded.project)
        datasets = tuple(version.digest for version in self.sources.versions_of(recorded.inputs))
        manifest = msgspec.structs.replace(body.manifest, run=run, datasets=datasets, risk_tier=project.risk)
        return self.register(
            caller, RegisterVersion(project.name, manifest, bundle_digest(manifest), body.evaluation, body.note)
        )

    def register(self, caller: Caller, body: RegisterVersion) -> ModelVersion:
        """A new version, or the one that holds the same bundle already. A model is made with its first version.

        Raises BadField, BundleDiffers, BundleTampered, EvaluationUnfit, ModelElsewhere, NotFound, RunElsewhere.
        """
        manifest, name = body.manifest, body.manifest.name
        check_name(name, field="manifest.name", is_wide=False)
        if (found := bundle_digest(manifest)) != body.digest:
            raise BundleDiffers(model=name, expected=body.digest, found=found)
        project = self.sources.projects.find(body.project)
        if manifest.risk_tier not in (None, project.risk):
            expected = f"{project.risk}, the tier of the project {project.name}"
            raise BadField(field="manifest.risk_tier", value=repr(manifest.risk_tier), expected=expected)
        self.sources.check_run(manifest, project.name)
        datasets = self.sources.datasets_of(manifest, project.name, self.access.visible(caller))
        if body.evaluation is not None:
            may_name = functools.partial(self.access.digests.may_name, caller)
            check_evaluation(self.blobs, body.evaluation, manifest, self.sources.pinned(manifest), may_name)
        self._check_sent(caller, manifest)
        check_used(manifest, self._readable(caller))
        self.shelf.put(manifest)
        run = self.sources.runs.find(manifest.run) if manifest.run else None
        trained_on = self.sources.versions_of(datasets)

        def make(record: Record) -> ModelVersion:
            self._own(record, name, project.name)
            if known := store.find_bundle(record.connection, name, body.digest):
                return known
            origin = origin_of(record.connection, manifest)
            version = msgspec.structs.replace(
                new_version(record, manifest, model=name, project=project, note=body.note),
                datasets=datasets,
                evaluation=body.evaluation,
                run_label=manifest.run or "",
            )
            store.add_version(record.connection, version, manifest)
            store.add_stage(record.connection, version, StageEntry("none", record.at, caller.name, body.note))
            draw_edges(record, version, manifest.uses)
            if origin is not None:
                draw_edge(record, source=origin.ref, verb="compiled_into", target=version.ref, project=project.name)
            enter_stage(record, project.name, "candidate", because=version.ref)
            announced.tell_registered(record, version)
            record.thing = version.ref
            attest_provenance(record, version, run, trained_on)
            record.note(bundle=body.digest, run=manifest.run, datasets=datasets, risk=project.risk)
            record.note(evaluation=msgspec.to_builtins(body.evaluation))
            return version

        thing = f"model:{name}"
        return self.ledger.change(caller, "models.register", thing, make, answer=ModelVersion, project=project.name)

    def _readable(self, caller: Caller) -> Callable[[str, int], ModelVersion]:
        """Finds a version that the caller may see. Raises NotFound for any other."""
        visible = self.access.visible(caller)

        def find(model: str, version: int) -> ModelVersion:
            found = self.find(model, version)
            if visible is not None and found.project not in visible:
                raise unknown(model, version)
            return found

        return find

    def _check_sent(self, caller: Caller, manifest: Manifest) -> None:
        """Raises NotFound for the first file that the caller may not name, as `Shelf.put` does for one not there."""
        if not caller.is_admin:
            for file in manifest.files:
                if not (self.access.digests.may_name(caller, file.digest) and self.blobs.has(file.digest)):
                    raise not_stored(file)

    def _own(self, record: Record, name: str, project: str) -> None:
        require_project(record, project)
        model = store.find_model(record.connection, name)
        if model is None:
            opened = new_model(record, name, project)
            store.add_model(record.connection, opened)
            announced.tell_opened(record, opened)
        elif model.project != project:
            raise ModelElsewhere(model=name, project=project)

    # --- reading ---

    def show(self, caller: Caller, *, model: str) -> Model:
        with self.database.read() as connection:
            found = store.find_model(connection, model)
        if found is None:
            raise unknown(model)
        return found

    def project_of(self, model: str) -> str:
        """The project that owns a model. Raises NotFound."""
        with self.database.read() as connection:
            found = store.find_model(connection, model)
        if found is None:
            raise unknown(model)
        return found.project

    def project_of_thing(self, thing: Thing) -> str:
        """The project of a model, or of one of its versions, by its reference. Raises NotFound."""
        return self.project_of(thing.name) if thing.version is None else self.find(thing.name, thing.version).project

    def versions(self, caller: Caller, *, model: str) -> Page[ModelVersion]:
        """Newest first."""
        with self.database.read() as connection:
            return Page(store.versions_of(connection, model))

    def in_project(self, project: str) -> list[ModelVersion]:
        """Every version of a project's models, newest first."""
        with self.database.read() as connection:
            return store.versions_in(connection, project)

    def made_by(self, run: str) -> list[ModelVersion]:
        """The versions that were registered from a run, by model, the newest first."""
        with self.database.read() as connection:
            return store.versions_made_by(connection, run)

    def find(self, model: str, version: int | str) -> ModelVersion:
        """A version by its number or by an alias. Raises NotFound."""
        return self._kept(model, version).version

    def with_bundle(self, model: str, bundle: str) -> ModelVersion | None:
        """The newest version of a model that holds a bundle; None where there is none, or none any more."""
        with self.database.read() as connection:
            return store.find_bundle(connection, model, bundle)

    def next_number(self, model: str) -> int:
        """The number that the next version of a model gets."""
        with self.database.read() as connection:
            return (store.numbered(connection, model) or 0) + 1

    def recall(self, model: str, version: int) -> ModelVersion:
        """A version by its number, also one that was deleted since. Raises NotFound."""
        with self.database.read() as connection:
            kept = store.find_kept(connection, model, version, or_deleted=True)
        if kept is None:
            raise unknown(model, version)
        return kept.version

    def everywhere(self, caller: Caller) -> list[ModelVersion]:
        """Every version that the caller may see, in no order."""
        visible = self.access.visible(caller)
        with self.database.read() as connection:
            return store.all_versions(connection, visible)

    def kept_digests(self) -> set[str]:
        """The digests of all bytes that versions and logged models need: bundles, and what versions are judged by."""
        with self.database.read() as connection:
            return store.kept_digests(connection) | logged_store.kept_digests(connection)

    def resolve(self, name: str) -> ModelVersion:
        """The version that ``mortgage@3`` or ``mortgage@champion`` means; without a version the newest."""
        model, at, version = name.rpartition("@") if "@" in name else (name, "", "")
        return self.find(model, version if at else "newest")

    def find_version(self, caller: Caller, *, model: str, version: str) -> ModelVersion:
        return self.find(model, version)

    def manifest(self, caller: Caller, *, model: str, version: str) -> Manifest:
        """Raises NoBundle, NotFound."""
        return self.files_of(model, version)

    def files_of(self, model: str, version: int | str) -> Manifest:
        """What a version's bundle holds. Raises NoBundle, NotFound."""
        kept = self._kept(model, version)
        require_bundle(kept.version, "show its files")
        assert kept.manifest is not None
        return kept.manifest

    def stages(self, caller: Caller, *, model: str, version: str) -> Page[StageEntry]:
        """In the order in which they were entered."""
        number = self.find(model, version).version
        with self.database.read() as connection:
            return Page(store.stages_of(connection, model, number))

    def verify(self, caller: Caller, *, model: str, version: str) -> Verified:
        """Checks every byte of a version's bundle. Raises BundleTampered, and leaves an entry of that; NoBundle."""
        found = self.find(model, version)
        require_bundle(found, "be verified")
        try:
            bundle = self.shelf.verify(found.bundle)
        except BundleTampered as refusal:
            self.ledger.refused(caller, "models.verify", found.ref, refusal, project=found.project)
            raise
        return Verified(model, found.version, found.bundle, len(bundle.manifest.files), found.size_bytes)

    def _kept(self, model: str, version: int | str) -> store.Kept:
        with self.database.read() as connection:
            return find_kept(connection, model, version)

    def list(self, caller: Caller, body: ListModels) -> Page[Model]:
        """The models that the caller may see, by name."""
        visible = self.access.visible(caller)
        if body.project:
            visible = [body.project] if visible is None or body.project in visible else []
        with self.database.read() as connection:
            return Page(store.all_models(connection, visible))
