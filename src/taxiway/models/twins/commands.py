"""The CLI of twins: which form of a version answers, why, and whether it holds here, too."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import TaxiwayError
from taxiway.models.predicting.flavours import flavour
from taxiway.models.twins.record import NoTwin, Twin

if TYPE_CHECKING:
    from taxiway.client import Client

VERSION = Argument("version", "MODEL@VERSION or MODEL@ALIAS; MODEL alone is the newest version")


def twin(client: Client, given: Namespace) -> str:
    if given.make:
        return made(client, given.version, may_run_code=given.may_run_code)
    manifest = client.models.manifest(given.version)
    said = told(manifest.twin)
    if manifest.twin is None or manifest.twin.runs == "native" or not given.check:
        return said
    return f"{said}\n{checked(client, given.version, may_run_code=given.may_run_code)}"


def made(client: Client, name: str, *, may_run_code: bool) -> str:
    """Registers the version anew with a twin, and says what comes next."""
    version = client.models.add_twin(name, may_run_code=may_run_code)
    known = f"{version.model}@{version.version}"
    said = told(client.models.manifest(known).twin)
    return f"{known}, {version.note}. {said}\nNext: `taxiway gates show {version.model} {version.version}`"


def told(twin: Twin | None) -> str:
    """What the bundle says of it."""
    if twin is None:
        return "It runs its own library; nobody looked for a twin when it was logged."
    if twin.runs == "native":
        return f"It runs its own library: {twin.why}."
    return (
        f"It runs its ONNX twin: {twin.why}. Largest difference: {twin.largest_difference:g}. Made for {twin.runtime}."
    )


def checked(client: Client, version: str, *, may_run_code: bool) -> str:
    """Whether a worker would answer by the twin on this machine."""
    opened = import_module("taxiway.models.twins.proving").opened  # only here, since it brings NumPy
    with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
        bundle = client.models.download(version, Path(folder) / "bundle")
        try:
            native = flavour(bundle.manifest.flavour).load(bundle.folder, bundle.digest, may_run_code=may_run_code)
            opened(bundle, native)
        except NoTwin as reason:
            return f"Here the library would answer: {reason}."
        except TaxiwayError as refusal:  # a twin is held against the model, which is not read here
            return f"It cannot be checked here. {refusal}"
    return "Checked here: its file is the one that the model makes, and both answer alike."


COMMANDS = (
    Command(
        "twin",
        "which form of a version answers, its own library or a compiled twin, and why; or make one",
        twin,
        (
            VERSION,
            Argument("--check", "hold the twin against the model on this machine", is_flag=True),
            Argument("--make", "register the version anew with a twin", is_flag=True),
            Argument("--may-run-code", "also read a pickle, which can run any code", is_flag=True),
        ),
    ),
)
