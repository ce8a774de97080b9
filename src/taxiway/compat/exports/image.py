"""What an image needs: the server as a wheel, the versions of the libraries, and how it is built and started."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from msgspec import Struct

from taxiway.compat.exports.libraries import PICKLES, beside, pinned, system_libraries
from taxiway.compat.exports.refusals import NotExported
from taxiway.compat.exports.wheel import NAME, write_wheel
from taxiway.models.bundles.bundle import Bundle
from taxiway.models.predicting.flavours import PYTHON, family

CONSTRAINTS = "constraints.txt"
ENTRY = ("python", "-m", "taxiway.endpoints.standalone.process")
EXTRAS = {"sklearn": "server,sklearn", "mlflow": "server,sklearn", PYTHON: "server"}
USER = 10001  # any number but root's


class Exported(Struct, frozen=True):
    """A version that is exported, its bundle fetched and checked. endpoint: what it is called where it is served."""

    model: str
    version: int
    bundle: Bundle
    endpoint: str

    @property
    def name(self) -> str:
        return f"{self.model}@{self.version}"


def requirement(exported: Exported, to: str) -> str:
    """What pip installs: our wheel with what the flavour needs. Raises NotExported."""
    flavour = exported.bundle.manifest.flavour
    extras = EXTRAS.get(flavour) or EXTRAS.get(family(flavour))
    if extras is None:
        reason = f"nobody here knows what models of flavour {flavour!r} need; known are {', '.join(EXTRAS)}"
        raise NotExported(what=exported.name, to=to, reason=reason)
    return f"{NAME}[{extras}]"


def check_code(exported: Exported, to: str, *, may_run_code: bool) -> None:
    """Refuses a pickle or a service that nobody allowed. Raises NotExported."""
    native = exported.bundle.manifest.native
    if native.serialization in (*PICKLES, PYTHON) and not may_run_code:
        reason = f"{native.file} runs code while it is read; with --may-run-code the image may"
        raise NotExported(what=exported.name, to=to, reason=reason)


def write_context(folder: Path, exported: Exported) -> None:
    """The files of a build beside the Dockerfile and the bundle: wheel and constraints."""
    write_wheel(folder)
    (folder / CONSTRAINTS).write_text(constraints(exported.bundle), encoding="utf-8")


def constraints(bundle: Bundle) -> str:
    """The versions that the model was made with, for pip to keep to where it installs one of them."""
    return "".join(f"{name}=={version}\n" for name, version in pinned(bundle).items())


def environment(exported: Exported, *, may_run_code: bool) -> dict[str, str]:
    """What the server in the image reads of its environment."""
    found = {
        "TAXIWAY_BUNDLE_DIGEST": exported.bundle.digest,
        "TAXIWAY_ENDPOINT": exported.endpoint,
        "TAXIWAY_MODEL_VERSION": str(exported.version),
    }
    return found | ({"TAXIWAY_MAY_RUN_CODE": "1"} if may_run_code else {})


def dockerfile(exported: Exported, to: str, said: dict[str, str], *, bundle: str = "", is_root: bool = False) -> str:
    """How the image is built. bundle: where in the image it lies; empty where the platform brings it.

    Raises NotExported.
    """
    names = beside(exported.bundle)
    libraries = " ".join(system_libraries(names))
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    lines = [
        f"# {exported.name}, {exported.bundle.digest}, served by Taxiway's own gateway.",
        f"FROM python:{python}-slim",
        *([f"RUN apt-get update && apt-get install --yes --no-install-recommends {libraries}"] if libraries else []),
        "WORKDIR /srv/taxiway",
        f"COPY {CONSTRAINTS} {NAME} ./",
        f'RUN pip install --no-cache-dir --constraint {CONSTRAINTS} "./{requirement(exported, to)}" {" ".join(names)}',
        *([f"COPY bundle {bundle}"] if bundle else []),
        *(f"ENV {name}={value}" for name, value in said.items()),
        *([] if is_root else [f"USER {USER}"]),
        "EXPOSE 8080",
        f"ENTRYPOINT {json.dumps(ENTRY)}",
        'CMD ["serve"]',
    ]
    return "\n".join(lines) + "\n"
