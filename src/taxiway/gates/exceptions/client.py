"""The SDK of waivers, conditional approvals and broken glass."""

from __future__ import annotations

import taxiway.gates.exceptions.refusals  # noqa: F401  so that what the server refuses with is raised here as itself
from taxiway.gates.contract import GateStage
from taxiway.gates.exceptions import contract
from taxiway.gates.exceptions.contract import (
    AskWaiver,
    BreakGlass,
    Exceptions,
    GrantWaiver,
    LetThrough,
    RevokeWaiver,
    Waiver,
)
from taxiway.gates.exceptions.passed import BrokenGlass
from taxiway.kernel.transport import Transport
from taxiway.models.client import split


class Waivers:
    """Going on without an open gate: ``client.gates.waivers``. A `name` is as ``mortgage@3``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def list(self) -> list[Waiver]:
        """Those that wait for somebody to grant them or count, in the projects that one may see."""
        return self.transport.call(contract.list_waivers).items

    def show(self, name: str) -> Exceptions:
        """All waivers and broken glass that a version ever had, and who could grant one now."""
        return self.transport.call(contract.list_exceptions, **split(name))

    def ask(
        self, name: str, gate: str, *, reason: str, days: int | None = None, stage: GateStage | None = None
    ) -> Waiver:
        """Asks that the version may go on although the gate is not open; a second person has to grant it.

        Raises NotWaivable, EvidenceMissing, NeedsPerson, BadField.

        >>> client.gates.waivers.ask("mortgage@2", "fairness", reason="pilot with 40 customers")  # doctest: +SKIP
        """
        return self.transport.call(contract.ask_waiver, AskWaiver(gate, reason, stage, days), **split(name))

    def grant(self, name: str, waiver: str, *, comment: str) -> Waiver:
        """Makes a waiver count that somebody else asked for. Raises FourEyes, RoleMissing, NeedsPerson, NotFound."""
        return self.transport.call(contract.grant_waiver, GrantWaiver(comment), **split(name), waiver=waiver)

    def revoke(self, name: str, waiver: str, *, reason: str) -> Waiver:
        """Takes a waiver or a conditional approval back. Raises NotFound, NotAllowed."""
        return self.transport.call(contract.revoke_waiver, RevokeWaiver(reason), **split(name), waiver=waiver)

    def let_through(
        self, name: str, gate: str, *, comment: str, days: int | None = None, stage: GateStage | None = None
    ) -> Waiver:
        """A conditional approval of an inconclusive gate, where the path allows it. Raises NotWaivable, FourEyes."""
        return self.transport.call(contract.let_through, LetThrough(gate, comment, stage, days), **split(name))

    def break_glass(self, name: str, *, reason: str, stage: GateStage = "production", days: int = 3) -> BrokenGlass:
        """Moves the version although gates are closed, where the path allows it; opens a finding. Raises GlassKept."""
        return self.transport.call(contract.break_glass, BreakGlass(reason, stage, days), **split(name))
