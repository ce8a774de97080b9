"""The API of who can approve."""

from __future__ import annotations

from taxiway.gates.eligible import contract
from taxiway.gates.eligible.service import Eligibility
from taxiway.web.serve import Server


def bind(server: Server, eligibility: Eligibility) -> None:
    server.serve(contract.project_eligible, eligibility.of_project)
    server.serve(contract.version_eligible, eligibility.of_version)
