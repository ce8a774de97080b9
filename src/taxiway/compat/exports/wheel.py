"""Taxiway as it is installed here, packed as a wheel: an image runs the same server and asks no index for it."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import zipfile
from collections.abc import Iterator
from pathlib import Path

from taxiway.kernel.version import VERSION

NAME = f"taxiway-{VERSION}-py3-none-any.whl"
INFO = f"taxiway-{VERSION}.dist-info"
WHEEL = "Wheel-Version: 1.0\nGenerator: taxiway\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
LEFT_OUT = frozenset(["__pycache__"])
EPOCH = (1980, 1, 1, 0, 0, 0)  # the same package makes the same bytes


def write_wheel(folder: Path) -> Path:
    """Packs the package and what pip must know of it."""
    target = folder / NAME
    record: list[str] = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*package_files(), *information()]:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
        record.append(f"{INFO}/RECORD,,")
        archive.writestr(zipfile.ZipInfo(f"{INFO}/RECORD", EPOCH), "\n".join(record) + "\n")
    return target


def package_files() -> Iterator[tuple[str, bytes]]:
    """Every file of the package, by its path in a wheel."""
    found = importlib.util.find_spec("taxiway")
    assert found is not None, "this is a part of it"
    assert found.submodule_search_locations, "it is a package"
    root = Path(next(iter(found.submodule_search_locations)))
    for path in sorted(root.rglob("*")):
        if path.is_file() and not LEFT_OUT.intersection(path.parts):
            yield f"taxiway/{path.relative_to(root).as_posix()}", path.read_bytes()


def information() -> Iterator[tuple[str, bytes]]:
    """What the installed distribution says of itself."""
    installed = importlib.metadata.distribution("taxiway")
    for name in ("METADATA", "entry_points.txt"):
        yield f"{INFO}/{name}", (installed.read_text(name) or "").encode()
    yield f"{INFO}/WHEEL", WHEEL.encode()
