"""Registered models and their versions as MLflow's client reads them, and the words it expects of refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from msgspec import Struct

from taxiway.compat.mlflow.names import in_ms
from taxiway.compat.mlflow.refusals import CallRefused, invalid
from taxiway.compat.mlflow.shown import Pair
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import AlreadyExists, NotFound, TaxiwayError
from taxiway.models.contract import Model, ModelStage, ModelVersion
from taxiway.models.lookup import LARGEST
from taxiway.models.names import is_wide_name

T = TypeVar("T")

PROMPT_TAG = "mlflow.prompt.is_prompt"  # the client looks for models that have it not; what lacks it is no prompt
STAGES: dict[str, ModelStage] = {
    "none": "none",
    "staging": "staging",
    "production": "production",
    "archived": "archived",
}
LONGEST_KEY = 250
LONGEST_VALUE = 100_000


class AliasOf(Struct, frozen=True):
    alias: str
    version: str


class Version(Struct, frozen=True, omit_defaults=True):
    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    current_stage: str
    status: str
    description: str
    user_id: str = ""
    source: str = ""
    run_id: str = ""
    status_message: str = ""
    tags: list[Pair] = []
    run_link: str = ""
    aliases: list[str] = []
    model_id: str = ""


class Registered(Struct, frozen=True, omit_defaults=True):
    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    user_id: str = ""
    description: str = ""
    latest_versions: list[Version] = []
    tags: list[Pair] = []
    aliases: list[AliasOf] = []


class ModelAnswer(Struct, frozen=True):
    registered_model: Registered


class VersionAnswer(Struct, frozen=True):
    model_version: Version


class VersionsAnswer(Struct, frozen=True, omit_defaults=True):
    model_versions: list[Version] = []
    next_page_token: str = ""


def version_of(version: ModelVersion) -> Version:
    """A version is ready as soon as it is there: what it lacks is said where it is asked for."""
    own = f"models:/{version.model}/{version.version}"
    return Version(
        name=version.model,
        version=str(version.version),
        creation_timestamp=in_ms(version.created_at),
        last_updated_timestamp=in_ms(version.changed_at),
        current_stage=version.stage.capitalize(),
        status="READY",
        user_id=version.created_by,
        description=version.description,
        source=version.source or own,
        run_id=version.run_label or version.run or "",
        tags=[Pair(*each) for each in version.tags.items()],
        aliases=version.aliases,
        model_id=version.logged_model,
    )


def registered_of(model: Model, versions: list[ModelVersion]) -> Registered:
    return Registered(
        name=model.name,
        creation_timestamp=in_ms(model.created_at),
        last_updated_timestamp=in_ms(model.changed_at),
        user_id=model.created_by,
        description=model.description,
        latest_versions=[version_of(each) for each in latest(versions)],
        tags=[Pair(*each) for each in model.tags.items()],
        aliases=[AliasOf(alias, str(version)) for alias, version in model.aliases.items()],
    )


def latest(versions: list[ModelVersion]) -> list[ModelVersion]:
    """The newest version of each stage, in the order of their numbers."""
    newest: dict[str, ModelVersion] = {}
    for version in sorted(versions, key=lambda each: each.version):
        newest[version.stage] = version
    return sorted(newest.values(), key=lambda each: each.version)


def tag_of(tags: Mapping[str, str], key: str) -> str | None:
    """The tag that a search looks at; None where there is none."""
    return tags.get(key, "false" if key == PROMPT_TAG else None)


# --- what a request names ---


def check_model_name(name: str, field: str = "name") -> str:
    """Raises CallRefused."""
    if not is_wide_name(name):
        message = (
            f"Invalid value {name[:100]!r} for parameter '{field}' supplied: Registered model name: give 1 to 300 "
            "printable characters without '/' and ':'."
        )
        raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)
    return name


def version_number(given: str) -> str:
    """Raises CallRefused for what is no number, NotFound for one that no version has."""
    if given.startswith("-") and given[1:].isascii() and given[1:].isdigit():
        raise NotFound(kind="version", name=given[:20])
    if not (given.isascii() and given.isdigit()):
        message = f"Parameter 'version' must be an integer, got '{given[:100]}'."
        raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)
    return given if int(given[:18]) <= LARGEST else str(LARGEST)


def check_tag(key: str, value: str) -> None:
    """Raises ParameterInvalid."""
    if len(key) > LONGEST_KEY:
        raise invalid("key", key, f"a key of at most {LONGEST_KEY} characters")
    if len(value) > LONGEST_VALUE:
        raise invalid("value", value, f"a value of at most {LONGEST_VALUE} characters")


def check_description(text: str) -> str:
    """Raises ParameterInvalid."""
    if len(text) > LONGEST_VALUE:
        raise invalid("description", text, f"at most {LONGEST_VALUE} characters")
    return text


def stage_of(given: str) -> ModelStage:
    """Raises CallRefused."""
    found = STAGES.get(given.lower())
    if found is None:
        message = (
            f"Invalid Model Version stage: {given[:100]}. Value must be one of None, Staging, Production, Archived."
        )
        raise CallRefused(error_code="INVALID_PARAMETER_VALUE", message=message)
    return found


# --- refusals in the client's words ---


@contextmanager
def spoken() -> Iterator[None]:
    """Says refusals of the registry as MLflow's client knows them; what our rules refuse keeps its own words."""
    try:
        yield
    except NotFound as e:
        raise not_found(e) from e
    except AlreadyExists as e:
        raise CallRefused(
            error_code="RESOURCE_ALREADY_EXISTS", message=f"Registered Model (name={e.name}) already exists. {e.hint}"
        ) from e
    except GateClosed as e:
        raise CallRefused(error_code="PERMISSION_DENIED", message=str(e)) from e


def not_found(refusal: NotFound) -> TaxiwayError:
    match refusal.kind:
        case "model":
            message = f"Registered Model with name={refusal.name} not found. {refusal.hint}"
        case "model version":
            name, _, version = refusal.name.rpartition("@")
            message = f"Model Version (name={name}, version={version}) not found. {refusal.hint}"
        case _:
            return refusal
    return CallRefused(error_code="RESOURCE_DOES_NOT_EXIST", message=message)


def in_words(handler: Callable[..., T]) -> Callable[..., T]:
    """The handler, its refusals spoken."""

    def answer(*given: object) -> T:
        with spoken():
            return handler(*given)

    return answer
