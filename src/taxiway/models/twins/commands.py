"""The CLI of twins: which form of a version answers, why, and whether it holds here, too."""

from __future__ import annotations

import tempfile
from argparse import Namespace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.kernel.commands import Argument, Command
from taxiway.models.twins.record import NoTwin, Twin

if TYPE_CHECKING:
    from taxiway.client import Client

VERSION = Argument("version", "MODEL@VERSION or MODEL@ALIAS; MODEL alone is the newest version")


def twin(client: Client, given: Namespace) -> str:
    found = client.models.manifest(given.version).twin
    said = told(found)
    if found is None or found.runs == "native" or not given.check:
        return said
    return f"{said}\n{checked(client, given.version)}"


def told(twin: Twin | None) -> str:
    """What the bundle says of it."""
    if twin is None:
        return "It runs its own library; nobody looked for a twin when it was logged."
    if twin.runs == "native":
        return f"It runs its own library: {twin.why}."
    return (
        f"It runs its ONNX twin: {twin.why}. Largest difference: {twin.largest_difference:g}. Made for {twin.runtime}."
    )


def checked(client: Client, version: str) -> str:
    """Whether the twin gives the rows in its bundle their answers on this machine."""
    opened = import_module("taxiway.models.twins.checking").opened  # only here, since it brings NumPy
    with tempfile.TemporaryDirectory(prefix="taxiway-") as folder:
        bundle = client.models.download(version, Path(folder) / "bundle")
        try:
            opened(bundle)
        except NoTwin as reason:
            return f"Here the library would answer: {reason}."
    return "Checked here: it gives the rows in its bundle the answers that were recorded."


COMMANDS = (
    Command(
        "twin",
        "which form of a version answers, its own library or a compiled twin, and why",
        twin,
        (VERSION, Argument("--check", "ask the twin the recorded rows on this machine", is_flag=True)),
    ),
)
