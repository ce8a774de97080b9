"""What the outside sees of lineage."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint


class Edge(Struct, frozen=True):
    """`source` led to `target`: a dataset read by a run, a run that produced a model version, and so on."""

    source: str
    verb: str  # read_by, produced, cleaned_into, evaluated_on, deployed_as, watched_by
    target: str
    at: datetime


class Graph(Struct, frozen=True):
    """All that a thing came from and led to. `is_cut`: there are more edges than are walked at once."""

    thing: str
    edges: list[Edge]
    is_cut: bool = False


class WalkFrom(Struct, frozen=True, forbid_unknown_fields=True):
    """thing: a reference; without a version it stands for all of them, ``project:name`` for everything in it."""

    thing: str
    steps: int = 12


walk = Endpoint("GET", "/api/lineage", WalkFrom, Graph, "lineage.read", "What a thing came from and led to", "platform")
