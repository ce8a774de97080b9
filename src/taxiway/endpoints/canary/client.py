"""The SDK of canaries: ``client.endpoints.canary(name)``."""

from __future__ import annotations

from taxiway.endpoints.canary import contract, refusals
from taxiway.endpoints.canary.contract import BeginCanary, CanaryDetail, EndCanary, Limits
from taxiway.gates.canaries.contract import CanaryMetric
from taxiway.kernel.transport import Transport

REFUSED = (refusals.CanaryRuns,)  # what the server names, the SDK raises


class Canary:
    """The canary of one endpoint: a version on trial beside the one that answers."""

    def __init__(self, transport: Transport, name: str) -> None:
        self.transport, self.name = transport, name

    def begin(
        self,
        version: str,
        *,
        share: float | None = None,
        metric: CanaryMetric | None = None,
        non_inferiority: float | None = None,
        is_better: bool = False,
        cluster: str | None = None,
        min_clusters: int | None = None,
        labelled: float = 0.9,
        paired: bool | None = None,
        limits: Limits | None = None,
        reason: str = "",
    ) -> CanaryDetail:
        """Has a version answer a share of the requests, of which both versions score every one.

        What is left out is as the gate `canary` of the version's path asks it. non_inferiority: by how much its loss
        may be worse; is_better: it must be better instead. cluster: ``hour``, ``day``, ``week``, or a field of a row.
        paired: false has each request scored by the version alone that answers it, and takes many more of them.
        Raises BadField, CanaryRuns, GateClosed, NotFound, StageNotServed.

        >>> client.endpoints.canary("mortgage").begin("mortgage@4", share=0.1, non_inferiority=0.01)  # doctest: +SKIP
        """
        body = BeginCanary(
            version=version,
            share=share,
            metric=metric,
            non_inferiority=non_inferiority,
            is_better=is_better,
            cluster=cluster,
            min_clusters=min_clusters,
            labelled=labelled,
            paired=paired,
            limits=limits or Limits(),
            reason=reason,
        )
        return self.transport.call(contract.begin_canary, body, endpoint=self.name)

    def show(self) -> CanaryDetail:
        """The latest canary: its verdict, every look, its whole clusters. Raises NotFound."""
        return self.transport.call(contract.show_canary, endpoint=self.name)

    def end(self, *, reason: str = "") -> CanaryDetail:
        """Ends it without a verdict; the version before answers all. Raises NotFound."""
        return self.transport.call(contract.end_canary, EndCanary(reason=reason), endpoint=self.name)
