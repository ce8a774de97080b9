"""What a version needs to know of where it was made: its data by digest, its environment as a lock."""

from __future__ import annotations

from importlib.metadata import distributions
from typing import Protocol

from taxiway.datasets import contract as datasets_contract
from taxiway.kernel.transport import Transport


class Recorded(Protocol):
    """A run, open or ended."""

    @property
    def id(self) -> str: ...


def digest_of_ref(transport: Transport, ref: str) -> str:
    """The digest of the dataset version that ``dataset:PROJECT/NAME@VERSION`` names."""
    project, _, rest = ref.removeprefix("dataset:").partition("/")
    name, _, version = rest.rpartition("@")
    found = transport.call(datasets_contract.show_version, project=project, name=name, version=version)
    return found.digest


def environment_lock() -> str:
    """Every installed distribution with its version, a line each, sorted: what a bundle's requirements.lock holds."""
    from taxiway.runs.capturing.environment import named  # loads what starts processes, which few callers need

    pins = {f"{name.lower()}=={version}" for name, version in map(named, distributions()) if name}
    return "".join(f"{pin}\n" for pin in sorted(pins))
