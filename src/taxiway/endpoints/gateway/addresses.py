"""Which dialects answer at which address: a tree of path segments, made once and walked for every request."""

from __future__ import annotations

from collections.abc import Iterable

from taxiway.endpoints.gateway.dialects import Address, Dialect


class Spot:
    """A place in the tree: what follows it, and who answers there by method."""

    __slots__ = ("here", "owner", "parameter", "verbs", "wild", "words")

    def __init__(self, owner: Dialect, parameter: str = "") -> None:
        self.owner = owner  # who refuses what leads on from here to nowhere
        self.parameter = parameter
        self.words: dict[str, Spot] = {}
        self.verbs: dict[str, Spot] = {}
        self.wild: Spot | None = None
        self.here: dict[str, list[tuple[Dialect, Address]]] = {}

    def under(self, segment: str, owner: Dialect) -> Spot:
        """The place that a segment of a template leads to, made where there is none."""
        if not segment.startswith("{"):
            return self.words.setdefault(segment, Spot(owner))
        parameter, _, verb = segment[1:].partition("}")
        if verb:
            return self.verbs.setdefault(verb.removeprefix(":"), Spot(owner, parameter))
        if self.wild is None:
            self.wild = Spot(owner, parameter)
        return self.wild


class Addresses:
    """All addresses of some dialects. At one that they share, the first given is asked last.

    A plain word goes before a placeholder, and there is no way back from a branch.
    """

    def __init__(self, first: Dialect, more: Iterable[Dialect] = ()) -> None:
        self.root = Spot(first)
        for dialect in [*more, first]:
            for address in dialect.addresses:
                spot = self.root
                for segment in address.template.split("/")[1:]:
                    spot = spot.under(segment, dialect)
                spot.here.setdefault(address.method, []).append((dialect, address))
        self.root.owner = first

    def find(self, path: str) -> tuple[Spot, dict[str, str], bool]:
        """The place of a path as far as the tree goes, what its placeholders hold, and whether it goes to the end."""
        spot = self.root
        held: dict[str, str] = {}
        for segment in path.split("/")[1:]:
            follows = spot.words.get(segment)
            if follows is None:
                value, colon, verb = segment.rpartition(":")
                follows = spot.verbs.get(verb) if colon else None
                if follows is None:
                    if colon and spot.verbs:  # a verb that nobody has
                        return spot, held, False
                    follows, value = spot.wild, segment
                if follows is None:
                    return spot, held, False
                held[follows.parameter] = value
            spot = follows
        return spot, held, bool(spot.here)
