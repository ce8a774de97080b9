"""MLflow's calls about versions of registered models."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.files import Files
from taxiway.compat.mlflow.grammar import Key, Vocabulary, arrange, parse, parse_order, select
from taxiway.compat.mlflow.names import SCHEME, check_run_id, in_ms
from taxiway.compat.mlflow.paging import page, page_size
from taxiway.compat.mlflow.places import Place, read_path, version_place
from taxiway.compat.mlflow.refusals import CallRefused
from taxiway.compat.mlflow.registered_models import TagIn
from taxiway.compat.mlflow.registry import (
    Version,
    VersionAnswer,
    VersionsAnswer,
    check_description,
    check_tag,
    in_words,
    stage_of,
    tag_of,
    version_number,
    version_of,
)
from taxiway.compat.mlflow.sources import Source, read_source, refused
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import NotFound
from taxiway.models.contract import ChangeVersion, ModelVersion, Promote, RegisterSource
from taxiway.models.refusals import AlreadyThere
from taxiway.models.service import Models
from taxiway.runs.foreign.foreign import ForeignRuns
from taxiway.web.downloads import Download

MOST_LISTED = 200_000
USUAL_LISTED = 10_000
MOST_COPIES = 20  # of copies of copies of a version without files
ATTRIBUTES: dict[str, Any] = {
    "name": "text",
    "run_id": "text",
    "source_path": "text",
    "version_number": "number",
    "creation_timestamp": "number",
    "last_updated_timestamp": "number",
}
ALIASES = {"timestamp": "last_updated_timestamp"}
VOCABULARY = Vocabulary(attributes=ATTRIBUTES, aliases=ALIASES, listed=("name", "run_id"))


class CreateVersion(Struct, frozen=True):
    name: Given
    source: Given
    run_id: str = ""
    tags: list[TagIn] = []
    run_link: str = ""
    description: str = ""
    model_id: str = ""


class VersionNamed(Struct, frozen=True):
    name: Given
    version: Given


class UpdateVersion(Struct, frozen=True):
    name: Given
    version: Given
    description: str = ""


class MoveVersion(Struct, frozen=True):
    name: Given
    version: Given
    stage: Given
    archive_existing_versions: bool = False


class SearchVersions(Struct, frozen=True):
    filter: str = ""
    max_results: Int64 | None = None
    order_by: list[str] = []
    page_token: str = ""


class TagVersion(Struct, frozen=True):
    name: Given
    version: Given
    key: Given
    value: str = ""


class UntagVersion(Struct, frozen=True):
    name: Given
    version: Given
    key: Given


class DownloadUri(Struct, frozen=True):
    artifact_uri: str


class FileOf(Struct, frozen=True):
    name: Given
    version: Given
    path: Given


AT = "/mlflow/model-versions"
create = Call("POST", f"{AT}/create", CreateVersion, VersionAnswer, "models.write", "model")
update = Call("PATCH", f"{AT}/update", UpdateVersion, VersionAnswer, "models.write", "model")
move = Call("POST", f"{AT}/transition-stage", MoveVersion, VersionAnswer, "models.promote", "model", guarded=True)
delete = Call("DELETE", f"{AT}/delete", VersionNamed, Void, "models.write", "model")
get = Call("GET", f"{AT}/get", VersionNamed, VersionAnswer, "models.read", "model")
search = Call("GET", f"{AT}/search", SearchVersions, VersionsAnswer, "models.read", "platform")
get_place = Call("GET", f"{AT}/get-download-uri", VersionNamed, DownloadUri, "models.read", "model")
fetch = Call("GET", "/model-versions/get-artifact", FileOf, Download, "models.read", "model", versions=())
set_tag = Call("POST", f"{AT}/set-tag", TagVersion, Void, "models.write", "model")
delete_tag = Call("DELETE", f"{AT}/delete-tag", UntagVersion, Void, "models.write", "model")


class ModelVersionCalls:
    """The handlers."""

    def __init__(self, models: Models, runs: ForeignRuns, files: Files) -> None:
        self.models = models
        self.runs = runs
        self.files = files

    def bind(self, dialect: Dialect) -> None:
        dialect.serve(create, in_words(self.create))
        dialect.serve(update, in_words(self.update))
        dialect.serve(move, in_words(self.move))
        dialect.serve(delete, in_words(self.delete))
        dialect.serve(get, in_words(self.get))
        dialect.serve(search, self.search)
        dialect.serve(get_place, in_words(self.get_place))
        dialect.serve(fetch, in_words(self.fetch))
        dialect.serve(set_tag, in_words(self.set_tag))
        dialect.serve(delete_tag, in_words(self.delete_tag))

    # --- making and moving ---

    def create(self, caller: Caller, ask: CreateVersion) -> VersionAnswer:
        """A version; where its source holds an MLflow model, its files become the version's bundle."""
        for tag in ask.tags:
            check_tag(tag.key, tag.value)
        if ask.run_id:
            check_run_id(ask.run_id)
        description = check_description(ask.description)
        self.models.project_of(ask.name)
        tags = {tag.key: tag.value for tag in ask.tags}
        source = read_source(ask.source, run_id=ask.run_id, model_id=ask.model_id)
        body = RegisterSource(ask.source, description=description, tags=tags)
        if source.name:
            body = self._copy(ask, source, body)
        elif source.logged:
            logged = self._logged(ask, source.logged)
            body = replace(body, logged_model=source.logged, folder=source.folder, run=ask.run_id or logged or None)
        elif source.run:
            is_ours = self._is_ours(source.run)
            body = replace(body, run=source.run, folder=source.folder if is_ours else None)
        elif ask.run_id:
            body = replace(body, run=ask.run_id)
        if ask.model_id and not source.logged and not source.name:
            self._require_own(ask)
        return VersionAnswer(version_of(self.models.sourced.register(caller, body, model=ask.name)))

    def _require_own(self, ask: CreateVersion) -> None:
        """A logged model that is named beside another source belongs to the same project. Raises CallRefused."""
        try:
            project = self.models.logged.find(ask.model_id).project
        except NotFound as e:
            raise refused(ask.source, "There is no such logged model.") from e
        if project != self.models.project_of(ask.name):
            raise refused(ask.source, "The logged model belongs to another project.")

    def _copy(self, ask: CreateVersion, source: Source, body: RegisterSource) -> RegisterSource:
        """A copy names its origin by number, also where it was asked for by an alias. Raises CallRefused."""
        version = source.version
        if version.isdigit():
            version = version_number(version)
        origin = self.models.find(source.name, version)
        run, logged = origin.run_label or origin.run or "", origin.logged_model
        if ask.run_id not in ("", run) or ask.model_id not in ("", logged):
            raise refused(ask.source, "The run_id and model_id must be those of the version that it names.")
        like = f"{origin.model}@{origin.version}"
        return replace(body, source=f"models:/{origin.model}/{origin.version}", like=like, run=run or None)

    def _logged(self, ask: CreateVersion, logged: str) -> str:
        """The run that made a logged model. Raises CallRefused."""
        try:
            return self.models.logged.find(logged).run
        except NotFound as e:
            raise refused(ask.source, "There is no such logged model.") from e

    def _is_ours(self, run: str) -> bool:
        try:
            self.runs.sheet(run)
        except NotFound:
            return False
        return True

    def move(self, caller: Caller, ask: MoveVersion) -> VersionAnswer:
        """Through the gates, as every promotion. A version that stands there already stays."""
        stage, version = stage_of(ask.stage), version_number(ask.version)
        if ask.archive_existing_versions and stage not in ("staging", "production"):
            raise bad_stage(f"archive_existing_versions goes with Staging and Production, not with {ask.stage}.")
        if stage == "none":
            return VersionAnswer(self._back(caller, ask.name, version))
        with suppress(AlreadyThere):
            body = Promote(stage, archive_others=ask.archive_existing_versions)
            self.models.promote(caller, body, model=ask.name, version=version)
        return VersionAnswer(version_of(self.models.find(ask.name, version)))

    def _back(self, caller: Caller, name: str, version: str) -> Version:
        """A version that never moved is where it begins; no other goes back there."""
        found = self.models.find(name, version)
        if found.stage != "none":
            raise bad_stage(
                f"{name} v{version} is in {found.stage}, and nothing goes back to None, where versions begin. "
                f"Move it to Archived, or to Staging."
            )
        return version_of(found)

    def update(self, caller: Caller, ask: UpdateVersion) -> VersionAnswer:
        description = check_description(ask.description)
        return VersionAnswer(version_of(self._change(caller, ask, ChangeVersion(description=description))))

    def delete(self, caller: Caller, ask: VersionNamed) -> Void:
        self.models.catalogue.delete_version(caller, model=ask.name, version=version_number(ask.version))
        return Void()

    def set_tag(self, caller: Caller, ask: TagVersion) -> Void:
        check_tag(ask.key, ask.value)
        self._change(caller, ask, ChangeVersion(tags={ask.key: ask.value}))
        return Void()

    def delete_tag(self, caller: Caller, ask: UntagVersion) -> Void:
        self._change(caller, ask, ChangeVersion(untag=[ask.key]))
        return Void()

    def _change(
        self, caller: Caller, ask: UpdateVersion | TagVersion | UntagVersion, change: ChangeVersion
    ) -> ModelVersion:
        number = version_number(ask.version)
        return self.models.catalogue.change_version(caller, change, model=ask.name, version=number)

    # --- finding ---

    def get(self, caller: Caller, ask: VersionNamed) -> VersionAnswer:
        return VersionAnswer(version_of(self.models.find(ask.name, version_number(ask.version))))

    def search(self, caller: Caller, ask: SearchVersions) -> VersionsAnswer:
        """The last changed first, then by name, then the newest."""
        size = page_size(ask.max_results, usual=USUAL_LISTED, most=MOST_LISTED)
        clauses, orders = parse(ask.filter, VOCABULARY), parse_order(ask.order_by, VOCABULARY)
        found = select(self.models.everywhere(caller), clauses, look)
        if orders:
            found.sort(key=lambda each: each.version, reverse=True)
            found.sort(key=lambda each: each.model)
        else:
            found.sort(key=lambda each: (-in_ms(each.changed_at), each.model, -each.version))
        rows, token = page(arrange(found, orders, look), size=size, token=ask.page_token)
        return VersionsAnswer([version_of(each) for each in rows], token)

    def fetch(self, caller: Caller, ask: FileOf) -> Download:
        """Raises NoBundle, NotFound."""
        number = int(version_number(ask.version))
        return self.files.fetch(Place("version", ask.name, number, read_path(ask.path)))

    def get_place(self, caller: Caller, ask: VersionNamed) -> DownloadUri:
        """Where its files are fetched: those of the bundle as it was registered, whatever was changed since."""
        found = self.models.find(ask.name, version_number(ask.version))
        for _ in range(MOST_COPIES):
            if found.bundle:
                return DownloadUri(f"{SCHEME}{version_place(found.model, found.version)}")
            origin = read_copy(found.source)
            if origin is None:
                break
            try:
                found = self.models.find(*origin)
            except NotFound:
                break
        return DownloadUri(found.source)


def bad_stage(message: str) -> CallRefused:
    return CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)


def read_copy(source: str) -> tuple[str, str] | None:
    """The model and version that a copy names."""
    name, slash, version = source.removeprefix("models:/").rpartition("/")
    return (name, version) if source.startswith("models:/") and slash and version.isdigit() else None


def look(version: ModelVersion, key: Key) -> Any:
    if key.entity == "tags":
        return tag_of(version.tags, key.name)
    attributes = {
        "name": version.model,
        "run_id": version.run_label or version.run or "",
        "source_path": version.source,
        "version_number": version.version,
        "creation_timestamp": in_ms(version.created_at),
        "last_updated_timestamp": in_ms(version.changed_at),
    }
    return attributes[key.name]
