"""The rules of models: a version is what its digest says, and it moves only where its guard lets it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.datasets.contract import DatasetVersion
from taxiway.datasets.service import Datasets
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField, NotFound
from taxiway.kernel.ids import is_name
from taxiway.kernel.thing import parse
from taxiway.lineage.service import draw_edge
from taxiway.models import store
from taxiway.models.bundle import BundleTampered, Manifest, bundle_digest
from taxiway.models.cards import Cards
from taxiway.models.contract import (
    ListModels,
    Model,
    ModelStage,
    ModelVersion,
    Promote,
    RegisterVersion,
    StageEntry,
    Verified,
)
from taxiway.models.evaluations import check_evaluation
from taxiway.models.guard import Guard
from taxiway.models.lookup import find_kept, unknown
from taxiway.models.movements import Movements
from taxiway.models.refusals import BundleDiffers, ModelElsewhere, RunElsewhere
from taxiway.models.shelf import Shelf
from taxiway.projects.contract import Project
from taxiway.projects.service import Projects, enter_stage, require_project
from taxiway.runs.service import Runs
from taxiway.storage.blobs import Blobs
from taxiway.storage.database import Database

NAME_EXPECTED = "a name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"


class Sources:
    """What versions come from: the nouns below, as far as models ask them."""

    def __init__(self, projects: Projects, datasets: Datasets, runs: Runs) -> None:
        self.projects = projects
        self.datasets = datasets
        self.runs = runs

    def datasets_of(self, manifest: Manifest, project: str) -> list[str]:
        """References of the dataset versions that a bundle was trained on. Raises NotFound for an unknown digest."""
        refs: dict[str, None] = {}
        for digest in manifest.datasets:
            found = self.datasets.with_digest(digest)
            if not found:
                raise NotFound(kind="dataset", name=digest, hint="Register the dataset, then log the model again.")
            own = [each for each in found if each.project == project] or found
            refs[own[-1].ref] = None
        return list(refs)

    def versions_of(self, refs: Sequence[str]) -> list[DatasetVersion]:
        """The dataset versions that references such as ``dataset:mortgages/loans@2`` name. Raises NotFound."""
        found = []
        for ref in refs:
            _, name, version = parse(ref)
            project, _, dataset = name.partition("/")
            found.append(self.datasets.find(project, dataset, version))
        return found

    def check_run(self, manifest: Manifest, project: str) -> None:
        """Raises NotFound, RunElsewhere."""
        if manifest.run is not None and self.runs.find(manifest.run).project != project:
            raise RunElsewhere(model=manifest.name, run=manifest.run, project=project)

    def pinned(self, manifest: Manifest) -> list[str]:
        """The digests of the predictions that a bundle's run logged. Raises NotFound."""
        artifacts = self.runs.artifacts(manifest.run) if manifest.run else []
        return [each.digest for each in artifacts if each.predictions]


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
        self.movements = Movements(database, ledger, access)
        self.cards = Cards(database, ledger, sources.projects, sources.runs, self.movements)

    def guard_with(self, guard: Guard) -> None:
        """Lets the gates decide; until then nothing moves."""
        self.movements.guard = guard

    def promote(self, caller: Caller, body: Promote, *, model: str, version: str) -> ModelVersion:
        """As `Movements.promote`."""
        return self.movements.promote(caller, body, model=model, version=version)

    # --- registering ---

    def register(self, caller: Caller, body: RegisterVersion) -> ModelVersion:
        """A new version, or the one that holds the same bundle already. A model is made with its first version.

        Raises BadField, BundleDiffers, BundleTampered, EvaluationUnfit, ModelElsewhere, NotFound, RunElsewhere.
        """
        manifest, name = body.manifest, body.manifest.name
        if not is_name(name):
            raise BadField(field="manifest.name", value=repr(name), expected=NAME_EXPECTED)
        if (found := bundle_digest(manifest)) != body.digest:
            raise BundleDiffers(model=name, expected=body.digest, found=found)
        project = self.sources.projects.find(body.project)
        if manifest.risk_tier not in (None, project.risk):
            expected = f"{project.risk}, the tier of the project {project.name}"
            raise BadField(field="manifest.risk_tier", value=repr(manifest.risk_tier), expected=expected)
        self.sources.check_run(manifest, project.name)
        datasets = self.sources.datasets_of(manifest, project.name)
        if body.evaluation is not None:
            check_evaluation(self.blobs, body.evaluation, manifest, self.sources.pinned(manifest))
        self.shelf.put(manifest)

        def make(record: Record) -> ModelVersion:
            self._own(record, name, project.name)
            if known := store.find_bundle(record.connection, name, body.digest):
                return known
            version = new_version(record, body, project, datasets)
            store.add_version(record.connection, version, manifest)
            store.add_stage(record.connection, version, StageEntry("none", record.at, caller.name, body.note))
            draw_edges(record, version)
            enter_stage(record, project.name, "candidate", because=version.ref)
            record.thing = version.ref
            record.note(bundle=body.digest, run=manifest.run, datasets=datasets, risk=project.risk)
            record.note(evaluation=msgspec.to_builtins(body.evaluation))
            return version

        thing = f"model:{name}"
        return self.ledger.change(caller, "models.register", thing, make, answer=ModelVersion, project=project.name)

    def _own(self, record: Record, name: str, project: str) -> None:
        require_project(record, project)
        model = store.find_model(record.connection, name)
        if model is None:
            store.add_model(record.connection, Model(name, project, 0, {}, record.caller.name, record.at))
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

    def versions(self, caller: Caller, *, model: str) -> Page[ModelVersion]:
        """Newest first."""
        with self.database.read() as connection:
            return Page(store.versions_of(connection, model))

    def in_project(self, project: str) -> list[ModelVersion]:
        """Every version of a project's models, newest first."""
        with self.database.read() as connection:
            return store.versions_in(connection, project)

    def find(self, model: str, version: int | str) -> ModelVersion:
        """A version by its number or by an alias. Raises NotFound."""
        return self._kept(model, version).version

    def resolve(self, name: str) -> ModelVersion:
        """The version that ``mortgage@3`` or ``mortgage@champion`` means; without a version the newest."""
        model, at, version = name.partition("@")
        return self.find(model, version if at else "newest")

    def find_version(self, caller: Caller, *, model: str, version: str) -> ModelVersion:
        return self.find(model, version)

    def manifest(self, caller: Caller, *, model: str, version: str) -> Manifest:
        return self._kept(model, version).manifest

    def stages(self, caller: Caller, *, model: str, version: str) -> Page[StageEntry]:
        """In the order in which they were entered."""
        number = self.find(model, version).version
        with self.database.read() as connection:
            return Page(store.stages_of(connection, model, number))

    def verify(self, caller: Caller, *, model: str, version: str) -> Verified:
        """Checks every byte of a version's bundle. Raises BundleTampered, and leaves an entry of that."""
        found = self.find(model, version)
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


def new_version(record: Record, body: RegisterVersion, project: Project, datasets: list[str]) -> ModelVersion:
    manifest = body.manifest
    stage: ModelStage = "none"
    return ModelVersion(
        model=manifest.name,
        version=store.newest(record.connection, manifest.name) + 1,
        project=project.name,
        bundle=body.digest,
        flavour=manifest.flavour,
        signature=manifest.signature,
        threshold=manifest.threshold,
        run=manifest.run,
        datasets=datasets,
        environment=manifest.environment,
        risk=project.risk,
        evaluation=body.evaluation,
        stage=stage,
        aliases=[],
        size_bytes=sum(file.size_bytes for file in manifest.files),
        note=body.note,
        created_by=record.caller.name,
        created_at=record.at,
    )


def draw_edges(record: Record, version: ModelVersion) -> None:
    """What the version came from: its run, and the data that trained and judged it."""
    project, ref = version.project, version.ref
    if version.run:
        draw_edge(record, source=f"run:{version.run}", verb="produced", target=ref, project=project)
    for dataset in version.datasets:
        draw_edge(record, source=dataset, verb="trained", target=ref, project=project)
    if version.evaluation and version.evaluation.dataset:
        draw_edge(record, source=version.evaluation.dataset, verb="judged", target=ref, project=project)
