"""What a version needs to know of where it was made: its run, its environment as a lock."""

from __future__ import annotations

from importlib.metadata import distributions
from typing import Protocol


class Recorded(Protocol):
    """A run, open or ended."""

    @property
    def id(self) -> str: ...


def environment_lock() -> str:
    """Every installed distribution with its version, a line each, sorted: what a bundle's requirements.lock holds."""
    from taxiway.runs.capturing.environment import named  # loads what starts processes, which few callers need

    pins = {f"{name.lower()}=={version}" for name, version in map(named, distributions()) if name}
    return "".join(f"{pin}\n" for pin in sorted(pins))
