"""The API of findings."""

from __future__ import annotations

from taxiway.gates.findings import contract
from taxiway.gates.findings.service import Findings
from taxiway.web.serve import Server


def bind(server: Server, findings: Findings) -> None:
    server.doorkeeper.project_of["finding"] = findings.project_of
    server.serve(contract.open_finding, findings.open)
    server.serve(contract.list_findings, findings.list)
    server.serve(contract.show_finding, findings.show)
    server.serve(contract.change_finding, findings.change)
    server.serve(contract.move_finding, findings.move)
