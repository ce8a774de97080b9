"""MLflow's calls about registered models and their aliases."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from taxiway.compat.mlflow.call import Call, Given, Int64, Void
from taxiway.compat.mlflow.door import Dialect
from taxiway.compat.mlflow.grammar import Key, Vocabulary, arrange, parse, parse_order, select
from taxiway.compat.mlflow.names import in_ms
from taxiway.compat.mlflow.paging import page, page_size
from taxiway.compat.mlflow.refusals import CallRefused, invalid
from taxiway.compat.mlflow.registry import (
    ModelAnswer,
    Registered,
    VersionAnswer,
    VersionsAnswer,
    check_description,
    check_model_name,
    check_tag,
    in_words,
    latest,
    registered_of,
    stage_of,
    tag_of,
    version_number,
    version_of,
)
from taxiway.kernel.caller import Caller
from taxiway.models.contract import ChangeModel, CreateModel, ListModels, Model, PointAlias
from taxiway.models.service import Models
from taxiway.projects.service import DEFAULT

MOST_LISTED = 1000
ALIAS = re.compile(r"[\w-]{1,255}", re.ASCII)
LATEST_OR_NUMBER = re.compile(r"latest|v?[0-9]+", re.IGNORECASE)
VOCABULARY = Vocabulary(
    attributes={"name": "text", "creation_timestamp": "number", "last_updated_timestamp": "number"},
    aliases={"timestamp": "last_updated_timestamp"},
    listed=("name",),
)


class TagIn(Struct, frozen=True):
    key: Given
    value: str = ""


class CreateRegistered(Struct, frozen=True):
    name: Given
    tags: list[TagIn] = []
    description: str = ""


class Name(Struct, frozen=True):
    name: Given


class Rename(Struct, frozen=True):
    name: Given
    new_name: Given


class Update(Struct, frozen=True):
    name: Given
    description: str = ""


class SearchModels(Struct, frozen=True):
    filter: str = ""
    max_results: Int64 | None = None
    order_by: list[str] = []
    page_token: str = ""


class LatestOf(Struct, frozen=True):
    name: Given
    stages: list[str] = []


class TagModel(Struct, frozen=True):
    name: Given
    key: Given
    value: str = ""


class UntagModel(Struct, frozen=True):
    name: Given
    key: Given


class SetAlias(Struct, frozen=True):
    name: Given
    alias: Given
    version: Given


class AliasNamed(Struct, frozen=True):
    name: Given
    alias: Given


class Listed(Struct, frozen=True, omit_defaults=True):
    registered_models: list[Registered] = []
    next_page_token: str = ""


AT = "/mlflow/registered-models"
create = Call("POST", f"{AT}/create", CreateRegistered, ModelAnswer, "models.write", "new_model")
rename = Call("POST", f"{AT}/rename", Rename, ModelAnswer, "models.write", "model")
update = Call("PATCH", f"{AT}/update", Update, ModelAnswer, "models.write", "model")
delete = Call("DELETE", f"{AT}/delete", Name, Void, "models.write", "model")
get = Call("GET", f"{AT}/get", Name, ModelAnswer, "models.read", "model")
search = Call("GET", f"{AT}/search", SearchModels, Listed, "models.read", "platform")
get_latest = Call("POST", f"{AT}/get-latest-versions", LatestOf, VersionsAnswer, "models.read", "model")
get_latest_by_query = Call("GET", f"{AT}/get-latest-versions", LatestOf, VersionsAnswer, "models.read", "model")
set_tag = Call("POST", f"{AT}/set-tag", TagModel, Void, "models.write", "model")
delete_tag = Call("DELETE", f"{AT}/delete-tag", UntagModel, Void, "models.write", "model")
set_alias = Call("POST", f"{AT}/alias", SetAlias, Void, "models.promote", "model", guarded=True)
delete_alias = Call("DELETE", f"{AT}/alias", AliasNamed, Void, "models.promote", "model")
get_alias = Call("GET", f"{AT}/alias", AliasNamed, VersionAnswer, "models.read", "model")


class RegisteredModelCalls:
    """The handlers. Their client knows no projects: a model goes to that of its first version's run."""

    def __init__(self, models: Models) -> None:
        self.models = models

    def bind(self, dialect: Dialect) -> None:
        dialect.know("model", in_words(lambda caller, ask: [self.models.project_of(ask.name)]))
        dialect.know("new_model", lambda caller, ask: [self._project_for(caller)])
        dialect.serve(create, in_words(self.create))
        dialect.serve(rename, in_words(self.rename))
        dialect.serve(update, in_words(self.update))
        dialect.serve(delete, in_words(self.delete))
        dialect.serve(get, in_words(self.get))
        dialect.serve(search, self.search)
        dialect.serve(get_latest, in_words(self.get_latest))
        dialect.serve(get_latest_by_query, in_words(self.get_latest))
        dialect.serve(set_tag, in_words(self.set_tag))
        dialect.serve(delete_tag, in_words(self.delete_tag))
        dialect.serve(set_alias, in_words(self.set_alias))
        dialect.serve(delete_alias, in_words(self.delete_alias))
        dialect.serve(get_alias, in_words(self.get_alias))

    # --- models ---

    def create(self, caller: Caller, ask: CreateRegistered) -> ModelAnswer:
        for tag in ask.tags:
            check_tag(tag.key, tag.value)
        tags = {tag.key: tag.value for tag in ask.tags}
        body = CreateModel(
            self._project_for(caller), check_model_name(ask.name), check_description(ask.description), tags
        )
        return ModelAnswer(registered_of(self.models.catalogue.create(caller, body, is_wide=True), []))

    def rename(self, caller: Caller, ask: Rename) -> ModelAnswer:
        return self._changed(caller, ask.name, ChangeModel(name=check_model_name(ask.new_name, "new_name")))

    def update(self, caller: Caller, ask: Update) -> ModelAnswer:
        return self._changed(caller, ask.name, ChangeModel(description=check_description(ask.description)))

    def delete(self, caller: Caller, ask: Name) -> Void:
        self.models.catalogue.delete(caller, model=ask.name)
        return Void()

    def get(self, caller: Caller, ask: Name) -> ModelAnswer:
        return ModelAnswer(self._whole(caller, self.models.show(caller, model=ask.name)))

    def search(self, caller: Caller, ask: SearchModels) -> Listed:
        """By name. Only the models of a page are read with their versions."""
        size = page_size(ask.max_results, usual=100, most=MOST_LISTED)
        clauses, orders = parse(ask.filter, VOCABULARY), parse_order(ask.order_by, VOCABULARY)
        found = sorted(self.models.list(caller, ListModels()).items, key=lambda each: each.name)
        found = arrange(select(found, clauses, look), orders, look)
        rows, token = page(found, size=size, token=ask.page_token)
        return Listed([self._whole(caller, model) for model in rows], token)

    def get_latest(self, caller: Caller, ask: LatestOf) -> VersionsAnswer:
        wanted = {stage_of(stage) for stage in ask.stages}
        self.models.project_of(ask.name)
        versions = self.models.versions(caller, model=ask.name).items
        return VersionsAnswer([version_of(each) for each in latest(versions) if not wanted or each.stage in wanted])

    # --- tags and aliases ---

    def set_tag(self, caller: Caller, ask: TagModel) -> Void:
        check_tag(ask.key, ask.value)
        self._changed(caller, ask.name, ChangeModel(tags={ask.key: ask.value}))
        return Void()

    def delete_tag(self, caller: Caller, ask: UntagModel) -> Void:
        self._changed(caller, ask.name, ChangeModel(untag=[ask.key]))
        return Void()

    def set_alias(self, caller: Caller, ask: SetAlias) -> Void:
        """An alias that the path names moves the version to its stage, through the gates."""
        number = int(version_number(ask.version))
        self.models.movements.follow_alias(caller, PointAlias(number), model=ask.name, alias=check_alias(ask.alias))
        return Void()

    def delete_alias(self, caller: Caller, ask: AliasNamed) -> Void:
        """An alias that is not there is gone already."""
        if ask.alias in self.models.show(caller, model=ask.name).aliases:
            self.models.movements.drop_alias(caller, model=ask.name, alias=ask.alias)
        return Void()

    def get_alias(self, caller: Caller, ask: AliasNamed) -> VersionAnswer:
        number = self.models.show(caller, model=ask.name).aliases.get(ask.alias)
        if number is None:
            message = f"Registered model alias {ask.alias[:255]} not found."
            raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)
        return VersionAnswer(version_of(self.models.find(ask.name, number)))

    def _project_for(self, caller: Caller) -> str:
        """`default`, or for who may not write there the first project where they may. A first version settles it."""
        access = self.models.access
        mine = [DEFAULT, *sorted(access.visible(caller) or [])]
        return next((each for each in mine if access.is_allowed(caller, "models.write", each)), DEFAULT)

    def _changed(self, caller: Caller, name: str, change: ChangeModel) -> ModelAnswer:
        model = self.models.catalogue.change(caller, change, model=name, is_wide=True)
        return ModelAnswer(self._whole(caller, model))

    def _whole(self, caller: Caller, model: Model) -> Registered:
        return registered_of(model, self.models.versions(caller, model=model.name).items if model.newest else [])


def check_alias(alias: str) -> str:
    """Raises ParameterInvalid."""
    if not ALIAS.fullmatch(alias) or LATEST_OR_NUMBER.fullmatch(alias):
        expected = "up to 255 letters, digits, '_' and '-', neither 'latest' nor a version such as v1"
        raise invalid("alias", alias, expected)
    return alias


def look(model: Model, key: Key) -> Any:
    if key.entity == "tags":
        return tag_of(model.tags, key.name)
    match key.name:
        case "name":
            return model.name
        case "creation_timestamp":
            return in_ms(model.created_at)
        case _:
            return in_ms(model.changed_at)
