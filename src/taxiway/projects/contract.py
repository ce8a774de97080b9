"""What the outside sees of projects."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from taxiway.kernel.endpoint import Endpoint, Nothing, Page

RiskTier = Literal["low", "medium", "high"]

# The way of a use case, in order. Each is entered once, by itself, when the first thing of its kind happens.
ProjectStage = Literal["idea", "data", "experiment", "candidate", "staging", "production", "monitored"]


class Kpi(Struct, frozen=True, forbid_unknown_fields=True):
    """What the use case should move: from `baseline`, and what one unit of it is worth in `currency`."""

    name: str
    baseline: float
    unit_value: float
    unit: str = ""
    currency: str = "EUR"


class Project(Struct, frozen=True):
    """A use case. `path` names the path its versions must follow; empty means the platform's default for its tier."""

    name: str
    purpose: str
    risk: RiskTier
    path: str
    owner: str
    sponsor: str
    kpi: Kpi | None
    created_at: datetime


class ProjectStageEntry(Struct, frozen=True):
    """When a project entered a stage of its way, and what brought it there."""

    stage: ProjectStage
    entered_at: datetime
    because: str  # a reference, such as run:… or model:mortgage@1


class ProjectStanding(Struct, frozen=True):
    """A project with its way so far."""

    project: Project
    stages: list[ProjectStageEntry]


class CreateProject(Struct, frozen=True, forbid_unknown_fields=True):
    """owner: defaults to who creates it."""

    name: str
    purpose: str = ""
    risk: RiskTier = "medium"
    path: str = ""
    owner: str = ""
    sponsor: str = ""
    kpi: Kpi | None = None


class ChangeProject(Struct, frozen=True, forbid_unknown_fields=True):
    """What is None stays as it is."""

    purpose: str | None = None
    risk: RiskTier | None = None
    path: str | None = None
    owner: str | None = None
    sponsor: str | None = None
    kpi: Kpi | None = None


create_project = Endpoint(
    "POST", "/api/projects", CreateProject, Project, "projects.create", "Open a project", "platform"
)
list_projects = Endpoint(
    "GET", "/api/projects", Nothing, Page[ProjectStanding], "projects.read", "The projects one may see", "platform"
)
show_project = Endpoint(
    "GET", "/api/projects/{project}", Nothing, ProjectStanding, "projects.read", "A project and its way so far"
)
change_project = Endpoint(
    "PATCH", "/api/projects/{project}", ChangeProject, Project, "projects.write", "Change a project's facts"
)
