"""The SDK of lineage."""

from __future__ import annotations

from taxiway.kernel.transport import Transport
from taxiway.lineage import contract
from taxiway.lineage.contract import Graph, WalkFrom


class Lineage:
    """What came from what: ``client.lineage``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def walk(self, thing: str, *, steps: int = 12) -> Graph:
        """All that a thing such as ``model:mortgage@1`` came from and led to, `steps` edges far."""
        return self.transport.call(contract.walk, WalkFrom(thing=thing, steps=steps))
