"""Who plays in the demo: named people, each with a token and a role of their own, and what IT sets up for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from taxiway.access.roles import Role
from taxiway.client import Client, connect
from taxiway.demo.facts import PROJECTS
from taxiway.gates.contract import PathVersion
from taxiway.kernel.errors import AlreadyExists
from taxiway.projects.contract import ChangeProject, CreateProject, Project

PURPOSE = "taxiway demo"  # what the tokens of the demo's people are labelled with


class Person(Struct, frozen=True):
    """Somebody of the story. roles: by project."""

    name: str
    display: str
    does: str
    roles: dict[str, tuple[Role, ...]] = {}
    is_admin: bool = False


PEOPLE = (
    Person("ines", "Ines Moreau", "IT: publishes paths, opens projects, gives roles", is_admin=True),
    Person(
        "ana",
        "Ana Lindqvist",
        "data scientist: owns both projects, trains the models",
        # Owner of both, as their facts say. She holds the validator's role, too: what refuses her own approval is
        # authorship, not a missing role.
        {"mortgage-approvals": ("owner", "validator"), "flight-delays": ("owner",)},
    ),
    Person(
        "vera",
        "Vera Okafor",
        "validator: approves for production",
        {"mortgage-approvals": ("validator",), "flight-delays": ("viewer",)},
    ),
    Person(
        "olu",
        "Olu Adeyemi",
        "operator: promotes, deploys and watches",
        {"mortgage-approvals": ("operator",), "flight-delays": ("operator",)},
    ),
)


class Cast(Struct):
    """The people at work: a client and a token for each, all of them against one server."""

    url: str
    clients: dict[str, Client]
    tokens: dict[str, str]
    local: Client  # the home's owner, through its socket: for what comes before anybody has a token

    def __getitem__(self, name: str) -> Client:
        return self.clients[name]

    def sign_in_link(self, name: str) -> str:
        """A fresh link for somebody; it works once, within the hour."""
        return self.url + self.local.access.make_link(name).path


@contextmanager
def assembled(home: Path, url: str) -> Iterator[Cast]:
    """The people, added where they are new, with tokens of a day that end with the block."""
    with connect(home=home) as local:
        for person in PEOPLE:
            add(local, person)
        tokens = {p.name: local.access.make_token(p.name, label=PURPOSE, days=1).token for p in PEOPLE}
        clients = {name: connect(url, token=token) for name, token in tokens.items()}
        try:
            yield Cast(url, clients, tokens, local)
        finally:
            for client in clients.values():
                client.close()


def add(local: Client, person: Person) -> None:
    """Adds a person; one who is there already stays as they are."""
    try:
        local.access.add_user(person.name, display=person.display, is_admin=person.is_admin)
    except AlreadyExists:
        return


def publish_paths(it: Client) -> list[PathVersion]:
    """The demo's paths, published by IT; one that asks the same as before keeps its version."""
    with as_file(files("taxiway.demo") / "paths") as folder:
        return [it.gates.publish(file) for file in sorted(folder.glob("*.yaml"))]


def open_projects(it: Client) -> list[Project]:
    """The two projects with their facts and people."""
    opened = [open_project(it, facts) for facts in PROJECTS]
    for person in PEOPLE:
        for project, roles in person.roles.items():
            for role in roles:
                it.access.grant(person.name, role, project=project)
    return opened


def open_project(it: Client, facts: CreateProject) -> Project:
    """Opens a project, or gives one that is there the facts of the story."""
    fields = asdict(facts)
    try:
        return it.projects.create(**fields)
    except AlreadyExists:
        change = ChangeProject(**{name: value for name, value in fields.items() if name != "name"})
        return it.projects.change(facts.name, change)
