"""The API of waivers, conditional approvals and broken glass."""

from __future__ import annotations

from taxiway.gates.exceptions import contract
from taxiway.gates.exceptions.breaking import Glass
from taxiway.gates.exceptions.service import Waivers
from taxiway.web.serve import Server


def bind(server: Server, waivers: Waivers, glass: Glass) -> None:
    server.serve(contract.list_exceptions, waivers.of_version)
    server.serve(contract.list_waivers, waivers.living)
    server.serve(contract.ask_waiver, waivers.ask)
    server.serve(contract.grant_waiver, waivers.grant)
    server.serve(contract.revoke_waiver, waivers.revoke)
    server.serve(contract.let_through, waivers.let_through)
    server.serve(contract.break_glass, glass.break_glass)
