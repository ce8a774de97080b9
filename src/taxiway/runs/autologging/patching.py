"""Replacing an attribute of somebody else's library, so that it can be given back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any


class Patch:
    """One attribute, wrapped until it is undone. owner: a module or class that has it itself.

    make: gives what stands in its place, from what was there.
    """

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        self.owner = owner
        self.name = name
        self.before = vars(owner)[name]
        inner = self.before.__func__ if isinstance(self.before, classmethod | staticmethod) else self.before
        wrapped = functools.wraps(inner)(make(inner))
        self.after = type(self.before)(wrapped) if inner is not self.before else wrapped
        setattr(owner, name, self.after)

    def undo(self) -> None:
        """Puts back what was there, unless somebody else has put something in its place since."""
        if vars(self.owner).get(self.name) is self.after:
            setattr(self.owner, self.name, self.before)
