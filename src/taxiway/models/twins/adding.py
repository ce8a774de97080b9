"""A twin for a version that has none: the same bundle with a twin beside the model, which is another bundle."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
from threadpoolctl import threadpool_limits

from taxiway.models.bundles.bundle import MANIFEST, Bundle, read_verified, write_bundle
from taxiway.models.bundles.mlmodel import read_example
from taxiway.models.predicting.predictor import Predictor
from taxiway.models.twins.forms import Formed
from taxiway.models.twins.making import Given, twin_of
from taxiway.models.twins.record import NoTwin


def added(bundle: Bundle, native: Predictor, folder: Path) -> Bundle:
    """Writes the bundle with a twin into a folder that is not there yet. Raises NoTwin.

    It is held against the rows of the bundle's example, and rows around these: the training's are not at hand.
    """
    manifest = bundle.manifest
    if manifest.twin is not None and manifest.twin.runs == "twin":
        raise NoTwin("it has one")
    if not isinstance(native, Formed):
        raise NoTwin(f"models of flavour {manifest.flavour} have none")
    form = native.form()
    rows = read_example(read_verified(bundle, manifest.example)) if manifest.example else []
    if not rows:
        raise NoTwin("its bundle has no example, and a twin is compared on rows like those")
    example = {column.name: [row.get(column.name) for row in rows] for column in manifest.signature.inputs}
    shutil.copytree(bundle.folder, folder, ignore=shutil.ignore_patterns(MANIFEST))
    with threadpool_limits(1):
        twin = twin_of(native, form, Given(manifest, example, folder))
    twin = msgspec.structs.replace(twin, made_from=bundle.digest)
    return write_bundle(folder, msgspec.structs.replace(manifest, twin=twin))
