"""The bins a column is counted in: stored with the reference, so that every later window is cut alike."""

import math
from itertools import pairwise
from typing import Literal

from msgspec import Struct

Rule = Literal["quantile", "width", "category"]

MISSING = "missing"
OTHER = "other"


class BinsBroken(ValueError):
    """Stored bins that contradict themselves."""


class Bins(Struct, frozen=True):
    """How to cut one column. The last bin is always the missing values.

    A numeric column has its inner edges, rising: a value equal to an edge belongs to the bin above it, and
    the first and last bins are open. A column of categories has their names, then a bin for all others.
    Raises BinsBroken when the edges do not rise or a name stands twice.
    """

    rule: Rule
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if any(map(math.isnan, self.edges)) or not all(low < high for low, high in pairwise(self.edges)):
            raise BinsBroken(f"The edges {list(self.edges)} do not rise. Make the bins again from the reference.")
        if len(set(self.categories)) < len(self.categories):
            raise BinsBroken("A category stands twice. Make the bins again from the reference.")

    @property
    def count(self) -> int:
        """The number of bins, the missing values' bin among them."""
        return len(self.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """What each bin holds, in words: ``below 3``, ``3 to 7``, ``7 and above``, ``missing``."""
        if self.rule == "category":
            return (*self.categories, OTHER, MISSING)
        if not self.edges:
            return ("any number", MISSING)
        edges = [f"{edge:.6g}" for edge in self.edges]
        if len(edges) == 2 and self.edges[1] == math.nextafter(self.edges[0], math.inf):
            return (f"below {edges[0]}", edges[0], f"above {edges[0]}", MISSING)
        inner = (f"{low} to {high}" for low, high in pairwise(edges))
        return (f"below {edges[0]}", *inner, f"{edges[-1]} and above", MISSING)
