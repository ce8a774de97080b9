"""The SDK of models."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from taxiway.kernel.canonical import canonical_json
from taxiway.kernel.errors import ServerAway
from taxiway.kernel.transport import Transport
from taxiway.models import contract
from taxiway.models.bundles.bundle import MANIFEST, Bundle, Manifest, verify_bundle, write_bundle
from taxiway.models.bundles.used import bring
from taxiway.models.contract import (
    Alias,
    Card,
    ChangeModel,
    ChangeVersion,
    CreateModel,
    Deleted,
    EnterCard,
    Evaluation,
    ListModels,
    LogModel,
    Model,
    ModelVersion,
    PointAlias,
    Promote,
    RegisterSource,
    RegisterVersion,
    StageEntry,
    Target,
    Verified,
)
from taxiway.models.logged import contract as logged_contract
from taxiway.models.logged.contract import ListLogged, LoggedModel
from taxiway.models.predicting.flavours import PYTHON, flavour, flavour_of
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.refusals import TwinNotMade
from taxiway.models.registering.origins import Recorded, environment_lock
from taxiway.models.registering.pending import PendingVersion
from taxiway.models.twins.record import NoTwin
from taxiway.runs.active import ActiveRun, deliver_open
from taxiway.runs.sending.recorder import AWAY_S
from taxiway.runs.sending.records import Request
from taxiway.runs.sending.stream import Bytes
from taxiway.storage.contract import put_blob

LONG_S = 3600.0  # for a large model on its way to a server that takes it


class Models:
    """Registered models and their versions: ``client.models``.

    Where a method takes a `name`, it reads ``mortgage@3``, ``mortgage@champion``, or ``mortgage`` for the newest.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    # --- finding ---

    def show(self, model: str) -> Model:
        """A model, its newest version and its aliases. Raises NotFound."""
        return self.transport.call(contract.show_model, model=model)

    def versions(self, model: str) -> list[ModelVersion]:
        """Newest first."""
        return self.transport.call(contract.list_versions, model=model).items

    def find(self, name: str) -> ModelVersion:
        """The version that a name means. Raises NotFound."""
        return self.transport.call(contract.find_version, **split(name))

    def stages(self, name: str) -> list[StageEntry]:
        """When a version entered which stage, by whom and why."""
        return self.transport.call(contract.list_stages, **split(name)).items

    def logged(self, *, run: str = "", project: str = "") -> list[LoggedModel]:
        """Models that runs made, before anything of them was registered, newest first; of one run, of one project."""
        return self.transport.call(logged_contract.list_logged, ListLogged(project, run)).items

    # --- registering ---

    def register(
        self, folder: str | Path, *, project: str, evaluation: Evaluation | None = None, note: str = ""
    ) -> ModelVersion:
        """Registers a sealed bundle folder as the next version of the model that its manifest names.

        The same bundle again gives the version that there is. Raises BundleTampered, NotABundle, ModelElsewhere,
        EvaluationUnfit, NotFound.
        """
        bundle = verify_bundle(Path(folder))
        if bundle.manifest.run is not None:
            deliver_open(bundle.manifest.run)  # such as the predictions that it is judged by
        self._upload(bundle)
        body = RegisterVersion(project, bundle.manifest, bundle.digest, evaluation, note)
        return self.transport.call(contract.register_version, body)

    def log(
        self,
        run: Recorded,
        model: Any,
        name: str,
        *,
        example: Any,
        predictions: Evaluation | None = None,
        threshold: float | None = None,
        nullable: Collection[str] = (),
        note: str = "",
        wait_s: float = LONG_S,
    ) -> ModelVersion | PendingVersion:
        """Registers a fitted model as the next version under `name`, tied to its run and the data that it used.

        A service is logged alike: an object of a class with `load` and `predict`; its source goes with it, and the
        versions that it `uses`.

        example: the rows it was trained on, as they were given to `fit`: the signature is read from them.
        predictions: what `run.log_predictions` gave; the gates judge the version by them. threshold: the score
        from which the answer is yes; by default the one that the predictions were made with. nullable: columns that
        may have gaps in use though the example has none, for a model that copes with them.
        wait_s: how long to wait for the number, from a server that is at work. One that is away is not waited for: the
        model waits in the run's spool, and what is given says so: `is_pending`, and `wait()` for the version.
        Raises FlavourMissing, ModelNotSaved, NoSignature, ModelElsewhere, EvaluationUnfit.
        """
        of = flavour_of(model)
        if threshold is None and predictions is not None and predictions.score and of != PYTHON:
            threshold = predictions.threshold  # a service decides in its own code
        kind = flavour(of)
        with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
            used = bring(model, Path(folder), self.find, self.download)
            draft = kind.save(model, Path(folder), example, name=name, threshold=threshold, nullable=nullable)
            bundle = write_bundle(Path(folder), replace(draft, run=run.id, uses=used), lock=environment_lock())
            body = LogModel(bundle.manifest, predictions, note)
            if isinstance(run, ActiveRun) and run.ending is None:
                return self._log_by_spool(run, bundle, body, wait_s)
            return self._log_at_once(bundle, body, run.id)

    def _log_by_spool(
        self, run: ActiveRun, bundle: Bundle, body: LogModel, wait_s: float
    ) -> ModelVersion | PendingVersion:
        """Hands a bundle over to the run's spool; where that has no room, to the server itself."""
        name = body.manifest.name
        files = [Bytes(bundle.folder / file.path, file.digest, file.size_bytes) for file in bundle.manifest.files]
        request = Request(contract.log_model.url({"run": run.id}), msgspec.json.encode(body), f"model {name}")
        parcel = run.send(files, request, wait_s)
        if parcel is not None:
            answer = parcel.answer(0.0)
            if answer is not None:
                return msgspec.json.decode(answer, type=ModelVersion)
            return PendingVersion(name, run.id, parcel)
        problem = f"the spool has no room for {sum(file.size_bytes for file in files):,} bytes, and no server answers"
        with suppress(ServerAway):
            if run.flush(AWAY_S):
                return self._log_at_once(bundle, body, run.id)
        run.lose(f"the model {name} is lost: {problem}.")
        return PendingVersion(name, run.id, None, problem)

    def _log_at_once(self, bundle: Bundle, body: LogModel, run: str) -> ModelVersion:
        self._upload(bundle)
        return self.transport.call(contract.log_model, body, run=run)

    def _upload(self, bundle: Bundle) -> None:
        for file in bundle.manifest.files:
            with (bundle.folder / file.path).open("rb") as source:
                self.transport.upload(put_blob, source, file.size_bytes, digest=file.digest)

    def add_twin(self, name: str, *, may_run_code: bool = False, note: str = "") -> ModelVersion:
        """Registers a version anew with a compiled twin beside its model, made here from its own files.

        A version never changes, so this is the next one of the model, tied to the same run, data and predictions, and
        to the version it comes from. Its gates are passed anew, and approvals are given for it.
        may_run_code: also reads a pickle, which can run any code. Raises TwinNotMade with why, CodeInModel,
        FlavourMissing, NoBundle.
        """
        found = self.find(name)
        adding = import_module("taxiway.models.twins.adding")  # brings NumPy, which few callers need
        with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
            bundle = self.download(f"{found.model}@{found.version}", Path(folder) / "before")
            native = flavour(found.flavour).load(bundle.folder, bundle.digest, may_run_code=may_run_code)
            try:
                made: Bundle = adding.added(bundle, native, Path(folder) / "after")
            except NoTwin as reason:
                raise TwinNotMade(model=found.model, version=found.version, reason=str(reason)) from None
            self._upload(made)
            said = note or f"version {found.version} with a twin"
            body = RegisterVersion(found.project, made.manifest, made.digest, found.evaluation, said)
            return self.transport.call(contract.register_version, body)

    def create(self, name: str, *, project: str, description: str = "", tags: Mapping[str, str] | None = None) -> Model:
        """Opens a name before there is a version of it. Raises AlreadyExists."""
        return self.transport.call(contract.create_model, CreateModel(project, name, description, dict(tags or {})))

    def register_source(
        self,
        model: str,
        source: str,
        *,
        run: str | None = None,
        folder: str | None = None,
        logged_model: str = "",
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> ModelVersion:
        """Registers a version by where its files are, under a name that there is.

        run and folder: a folder among a run's artifacts; logged_model: a model that a run made. Where an MLmodel file
        is there, its files become the version's bundle. Otherwise `source` is kept as a label, and the version is
        refused for what needs a model. Raises NotFound, RunElsewhere.
        """
        body = RegisterSource(source, run, folder, logged_model, description=description, tags=dict(tags or {}))
        return self.transport.call(contract.register_source, body, model=model)

    def seal(self, name: str) -> ModelVersion:
        """Looks again for the files of a version that was registered before they were there. Raises NoBundle."""
        return self.transport.call(contract.seal_version, **split(name))

    def judge_by(self, name: str, predictions: Evaluation) -> ModelVersion:
        """Pins what `run.log_predictions` gave as what the gates judge a version by.

        Raises EvaluationPinned, EvaluationUnfit, NoBundle.
        """
        return self.transport.call(contract.judge_by, predictions, **split(name))

    # --- moving ---

    def promote(self, name: str, stage: Target, *, reason: str = "", archive_others: bool = False) -> ModelVersion:
        """Moves a version to a stage of its path. Raises GateClosed with each gate that is not open, AlreadyThere.

        archive_others: what stood in that stage goes to the archive in the same change.

        >>> client.models.promote("mortgage@2", "production", reason="passes four fifths")  # doctest: +SKIP
        """
        body = Promote(stage=stage, reason=reason, archive_others=archive_others)
        return self.transport.call(contract.promote, body, **split(name))

    def point_alias(self, model: str, alias: str, *, version: int, reason: str = "") -> Alias:
        """Points an alias at a version. Raises AliasGuarded for one that moves only with a stage."""
        body = PointAlias(version=version, reason=reason)
        return self.transport.call(contract.point_alias, body, model=model, alias=alias)

    def drop_alias(self, model: str, alias: str) -> Alias:
        """Takes an alias away and gives what it was. Raises AliasGuarded, NotFound."""
        return self.transport.call(contract.drop_alias, model=model, alias=alias)

    def rename(self, model: str, to: str) -> Model:
        """Gives a model another name; versions, tags and aliases follow.

        Raises AlreadyExists, NumbersTaken, StillAnswers.
        """
        return self.transport.call(contract.change_model, ChangeModel(name=to), model=model)

    def delete(self, name: str) -> Deleted:
        """Deletes ``mortgage@3``, or with ``mortgage`` the model and all its versions. No number is given again.

        Raises NotAllowed, StillAnswers, StillStands.
        """
        if "@" not in name:
            return self.transport.call(contract.delete_model, model=name)
        return self.transport.call(contract.delete_version, **split(name))

    # --- saying ---

    def describe(
        self,
        name: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        untag: Collection[str] = (),
    ) -> Model | ModelVersion:
        """Describes and tags ``mortgage@3``, or with ``mortgage`` the model. What is None stays as it is.

        tags are set beside those there are; `untag` takes tags away.
        """
        if "@" not in name:
            change = ChangeModel(description=description, tags=dict(tags or {}), untag=list(untag))
            return self.transport.call(contract.change_model, change, model=name)
        body = ChangeVersion(description=description, tags=dict(tags or {}), untag=list(untag))
        return self.transport.call(contract.change_version, body, **split(name))

    def card(self, name: str) -> Card:
        """What people should know about a version: each field recorded, entered or missing."""
        return self.transport.call(contract.show_card, **split(name))

    def enter_card(self, name: str, **fields: str) -> Card:
        """Enters fields of a version's card: intended_use, limits, ethical_considerations, who_is_affected, contact.

        An empty text takes a field back. Approvals of what the card said before are void. Raises BadField.
        """
        return self.transport.call(contract.enter_card, EnterCard(fields=fields), **split(name))

    # --- fetching ---

    def verify(self, name: str) -> Verified:
        """Has the server check every byte of a version's bundle. Raises BundleTampered, naming the file."""
        return self.transport.call(contract.verify_version, **split(name))

    def manifest(self, name: str) -> Manifest:
        """What a version's bundle holds, file by file."""
        return self.transport.call(contract.show_manifest, **split(name))

    def download(self, name: str, to: str | Path) -> Bundle:
        """Fetches a version's bundle into a folder that is not there yet; every byte is checked.

        Raises FileExistsError, BundleTampered.
        """
        found = self.find(name)
        target = Path(to)
        if target.exists():
            raise FileExistsError(f"{target} is there already. Give a folder that is not, or remove it.")
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=".incoming-"))
        try:
            self._fetch(found, beside)
            verify_bundle(beside, found.bundle)
            beside.chmod(0o755)
            beside.rename(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
        return verify_bundle(target, found.bundle)

    def load(self, name: str, *, may_run_code: bool = False) -> Predictor:
        """A version's model, ready to predict: fetched into a cache once, checked at every load.

        may_run_code: also reads a pickle, which can run any code. Raises BundleTampered, CodeInModel,
        FlavourMissing, NoBundle.

        >>> client.models.load("mortgage@champion").predict([{"income": 71.0}])  # doctest: +SKIP
        """
        found = self.find(name)
        folder = cache_folder() / found.bundle.removeprefix("sha256:")
        if not folder.exists():
            self.download(f"{found.model}@{found.version}", folder)
        return flavour(found.flavour).load(folder, found.bundle, may_run_code=may_run_code)

    def _fetch(self, version: ModelVersion, folder: Path) -> None:
        where = {"model": version.model, "version": str(version.version)}
        manifest = self.transport.call(contract.show_manifest, **where)
        (folder / MANIFEST).write_bytes(canonical_json(manifest))
        for file in manifest.files:
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as into:
                self.transport.download(contract.download_file, into, **where, file=file.path)

    def list(self, *, project: str = "") -> list[Model]:
        """The models that one may see, by name."""
        return self.transport.call(contract.list_models, ListModels(project=project)).items


def split(name: str) -> dict[str, str]:
    """The model and the version that a name such as ``mortgage@champion`` means; without one the newest.

    >>> split("mortgage@3")
    {'model': 'mortgage', 'version': '3'}
    """
    model, at, version = name.rpartition("@")
    return {"model": model if at else name, "version": (version if at else "") or "newest"}


def cache_folder() -> Path:
    """Where fetched bundles are kept: `taxiway/bundles` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "taxiway" / "bundles"
