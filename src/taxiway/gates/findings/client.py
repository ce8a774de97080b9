"""The SDK of findings."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import taxiway.gates.findings.refusals  # noqa: F401  so that what the server refuses with is raised here as itself
from taxiway.gates.findings import contract
from taxiway.gates.findings.contract import (
    ChangeFinding,
    Finding,
    ListFindings,
    MoveFinding,
    OpenFinding,
    Severity,
)
from taxiway.kernel.transport import Transport


class Findings:
    """What is wrong with things, who mends it until when: ``client.gates.findings``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def open(
        self,
        title: str,
        *,
        project: str,
        severity: Severity,
        things: list[str],
        detail: str = "",
        owner: str = "",
        due_at: datetime | None = None,
        remediation: str = "",
    ) -> Finding:
        """Says what is wrong with things such as ``model:mortgage@3``. Raises BadField, NotFound.

        >>> client.gates.findings.open(
        ...     "Rates differ by district", project="mortgages", severity="high", things=["model:mortgage@2"]
        ... )  # doctest: +SKIP
        """
        body = OpenFinding(project, title, severity, things, detail, owner, due_at, remediation)
        return self.transport.call(contract.open_finding, body)

    def list(
        self,
        *,
        project: str = "",
        thing: str = "",
        severity: Literal["", "low", "medium", "high", "critical"] = "",
        state: Literal["unclosed", "open", "in_progress", "resolved", "closed", "all"] = "unclosed",
    ) -> list[Finding]:
        """The worst first, and of one severity what is due first; without a state all but the closed."""
        body = ListFindings(project, thing, severity, state)
        return self.transport.call(contract.list_findings, body).items

    def show(self, finding: str) -> Finding:
        """A finding and its story. Raises NotFound."""
        return self.transport.call(contract.show_finding, finding=finding)

    def change(
        self,
        finding: str,
        *,
        reason: str,
        severity: Severity | None = None,
        owner: str | None = None,
        due_at: datetime | None = None,
        remediation: str | None = None,
    ) -> Finding:
        """Changes what is given. Less severity, or more time, is a second person's. Raises SecondPerson, BadField."""
        body = ChangeFinding(reason, severity, owner, due_at, remediation)
        return self.transport.call(contract.change_finding, body, finding=finding)

    def move(self, finding: str, state: Literal["in_progress", "resolved", "closed"], *, comment: str) -> Finding:
        """Takes it up, resolves it, or closes it as a second person. Raises NotNext, SecondPerson."""
        return self.transport.call(contract.move_finding, MoveFinding(state, comment), finding=finding)
