"""Names of models and what people say of them: opened, described, tagged, renamed, deleted, and all of it audited."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import AlreadyExists
from taxiway.lineage.service import rename_things
from taxiway.models import store
from taxiway.models.contract import ChangeModel, ChangeVersion, CreateModel, Deleted, Model, ModelVersion
from taxiway.models.lookup import find_kept, require_version, unknown
from taxiway.models.moving import announced
from taxiway.models.moving.movements import Movements
from taxiway.models.names import check_name, check_tags
from taxiway.models.refusals import NumbersTaken, StillStands
from taxiway.projects.service import open_project

T = TypeVar("T")
Renaming = Callable[[Record, str, str], None]


class Catalogue:
    """The names of models.

    follow: asked inside the change that gives a model another name; who keeps the name writes the new one.
    """

    def __init__(self, ledger: Ledger, access: Access, movements: Movements) -> None:
        self.database = ledger.database
        self.ledger = ledger
        self.access = access
        self.movements = movements
        self.follow: list[Renaming] = []

    # --- models ---

    def create(self, caller: Caller, body: CreateModel, *, is_wide: bool = False) -> Model:
        """Opens a name before there is a version. is_wide: as other systems write names. Raises AlreadyExists."""
        check_name(body.model, field="model", is_wide=is_wide)
        check_tags(body.tags)

        def make(record: Record) -> Model:
            open_project(record, body.project)
            if store.find_model(record.connection, body.model):
                raise AlreadyExists(kind="model", name=body.model)
            model = new_model(record, body.model, body.project, description=body.description, tags=body.tags)
            store.add_model(record.connection, model)
            announced.tell_opened(record, model)
            record.note(description=body.description, tags=body.tags)
            return model

        thing = f"model:{body.model}"
        return self.ledger.change(caller, "models.create", thing, make, answer=Model, project=body.project)

    def change(self, caller: Caller, body: ChangeModel, *, model: str, is_wide: bool = False) -> Model:
        """Describes, tags and renames a model. Raises AlreadyExists, BadField, NotFound, NumbersTaken, StillAnswers."""
        check_tags(body.tags, body.untag)
        if body.name is not None:
            check_name(body.name, field="name", is_wide=is_wide)

        def make(record: Record) -> Model:
            before = require_model(record, model)
            store.put_tags(record.connection, model, 0, body.tags)
            store.drop_tags(record.connection, model, 0, body.untag)
            announced.tell_model_tags(record, before, body.tags, body.untag)
            if body.description is not None:
                store.change_model(record.connection, model, description=body.description, changed_at=record.at)
                record.note(description={"before": before.description, "after": body.description})
            if body.name is not None and body.name != model:
                self._rename(record, before, body.name)
            record.note(**({"tags": body.tags} if body.tags else {}), **({"untag": body.untag} if body.untag else {}))
            return require_model(record, body.name or model)

        verb = "models.rename" if body.name is not None else "models.describe"
        return self._change(caller, verb, model, make, Model)

    def _rename(self, record: Record, before: Model, to: str) -> None:
        connection = record.connection
        if store.find_model(connection, to):
            raise AlreadyExists(kind="model", name=to)
        if taken := store.numbered(connection, to):
            raise NumbersTaken(name=to, versions=taken)
        versions = store.versions_of(connection, before.name)
        for version in versions:
            for ask in self.movements.before_leaving:
                ask(record, version, "renamed")
        store.rename_model(connection, before.name, to)
        store.change_model(connection, to, changed_at=record.at)
        numbers = range(1, (store.numbered(connection, to) or 0) + 1)
        rename_things(record, {f"model:{before.name}@{number}": f"model:{to}@{number}" for number in numbers})
        for follow in self.follow:
            follow(record, before.name, to)
        record.note(before=before.name, after=to, versions=len(versions))
        record.also("models.rename", f"model:{to}", before=before.name, after=to)

    def delete(self, caller: Caller, *, model: str) -> Deleted:
        """Deletes a model with all its versions. Raises NotAllowed, NotFound, StillAnswers, StillStands."""
        self._require_right(caller, self._versions(model))

        def make(record: Record) -> Deleted:
            require_model(record, model)
            versions = store.versions_of(record.connection, model)
            for version in versions:
                self._delete(record, version)
            store.drop_tags(record.connection, model, 0, list(store.tags_of(record.connection, model, 0)))
            store.change_model(record.connection, model, deleted_at=record.at, changed_at=record.at)
            numbers = [version.version for version in versions]
            record.note(versions=numbers, bundles=[version.bundle for version in versions if version.bundle])
            return Deleted(model, 0, numbers)

        return self._change(caller, "models.delete", model, make, Deleted)

    # --- versions ---

    def change_version(self, caller: Caller, body: ChangeVersion, *, model: str, version: str) -> ModelVersion:
        """Describes and tags a version. Raises BadField, NotFound."""
        check_tags(body.tags, body.untag)
        number = self._version(model, version).version

        def make(record: Record) -> ModelVersion:
            before = require_version(record, model, number)
            record.thing = before.ref
            store.put_tags(record.connection, model, number, body.tags)
            store.drop_tags(record.connection, model, number, body.untag)
            announced.tell_tags(record, before, body.tags, body.untag)
            if body.description is not None:
                store.change_version(record.connection, before, description=body.description, changed_at=record.at)
                record.note(description={"before": before.description, "after": body.description})
            record.note(**({"tags": body.tags} if body.tags else {}), **({"untag": body.untag} if body.untag else {}))
            return require_version(record, model, number)

        return self._change(caller, "models.describe", model, make, ModelVersion)

    def delete_version(self, caller: Caller, *, model: str, version: str) -> Deleted:
        """Deletes a version; its number is not given again. Raises NotAllowed, NotFound, StillAnswers, StillStands."""
        found = self._version(model, version)
        self._require_right(caller, [found])

        def make(record: Record) -> Deleted:
            here = require_version(record, model, found.version)
            record.thing = here.ref
            self._delete(record, here)
            store.change_model(record.connection, model, changed_at=record.at)
            record.note(stage=here.stage, bundle=here.bundle, aliases=here.aliases)
            return Deleted(model, here.version, [here.version])

        return self._change(caller, "models.delete_version", model, make, Deleted)

    def _delete(self, record: Record, version: ModelVersion) -> None:
        for ask in self.movements.before_leaving:
            ask(record, version, "deleted")
        if version.stage == "production":
            raise StillStands(model=version.model, version=version.version, stage=version.stage)
        store.delete_version(record.connection, version, record.at)
        for alias in version.aliases:
            announced.tell_no_alias(record, version.model, alias)

    def _require_right(self, caller: Caller, versions: list[ModelVersion]) -> None:
        """What once left its first stage is deleted by those only who may archive it. Raises NotAllowed."""
        for version in versions:
            if version.stage != "none":
                self.access.require(caller, "models.archive", version.project)

    def _versions(self, model: str) -> list[ModelVersion]:
        with self.database.read() as connection:
            return store.versions_of(connection, model)

    def _version(self, model: str, version: str) -> ModelVersion:
        with self.database.read() as connection:
            return find_kept(connection, model, version).version

    def _change(self, caller: Caller, verb: str, model: str, make: Callable[[Record], T], answer: type[T]) -> T:
        with self.database.read() as connection:
            found = store.find_model(connection, model)
        if found is None:
            raise unknown(model)
        return self.ledger.change(caller, verb, f"model:{model}", make, answer=answer, project=found.project)


def new_model(
    record: Record, name: str, project: str, *, description: str = "", tags: dict[str, str] | None = None
) -> Model:
    at = record.at
    return Model(name, project, 0, {}, record.caller.name, at, changed_at=at, description=description, tags=tags or {})


def require_model(record: Record, model: str) -> Model:
    """The model within a change. Raises NotFound."""
    found = store.find_model(record.connection, model)
    if found is None:
        raise unknown(model)
    return found
