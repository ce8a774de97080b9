"""The API of projects."""

from __future__ import annotations

from taxiway.projects import contract
from taxiway.projects.service import Projects
from taxiway.web.serve import Server


def bind(server: Server, projects: Projects) -> None:
    server.serve(contract.create_project, projects.create)
    server.serve(contract.list_projects, projects.list)
    server.serve(contract.show_project, projects.show)
    server.serve(contract.change_project, projects.change)
