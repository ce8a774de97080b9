"""Versions registered by where their files are: what a run or a logged model holds becomes the version's bundle.

A version whose source holds no model is kept all the same, as a label: it can be found, tagged and aliased, and is
refused for what needs a model.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.kernel.version import VERSION
from taxiway.lineage.service import draw_edge
from taxiway.models import store
from taxiway.models.bundles.bundle import BundleFile, BundleTampered, Manifest, bundle_digest
from taxiway.models.bundles.mlflow_folder import LARGEST_MLMODEL_BYTES, Read, Unreadable, read_folder
from taxiway.models.bundles.mlmodel import MLMODEL
from taxiway.models.bundles.shelf import Shelf
from taxiway.models.catalogue import require_model
from taxiway.models.contract import ModelVersion, RegisterSource, StageEntry
from taxiway.models.logged.service import LoggedModels
from taxiway.models.lookup import find_kept, require_bundle, require_version, unknown
from taxiway.models.moving import announced
from taxiway.models.names import check_tags
from taxiway.models.refusals import EvaluationPinned, NoBundle, RunElsewhere
from taxiway.models.registering.evaluations import check_evaluation
from taxiway.models.registering.provenance import Sources, draw_edges, new_version
from taxiway.models.signing.attested import attest_provenance
from taxiway.projects.service import enter_stage, require_project
from taxiway.runs.contract import Predictions, Run
from taxiway.storage.blobs import Blobs, read_blob

MOST_FILES = 10_000


class Found(Struct, frozen=True):
    """What a source held: a bundle's manifest, or why there is none. unfit: why the version cannot answer."""

    manifest: Manifest | None
    unfit: str


class Made(Struct, frozen=True):
    """What made a version's files, a run or a logged model, and the project that this was in."""

    run: str
    project: str


class Origin(Struct, frozen=True):
    """Where a version comes from: the run that made its files, the version that it copies, and what was found."""

    run: Run | None
    like: store.Kept | None
    found: Found


class Sourced:
    """Registers versions by their sources, and looks again where nothing was there at first."""

    def __init__(
        self, ledger: Ledger, access: Access, *, sources: Sources, logged: LoggedModels, blobs: Blobs, shelf: Shelf
    ) -> None:
        self.database = ledger.database
        self.ledger = ledger
        self.access = access
        self.sources = sources
        self.logged = logged
        self.blobs = blobs
        self.shelf = shelf

    def register(self, caller: Caller, body: RegisterSource, *, model: str) -> ModelVersion:
        """The next version of a model. Raises BadField, NotFound, RunElsewhere.

        A model without versions goes to the project of its first version's run, if who opened it registers that.
        """
        check_tags(body.tags)
        like = self._like(caller, body.like) if body.like else None
        run = self._run(body, like)
        made_in = self._made_in(body, run)
        found = self._copied(like, model) if like else self._look(model, body, run)
        if found.manifest is not None:
            self.shelf.put(found.manifest)
        trained_on = self.sources.versions_of(like.version.datasets if like else run.inputs if run else [])

        def make(record: Record) -> ModelVersion:
            project = self._project(record, model, None if like else made_in)
            version = self._version(record, body, Origin(run, like, found), model=model, project=project)
            store.add_version(record.connection, version, found.manifest, body.folder)
            store.add_stage(record.connection, version, StageEntry("none", record.at, caller.name, body.note))
            draw_edges(record, version)
            if like is not None:
                edge = {"source": like.version.ref, "verb": "copied_to", "target": version.ref}
                draw_edge(record, **edge, project=project)
            enter_stage(record, project, "candidate", because=version.ref)
            announced.tell_registered(record, version)
            record.thing, record.project = version.ref, project
            attest_provenance(record, version, run, trained_on)
            record.note(source=body.source, bundle=version.bundle, run=version.run, unfit=version.unfit)
            return require_version(record, model, version.version)

        with self.database.read() as connection:
            known = store.find_model(connection, model)
        if known is None:
            raise unknown(model)
        return self.ledger.change(
            caller, "models.register", f"model:{model}", make, answer=ModelVersion, project=known.project
        )

    def seal(self, caller: Caller, *, model: str, version: str) -> ModelVersion:
        """Looks again for the files of a version that has no bundle; one that has a bundle stays as it is.

        Raises NoBundle where still nothing is there, NotFound.
        """
        with self.database.read() as connection:
            kept = find_kept(connection, model, version)
        before = kept.version
        if before.bundle:
            return before
        body = RegisterSource(before.source, before.run, kept.folder, before.logged_model)
        run = self.sources.runs.find(before.run) if before.run else None
        found = self._look(model, body, run)
        if found.manifest is None:
            raise NoBundle(model=model, version=before.version, what="get a bundle", reason=found.unfit)
        self.shelf.put(found.manifest)
        digest, manifest = bundle_digest(found.manifest), found.manifest
        trained_on = self.sources.versions_of(before.datasets)

        def make(record: Record) -> ModelVersion:
            here = require_version(record, model, before.version)
            if not here.bundle:
                size = sum(file.size_bytes for file in manifest.files)
                store.change_version(
                    record.connection,
                    here,
                    bundle=digest,
                    manifest=manifest,
                    unfit=found.unfit,
                    size_bytes=size,
                    changed_at=record.at,
                )
                record.note(bundle=digest, unfit=found.unfit)
                attest_provenance(record, msgspec.structs.replace(here, bundle=digest), run, trained_on)
            return require_version(record, model, before.version)

        return self.ledger.change(caller, "models.seal", before.ref, make, answer=ModelVersion, project=before.project)

    def seal_waiting(self, caller: Caller, *, logged: str) -> list[ModelVersion]:
        """Looks again for every version that was registered before its logged model was ready."""
        with self.database.read() as connection:
            waiting = [each for each in store.versions_logged(connection, logged) if not each.bundle]
        return [self.seal(caller, model=each.model, version=str(each.version)) for each in waiting]

    def judge_by(self, caller: Caller, body: Predictions, *, model: str, version: str) -> ModelVersion:
        """Pins the predictions that the gates judge a version by, where none are pinned yet.

        Raises EvaluationUnfit, EvaluationPinned, NoBundle, NotFound.
        """
        with self.database.read() as connection:
            kept = find_kept(connection, model, version)
        require_bundle(kept.version, "be judged")
        assert kept.manifest is not None
        may_name = functools.partial(self.access.digests.may_name, caller)
        check_evaluation(self.blobs, body, kept.manifest, self.sources.pinned(kept.manifest), may_name)

        def make(record: Record) -> ModelVersion:
            here = require_version(record, model, kept.version.version)
            if here.evaluation is not None and here.evaluation != body:
                raise EvaluationPinned(model=model, version=here.version, digest=here.evaluation.digest)
            store.change_version(record.connection, here, evaluation=body, changed_at=record.at)
            if body.dataset:
                draw_edge(record, source=body.dataset, verb="judged", target=here.ref, project=here.project)
            record.note(evaluation=msgspec.to_builtins(body))
            return require_version(record, model, here.version)

        ref, project = kept.version.ref, kept.version.project
        return self.ledger.change(caller, "models.judge_by", ref, make, answer=ModelVersion, project=project)

    # --- where a version comes from ---

    def _like(self, caller: Caller, like: str) -> store.Kept:
        """The version whose files are taken. Raises NotAllowed, NotFound."""
        model, _, version = like.rpartition("@")

        def find() -> list[str]:
            with self.database.read() as connection:
                return [find_kept(connection, model, version).version.project]

        self.access.admit(caller, "models.read", kind="version", name=like, find=find)
        with self.database.read() as connection:
            return find_kept(connection, model, version)

    def _run(self, body: RegisterSource, like: store.Kept | None) -> Run | None:
        """The run that made the files, where it is one of ours; another text is kept as a label only."""
        run = body.run or (like.version.run if like else None)
        try:
            return self.sources.runs.find(run) if run else None
        except NotFound:
            if body.folder is not None:
                raise
            return None

    def _made_in(self, body: RegisterSource, run: Run | None) -> Made | None:
        """What made the files, and in which project; None for a label. Raises NotFound."""
        if body.logged_model:
            logged = self.logged.find(body.logged_model)
            return Made(logged.run or logged.id, logged.project)
        return Made(run.id, run.project) if run else None

    def _project(self, record: Record, model: str, made: Made | None) -> str:
        """The project of the model, which a first version of who opened the name may settle.

        Raises NotAllowed, NotFound, RunElsewhere.
        """
        known = require_model(record, model)
        if made is None or made.project == known.project:
            return require_project(record, known.project).name
        if known.created_by != record.caller.name or store.numbered(record.connection, model):
            raise RunElsewhere(model=model, run=made.run, project=known.project)
        self.access.require(record.caller, "models.write", made.project)
        store.change_model(record.connection, model, project=made.project)
        record.note(project={"before": known.project, "after": made.project})
        return made.project

    def _version(
        self, record: Record, body: RegisterSource, origin: Origin, *, model: str, project: str
    ) -> ModelVersion:
        found, like, run = origin.found, origin.like, origin.run
        held = require_project(record, project)
        is_own = run is not None and run.project == project
        version = new_version(record, found.manifest, project=held, model=model, note=body.note)
        return msgspec.structs.replace(
            version,
            source=body.source,
            run=run.id if run and is_own else None,
            run_label=body.run or (like.version.run_label if like else ""),
            logged_model=body.logged_model or (like.version.logged_model if like else ""),
            evaluation=like.version.evaluation if like and is_own else None,
            datasets=like.version.datasets if like else list(run.inputs) if run and is_own else [],
            description=body.description,
            tags=body.tags,
            unfit=found.unfit,
        )

    # --- what is there ---

    def _copied(self, like: store.Kept, model: str) -> Found:
        if like.manifest is None:
            return Found(None, like.version.unfit)
        return Found(msgspec.structs.replace(like.manifest, name=model), like.version.unfit)

    def _look(self, model: str, body: RegisterSource, run: Run | None) -> Found:
        """The bundle that the files at a source make. Whatever keeps them from being one is said, not raised."""
        files = self._files(body)
        if files is None:
            return Found(None, f"it only names its source, {body.source!r}. Register a model that a run logged.")
        mlmodel = next((file for file in files if file.path == MLMODEL), None)
        if mlmodel is None or len(files) > MOST_FILES:
            problem = f"holds more than {MOST_FILES:,} files" if mlmodel else f"held no {MLMODEL} file"
            hint = "Once its files are there, `taxiway models seal` looks again; or log the model and register that."
            return Found(None, f"its source {body.source!r} {problem}. {hint}")
        try:
            read = self._read(model, files, mlmodel, run)
            return Found(msgspec.structs.replace(read.manifest, taxiway=VERSION), read.unfit)
        except (Unreadable, BundleTampered) as e:
            return Found(None, str(e))

    def _read(self, model: str, files: Sequence[BundleFile], mlmodel: BundleFile, run: Run | None) -> Read:
        if mlmodel.size_bytes > LARGEST_MLMODEL_BYTES:
            raise Unreadable(problem=f"Its {MLMODEL} is larger than any model's")
        data = read_blob(self.blobs, mlmodel.digest, f"the {MLMODEL} of {model}")
        return read_folder(files, data, name=model, run=run.id if run else None)

    def _files(self, body: RegisterSource) -> list[BundleFile] | None:
        """The files at a source, their paths relative to it; None where it is no place that we keep."""
        logged = body.logged_model or self._logged_at(body)
        if logged:
            kept = [(each.path, each.size_bytes, each.digest) for each in self.logged.files(logged)]
        elif body.run and body.folder is not None:
            kept = [(each.path, each.size_bytes, each.digest) for each in self.sources.runs.artifacts(body.run)]
        else:
            return None
        folder = body.folder if body.folder and (body.logged_model or not logged) else ""
        inside = f"{folder.strip('/')}/" if folder.strip("/") else ""
        return [
            BundleFile(path=path.removeprefix(inside), size_bytes=size, digest=digest)
            for path, size, digest in kept
            if path.startswith(inside)
        ]

    def _logged_at(self, body: RegisterSource) -> str:
        """The logged model that a run made under the name of a folder: MLflow's clients write both alike."""
        if not body.run or not body.folder:
            return ""
        mlmodel = f"{body.folder.strip('/')}/{MLMODEL}"
        if any(artifact.path == mlmodel for artifact in self.sources.runs.artifacts(body.run)):
            return ""
        named = [model.id for model in self.logged.made_by(body.run) if model.name == body.folder.strip("/")]
        return named[-1] if named else ""
