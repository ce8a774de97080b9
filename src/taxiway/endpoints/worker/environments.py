"""The Python that a revision's workers run in: the gateway's own, or one made from the lock in the bundle.

An environment is made once for a lock and lies in HOME/environments; the next revision with the same lock finds it. uv
takes what its cache has and needs no network for that.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from taxiway.endpoints.refusals import EnvironmentFailed
from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.version import VERSION
from taxiway.models.bundles.bundle import LOCK, read_verified, verify_bundle
from taxiway.runs.again.rebuild import last_words, rebuild
from taxiway.runs.contract import Environment

FOLDER = "environments"
TRY_S = 120.0


def prepared(home: Path, folder: Path, digest: str, tell: Callable[[str], None]) -> Path:
    """The interpreter for a bundle's lock, made first where there is none yet; that may take minutes.

    Raises EnvironmentFailed, BundleTampered.
    """
    bundle = verify_bundle(folder, digest)
    locked = bundle.manifest.environment
    if locked is None:
        raise EnvironmentFailed(bundle=digest, problem=f"the bundle has no {LOCK}")
    place = home / FOLDER / f"{locked.removeprefix('sha256:')}-{VERSION}"
    python = place / "bin" / "python"
    if python.exists():
        return python
    making = place.with_name(f".{place.name}.{os.getpid()}")
    making.parent.mkdir(exist_ok=True)
    shutil.rmtree(making, ignore_errors=True)
    try:
        make(making, read_verified(bundle, LOCK).decode(), digest, tell)
        making.rename(place)
    except OSError as e:
        if not python.exists():  # another gateway was faster
            raise EnvironmentFailed(bundle=digest, problem=str(e)) from e
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return python


def make(folder: Path, lock: str, digest: str, tell: Callable[[str], None]) -> None:
    """Installs all of the lock and our own package into the folder, and tries a worker's imports there."""
    here = Environment(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        platform=platform.platform(),
        machine=platform.machine(),
        cpus=os.cpu_count() or 1,
    )
    try:
        made = rebuild(lock, here, folder, tell)
    except TaxiwayError as refusal:
        raise EnvironmentFailed(bundle=digest, problem=str(refusal)) from refusal
    if made.gaps:
        raise EnvironmentFailed(bundle=digest, problem="; ".join(gap.what for gap in made.gaps[:5]))
    name_flavours(folder)
    command = [str(made.python), "-I", "-B", "-c", "import taxiway.endpoints.worker.process"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TRY_S, cwd="/")
    if tried.returncode:
        raise EnvironmentFailed(bundle=digest, problem=f"a worker cannot begin there: {last_words(tried.stderr)}")


def name_flavours(folder: Path) -> None:
    """Says in the environment what loads which flavour, as it is said here."""
    [libraries] = (folder / "lib").glob("python*/site-packages")
    said = libraries / f"taxiway-{VERSION}.dist-info"
    said.mkdir(exist_ok=True)
    (said / "METADATA").write_text(f"Metadata-Version: 2.1\nName: taxiway\nVersion: {VERSION}\n")
    names = importlib.metadata.distribution("taxiway").read_text("entry_points.txt")
    (said / "entry_points.txt").write_text(names or "")
