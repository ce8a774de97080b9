"""The SDK of an endpoint's traffic: ``client.endpoints.traffic(name)``."""

from __future__ import annotations

from collections.abc import Mapping

from taxiway.endpoints.contract import Revision
from taxiway.endpoints.rollout import contract
from taxiway.endpoints.rollout.contract import (
    AddShadow,
    AskComparison,
    ChangeGuard,
    ChangeTraffic,
    RemoveShadow,
    ShadowComparison,
    TrafficDetail,
    UndoTraffic,
)
from taxiway.endpoints.rollout.guard import Guard
from taxiway.endpoints.rollout.split import HeaderRule, Share
from taxiway.kernel.transport import Transport


class Traffic:
    """The traffic of one endpoint: shares, shadows, and when a revision gives its traffic back."""

    def __init__(self, transport: Transport, name: str) -> None:
        self.transport, self.name = transport, name

    def show(self) -> TrafficDetail:
        """How it is divided, as declared and as the gateway does now. Raises NotFound."""
        return self.transport.call(contract.show_traffic, endpoint=self.name)

    def split(
        self,
        shares: Mapping[int, float],
        *,
        sticky: str | None = None,
        rules: list[HeaderRule] | None = None,
        reason: str = "",
    ) -> TrafficDetail:
        """Divides requests: percent by revision, summing to 100; with 0 a revision is reached by header alone.

        sticky: the field of a row, or ``header:NAME``, whose value always finds the same revision; an empty text is
        none, None leaves it as it is. rules: requests with a header's value that go to one revision.
        Each revision that gets more than it has goes through the gates of the stage that the endpoint serves.
        Raises BadField, GateClosed, StageNotServed, NotFound.

        >>> client.endpoints.traffic("mortgage").split({3: 90, 4: 10}, sticky="customer_id")  # doctest: +SKIP
        """
        body = ChangeTraffic(
            shares=[Share(revision, percent) for revision, percent in shares.items()],
            sticky=sticky,
            rules=rules,
            reason=reason,
        )
        return self.transport.call(contract.change_traffic, body, endpoint=self.name)

    def undo(self, *, to: int = 0, reason: str = "") -> TrafficDetail:
        """Has the split before the present one in force again, or the one of number `to`. Raises as `split`."""
        return self.transport.call(contract.undo_traffic, UndoTraffic(to=to, reason=reason), endpoint=self.name)

    def shadow(
        self,
        version: str = "",
        *,
        revision: int | None = None,
        share: float = 1.0,
        workers: int = 1,
        may_run_code: bool = False,
        reason: str = "",
    ) -> Revision:
        """Copies requests, or a share of them, to a version whose answers no caller sees.

        version: ``mortgage@4``, which must stand at least one stage before the one that the endpoint serves; or
        `revision`, one that is there. Raises BadField, GateClosed, NotFound, ShadowTooEarly, ShadowsFull.
        """
        body = AddShadow(
            version=version,
            revision=revision,
            share=share,
            workers=workers,
            may_run_code=may_run_code,
            reason=reason,
        )
        return self.transport.call(contract.add_shadow, body, endpoint=self.name)

    def remove_shadow(self, revision: int, *, reason: str = "") -> TrafficDetail:
        """Copies nothing to a revision any more. Raises NotFound."""
        body = RemoveShadow(reason=reason)
        return self.transport.call(contract.remove_shadow, body, endpoint=self.name, number=revision)

    def compare(self, revision: int, *, rows: int = 20) -> ShadowComparison:
        """Where a shadow answers differently: by column values, and the latest rows. Raises NotFound."""
        return self.transport.call(
            contract.compare_shadow, AskComparison(rows=rows), endpoint=self.name, number=revision
        )

    def guard(self, guard: Guard, *, reason: str = "") -> TrafficDetail:
        """Says when a revision gives its traffic back by itself, all conditions at once.

        >>> client.endpoints.traffic("mortgage").guard(Guard(latency_ms=200, slow_percent=1))  # doctest: +SKIP
        """
        body = ChangeGuard(guard=guard, reason=reason)
        return self.transport.call(contract.change_guard, body, endpoint=self.name)
