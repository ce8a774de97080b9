"""Doing something once a module is imported, without importing it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

Act = Callable[[], object]


class Waiting(MetaPathFinder):
    """Finds no module itself: it lets the others find it, and acts when its code has run."""

    def __init__(self) -> None:
        self.acts: dict[str, list[Act]] = {}

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        acts = self.acts.pop(name, None)
        if acts is None:
            return None
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        loader: Any = spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            for act in acts:
                act()

        loader.exec_module = exec_module
        return spec


waiting = Waiting()


def when_imported(module: str, act: Act) -> None:
    """Calls `act` once the module's own import has ended; nothing happens if nobody imports it."""
    if waiting not in sys.meta_path:
        sys.meta_path.insert(0, waiting)
    waiting.acts.setdefault(module, []).append(act)
