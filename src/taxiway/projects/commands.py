"""The CLI of projects."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, get_args

from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.errors import BadField
from taxiway.kernel.show import as_table
from taxiway.projects.contract import ChangeProject, Project, ProjectStanding, RiskTier

if TYPE_CHECKING:
    from taxiway.client import Client

PROJECT = Argument("project", "the project's name")


def create(client: Client, given: Namespace) -> Project:
    return client.projects.create(
        given.project,
        purpose=given.purpose,
        risk=given.risk,
        path=given.path,
        owner=given.owner,
        sponsor=given.sponsor,
    )


def change(client: Client, given: Namespace) -> Project:
    facts = {name: getattr(given, name) for name in ("purpose", "risk", "path", "owner", "sponsor")}
    if all(value is None for value in facts.values()):
        raise BadField(field="what to change", value="nothing", expected=f"one of --{', --'.join(facts)}")
    return client.projects.change(given.project, ChangeProject(**facts))


def list_(client: Client, given: Namespace) -> list[ProjectStanding]:
    return client.projects.list()


def tell_standings(standings: list[ProjectStanding]) -> str:
    """A line for each project, with the stage that it entered last."""
    return as_table(
        [
            {
                "name": standing.project.name,
                "stage": standing.stages[-1].stage if standing.stages else "",
                "since": standing.stages[-1].entered_at if standing.stages else None,
                "risk": standing.project.risk,
                "path": standing.project.path,
                "owner": standing.project.owner,
                "purpose": standing.project.purpose,
            }
            for standing in standings
        ]
    )


def show(client: Client, given: Namespace) -> ProjectStanding:
    return client.projects.show(given.project)


COMMANDS = (
    Command(
        "create",
        "open a project",
        create,
        (
            PROJECT,
            Argument("--purpose", "what it is for, in a sentence", default=""),
            Argument("--risk", "the risk tier", default="medium", choices=get_args(RiskTier)),
            Argument("--path", "the path its models must follow", default=""),
            Argument("--owner", "who answers for it (default: you)", default=""),
            Argument("--sponsor", "who pays for it", default=""),
        ),
    ),
    Command(
        "change",
        "change a project's facts; what is not given stays as it is",
        change,
        (
            PROJECT,
            Argument("--purpose", "what it is for, in a sentence"),
            Argument("--risk", "the risk tier", choices=get_args(RiskTier)),
            Argument("--path", "the path its models must follow"),
            Argument("--owner", "who answers for it"),
            Argument("--sponsor", "who pays for it"),
        ),
    ),
    Command(
        "list",
        "the projects you may see",
        list_,
        show=tell_standings,
    ),
    Command("show", "a project and its way so far", show, (PROJECT,)),
)
