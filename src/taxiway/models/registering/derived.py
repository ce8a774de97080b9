"""Versions that are another with a twin added: that they are, and that nothing else about them is new."""

from __future__ import annotations

import msgspec
from sqlalchemy import Connection

from taxiway.kernel.errors import BadField
from taxiway.models import store
from taxiway.models.bundles.bundle import Manifest
from taxiway.models.contract import ModelVersion
from taxiway.models.twins.record import FOLDER


def origin_of(connection: Connection, manifest: Manifest) -> ModelVersion | None:
    """The version that a bundle says it is with a twin added; None where it says nothing of the kind.

    Raises BadField where the model has no such version, or the two differ in more than the twin.
    """
    digest = manifest.twin.made_from if manifest.twin else ""
    if not digest:
        return None
    field = "manifest.twin.made_from"
    origin, before = store.find_bundle(connection, manifest.name, digest), store.manifest_of(connection, digest)
    if origin is None or before is None:
        raise BadField(field=field, value=digest, expected=f"the bundle of a version of {manifest.name}")
    if without_twin(before) != without_twin(manifest):
        raise BadField(field=field, value=digest, expected=f"a bundle that {origin.ref} has but for the twin")
    return origin


def without_twin(manifest: Manifest) -> Manifest:
    """What two bundles have in common that differ in their twin alone, and in what a server fills in."""
    files = tuple(file for file in manifest.files if not file.path.startswith(f"{FOLDER}/"))
    return msgspec.structs.replace(manifest, twin=None, files=files, taxiway="", risk_tier=None)
