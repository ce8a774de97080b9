"""The SDK of projects."""

from __future__ import annotations

from taxiway.kernel.transport import Transport
from taxiway.projects import contract
from taxiway.projects.contract import ChangeProject, CreateProject, Kpi, Project, ProjectStanding, RiskTier


class Projects:
    """Use cases: ``client.projects``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def create(
        self,
        name: str,
        *,
        purpose: str = "",
        risk: RiskTier = "medium",
        path: str = "",
        owner: str = "",
        sponsor: str = "",
        kpi: Kpi | None = None,
    ) -> Project:
        """Opens a project. Raises AlreadyExists, BadField.

        risk: decides which paths its models may take. path: the path by name; empty is the platform's own
        for the tier. owner: who answers for it, by default the caller.
        """
        body = CreateProject(name=name, purpose=purpose, risk=risk, path=path, owner=owner, sponsor=sponsor, kpi=kpi)
        return self.transport.call(contract.create_project, body)

    def change(self, name: str, change: ChangeProject) -> Project:
        """Changes what `change` gives. Raises NotFound."""
        return self.transport.call(contract.change_project, change, project=name)

    def show(self, name: str) -> ProjectStanding:
        """A project and when it entered which stage. Raises NotFound."""
        return self.transport.call(contract.show_project, project=name)

    def list(self) -> list[ProjectStanding]:
        """Every project one may see, by name."""
        return self.transport.call(contract.list_projects).items
