"""How a revision's workers run, as it is declared at deploy and signed with all that the gateway serves."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Sandbox = Literal["reachable", "require"]
Packages = Literal["shared", "own"]


class Setup(Struct, frozen=True, forbid_unknown_fields=True):
    """network: whether its workers may reach others. sandbox: `require` has a worker refuse its model where the host
    cannot confine it in every respect; `reachable` confines it as far as the host does. environment: `own` installs the
    packages that the bundle locks, `shared` takes the gateway's.
    idle_after_s: without a request for so long, only min_workers stay; the next request wakes the others and waits for
    them. Without it all stay.
    max_batch: how many rows of waiting requests are predicted together at most, where a model answers a row in
    company as it does alone. max_delay_ms: how long a worker that is free waits for more; 0 takes what is there.
    max_stream_s: how long an answer in pieces may take as a whole; it holds its worker so long.
    """

    network: bool = False
    sandbox: Sandbox = "reachable"
    environment: Packages = "shared"
    idle_after_s: Annotated[float, Meta(gt=0)] | None = None
    min_workers: Annotated[int, Meta(ge=0, le=64)] = 0
    max_batch: Annotated[int, Meta(ge=1, le=4096)] = 64
    max_delay_ms: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    max_stream_s: Annotated[float, Meta(ge=1, le=86_400)] = 600.0


PLAIN = Setup()
