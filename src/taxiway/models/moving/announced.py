"""What hooks are told of models. A model that is tagged as one of MLflow's prompts is told of as that."""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.audit.service import Record
from taxiway.hooks.announcing import announce
from taxiway.models import store
from taxiway.models.contract import Model, ModelVersion, Promote

IS_PROMPT = "mlflow.prompt.is_prompt"
TEMPLATE = "mlflow.prompt.text"
MARKS = (IS_PROMPT, "_mlflow_prompt_type")  # what only says that it is a prompt


def tell_opened(record: Record, model: Model) -> None:
    if is_prompt(model):
        announce(record, "prompt.created", {"name": model.name, **said_of(without(model.tags, *MARKS), model)})
    else:
        announce(record, "registered_model.created", {"name": model.name, **said_of(model.tags, model)})


def tell_registered(record: Record, version: ModelVersion) -> None:
    named = {"name": version.model, "version": str(version.version)}
    if is_prompt_named(record, version.model):
        told = said_of(without(version.tags, TEMPLATE, *MARKS), version)
        announce(record, "prompt_version.created", {**named, "template": version.tags.get(TEMPLATE), **told})
        return
    place = {"source": version.source or f"models:/{version.model}/{version.version}"}
    run = {"run_id": version.run_label or version.run or None}
    announce(record, "model_version.created", {**named, **place, **run, **said_of(version.tags, version)})


def tell_promoted(record: Record, before: ModelVersion, body: Promote) -> None:
    told = {"name": before.model, "version": str(before.version), "stage": body.stage, "before": before.stage}
    announce(record, "model_version.promoted", {**told, "by": record.caller.name, "reason": body.reason})


def tell_tags(record: Record, before: ModelVersion, tags: Mapping[str, str], untag: list[str]) -> None:
    """Tags that were set, and those taken away that were there."""
    named = {"name": before.model, "version": str(before.version)}
    is_one = is_prompt_named(record, before.model) if tags or untag else False
    for key, value in tags.items():
        announce(record, "prompt_version_tag.set" if is_one else "model_version_tag.set", {**named, **pair(key, value)})
    for key in taken(before.tags, tags, untag):
        announce(record, "prompt_version_tag.deleted" if is_one else "model_version_tag.deleted", {**named, "key": key})


def tell_model_tags(record: Record, before: Model, tags: Mapping[str, str], untag: list[str]) -> None:
    """Those of prompts; MLflow's receivers know no event for those of a model."""
    if not is_prompt(before):
        return
    for key, value in tags.items():
        announce(record, "prompt_tag.set", {"name": before.name, **pair(key, value)})
    for key in taken(before.tags, tags, untag):
        announce(record, "prompt_tag.deleted", {"name": before.name, "key": key})


def tell_alias(record: Record, model: str, alias: str, version: int) -> None:
    told = {"name": model, "alias": alias, "version": str(version)}
    is_one = is_prompt_named(record, model)
    announce(record, "prompt_alias.created" if is_one else "model_version_alias.created", told)


def tell_no_alias(record: Record, model: str, alias: str) -> None:
    is_one = is_prompt_named(record, model)
    told = {"name": model, "alias": alias}
    announce(record, "prompt_alias.deleted" if is_one else "model_version_alias.deleted", told)


def said_of(tags: Mapping[str, str], thing: Model | ModelVersion) -> dict[str, object]:
    return {"tags": tags, "description": thing.description or None}


def pair(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def taken(before: Mapping[str, str], tags: Mapping[str, str], untag: list[str]) -> list[str]:
    """The keys that go and were there: before the change, or through it."""
    return [key for key in dict.fromkeys(untag) if key in before or key in tags]


def without(tags: Mapping[str, str], *keys: str) -> dict[str, str]:
    return {key: value for key, value in tags.items() if key not in keys}


def is_prompt(model: Model) -> bool:
    return model.tags.get(IS_PROMPT, "").lower() == "true"


def is_prompt_named(record: Record, model: str) -> bool:
    return store.tags_of(record.connection, model, 0).get(IS_PROMPT, "").lower() == "true"
