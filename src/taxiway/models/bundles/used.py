"""What a service brings besides its source: files, and the versions that it uses, whole, under `models/NAME`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from taxiway.kernel.errors import BadField
from taxiway.models.bundles.bundle import MANIFEST, Bundle, Manifest, UsedVersion
from taxiway.models.contract import ModelVersion

MODELS, FILES = "models", "files"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

Find = Callable[[str], ModelVersion]
Download = Callable[[str, Path], Bundle]


def bring(model: Any, folder: Path, find: Find, download: Download) -> tuple[UsedVersion, ...]:
    """Puts a service's files and the bundles of the versions that it uses into its folder.

    They are named by the class or the object: `files`, paths by name; `uses`, versions such as ``mortgage@3`` or
    ``mortgage@champion`` by name, where an alias means the version that it points at now. Raises BadField, NotFound.
    """
    for name, path in mapping(model, FILES).items():
        (folder / FILES).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / FILES / name)
    used = []
    for name, wanted in sorted(mapping(model, "uses").items()):
        found = find(wanted)
        download(f"{found.model}@{found.version}", folder / MODELS / name)
        used.append(UsedVersion(name=name, model=found.model, version=found.version, bundle=found.bundle))
    return tuple(used)


def mapping(model: Any, field: str) -> dict[str, str]:
    """A service's `files` or `uses`. Raises BadField."""
    given = getattr(model, field, None)
    if not isinstance(given, Mapping):
        return {}
    for name in given:
        if field == "uses" and not NAME.fullmatch(str(name)):
            raise BadField(field=f"uses[{name!r}]", value=repr(name), expected="a name of a-z, 0-9 and '_'")
    return {str(name): str(value) for name, value in given.items()}


def check_used(manifest: Manifest, find: Callable[[str, int], ModelVersion]) -> None:
    """Raises BadField where a version that is named is not the one whose bundle lies within; NotFound."""
    digests = {file.path: file.digest for file in manifest.files}
    for each in manifest.uses:
        inside = digests.get(f"{MODELS}/{each.name}/{MANIFEST}", "nothing")
        known = find(each.model, each.version).bundle
        if not inside == known == each.bundle:
            expected = f"{known}, the bundle of {each.model} v{each.version}, whole within this one"
            raise BadField(field=f"manifest.uses[{each.name!r}]", value=inside, expected=expected)
