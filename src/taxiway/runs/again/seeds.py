"""One seed for all that is random in a process, and the runs that are told of it."""

from __future__ import annotations

import os
import random
import sys
import weakref
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from taxiway.kernel.errors import BadField

SEED = "taxiway.seed"
SEEDED = "taxiway.seeded"
HASH_SEED = "taxiway.hash_seed"
HIGHEST = 2**32 - 1  # what NumPy takes


class Tagged(Protocol):
    def tag(self, /, **tags: str) -> None: ...


class Process:
    """What this process was seeded with, and its open runs."""

    def __init__(self) -> None:
        self.facts: dict[str, str] = {}
        self.runs: weakref.WeakSet[Any] = weakref.WeakSet()

    def begin(self, run: Tagged) -> None:
        """Tells a run that begins what was seeded before, and from now on."""
        self.runs.add(run)
        if self.facts:
            run.tag(**self.facts)

    def end(self, run: Tagged) -> None:
        self.runs.discard(run)

    def seed(self, value: int) -> None:
        """Seeds everything anew, and tells the open runs."""
        if type(value) is not int or not 0 <= value <= HIGHEST:
            raise BadField(field="seed", value=repr(value), expected=f"a whole number from 0 to {HIGHEST}")
        seeded = set_seeds(value)
        self.facts = {
            SEED: str(value),
            SEEDED: ", ".join(seeded),
            HASH_SEED: os.environ.get("PYTHONHASHSEED") or "random",
        }
        for run in list(self.runs):
            run.tag(**self.facts)


process = Process()


def seed(value: int) -> None:
    """Seeds `random`, NumPy where it is installed and PyTorch where it is loaded, and notes that with the open runs
    and all that follow. Raises BadField.

    A hash seed must stand before Python starts: what PYTHONHASHSEED said is noted.

    >>> import taxiway as tw
    >>> tw.seed(7)
    """
    process.seed(value)


def set_seeds(value: int) -> list[str]:
    """Seeds what is there, and names it. PyTorch begins with the same seed each time, so it need not be loaded."""
    random.seed(value)
    seeded = ["random"]
    if find_spec("numpy") is not None:
        import_module("numpy").random.seed(value)  # the global generator: what scripts and scikit-learn draw from
        seeded.append("numpy")
    if (torch := sys.modules.get("torch")) is not None:
        manual_seed: Callable[[int], object] = torch.manual_seed  # of every device
        manual_seed(value)
        seeded.append("torch")
    return seeded
