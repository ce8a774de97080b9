"""Finding a version by its number, by an alias, or as the newest."""

from __future__ import annotations

from sqlalchemy import Connection

from taxiway.audit.service import Record
from taxiway.kernel.errors import NotFound
from taxiway.models import store
from taxiway.models.contract import ModelVersion
from taxiway.models.refusals import NoBundle

LARGEST = 2**31 - 1  # what the column holds
MOST_DIGITS = 18


def require_version(record: Record, model: str, version: int | str) -> ModelVersion:
    """The version within a change; no other server changes it until this change is done. Raises NotFound."""
    return find_kept(record.connection, model, version, is_locked=True).version


def find_kept(connection: Connection, model: str, version: int | str, *, is_locked: bool = False) -> store.Kept:
    """A version with its manifest. Raises NotFound."""
    number = number_of(connection, model, version)
    found = store.find_kept(connection, model, number, is_locked=is_locked) if 0 < number <= LARGEST else None
    if found is None:
        raise unknown(model, version)
    return found


def require_bundle(version: ModelVersion, what: str) -> None:
    """Nothing, or NoBundle for a version that only names its source. what: such as "be evaluated"."""
    if not version.bundle:
        raise NoBundle(model=version.model, version=version.version, what=what, reason=version.unfit)


def require_fit(version: ModelVersion) -> None:
    """Nothing, or NoBundle for a version that cannot answer."""
    if version.unfit or not version.bundle:
        raise NoBundle(model=version.model, version=version.version, what="be deployed", reason=version.unfit)


def number_of(connection: Connection, model: str, version: int | str) -> int:
    """The number that a version, an alias or the word `newest` stands for. Raises NotFound."""
    if isinstance(version, int):
        return version
    if version.isascii() and version.isdigit():
        return int(version) if len(version) < MOST_DIGITS else LARGEST + 1
    if version == "newest":
        return store.newest(connection, model)
    for alias in store.aliases_of(connection, model):
        if alias.alias == version:
            return alias.version
    raise unknown(model, version)


def unknown(model: str, version: int | str | None = None) -> NotFound:
    if version is None:
        return NotFound(kind="model", name=model, hint="`taxiway models list` shows those there are.")
    hint = f"`taxiway models versions {model}` shows those there are."
    return NotFound(kind="model version", name=f"{model}@{version}", hint=hint)
