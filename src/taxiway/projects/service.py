"""The rules of projects."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import get_args

import msgspec
from sqlalchemy import Connection

from taxiway.access.proposals.contract import AdminProposal
from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import AlreadyExists, BadField, NotFound
from taxiway.kernel.ids import is_name
from taxiway.projects import store
from taxiway.projects.contract import ChangeProject, CreateProject, Project, ProjectStage, ProjectStanding, RiskTier
from taxiway.projects.refusals import RulesHeld, RulesWait
from taxiway.storage.database import Database

RESERVED = ("new",)  # /projects/new is the page that opens one
DEFAULT = "default"
STAGES: tuple[ProjectStage, ...] = get_args(ProjectStage)
TIERS: tuple[RiskTier, ...] = get_args(RiskTier)  # from the lowest up

PathNames = Callable[[Connection], list[str]]


class Projects:
    """Use cases and where they stand on their way.

    path_names: the paths that there are, known to whoever keeps them; until that is said, any name is taken.
    """

    def __init__(self, database: Database, ledger: Ledger, access: Access) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access
        self.path_names: PathNames | None = None
        access.proposals.lighten = self._lighten

    def create(self, caller: Caller, body: CreateProject) -> Project:
        """Opens a project; its way begins with the stage `idea`.

        The owner holds the role from then on, and so does who opens it, unless an admin does that for somebody else.
        """
        if not is_name(body.name) or body.name in RESERVED:
            expected = (
                "a free name of a-z, 0-9, '.', '_' and '-', beginning with a letter or digit, at most 63 characters"
            )
            raise BadField(field="name", value=repr(body.name), expected=expected)

        def make(record: Record) -> Project:
            self._require_path(record.connection, body.path)
            if store.find(record.connection, body.name):
                hint = f"`taxiway projects show {body.name}` shows it."
                raise AlreadyExists(kind="project", name=body.name, hint=hint)
            project = Project(
                name=body.name,
                purpose=body.purpose,
                risk=body.risk,
                path=body.path,
                owner=body.owner or caller.name,
                sponsor=body.sponsor,
                kpi=body.kpi,
                created_at=record.at,
            )
            store.add(record.connection, project)
            enter_stage(record, body.name, "idea", because=f"project:{body.name}")
            for owner in self._owners(record, project.owner):
                self.access.own(record, user=owner, project=body.name)
            record.note(**msgspec.to_builtins(body))
            return project

        thing = f"project:{body.name}"
        return self.ledger.change(caller, "projects.create", thing, make, answer=Project, project=body.name)

    def change(self, caller: Caller, body: ChangeProject, *, project: str) -> Project:
        """Changes what is given. Only an admin lowers the risk tier or chooses another path, and above the low tier
        only with a second admin's word.

        Raises BadField, NotFound, RulesHeld, RulesWait.
        """
        if body.owner == "":
            raise BadField(field="owner", value="''", expected="the name of who answers for it")
        self._hold_rules(caller, body, project)

        def make(record: Record) -> Project:
            before = store.find(record.connection, project)
            if before is None:
                raise unknown(project)
            given = {n: v for n in body.__struct_fields__ if (v := getattr(body, n)) is not None}
            after = msgspec.structs.replace(before, **given)
            self._require_known(record, before, after)
            self._require_no_lighter(record, before, after)
            store.change(record.connection, after)
            if after.owner not in (before.owner, caller.name):  # nobody gives themselves a role
                self.access.own(record, user=after.owner, project=project)
            record.note(before=msgspec.to_builtins(before), after=msgspec.to_builtins(after))
            return after

        thing = f"project:{project}"
        return self.ledger.change(caller, "projects.change", thing, make, answer=Project, project=project)

    def _owners(self, record: Record, recorded: str) -> builtins.list[str]:
        """Who holds the role owner of a new project. recorded: the owner in its facts, who may be nobody known here."""
        caller = record.caller
        owners = [recorded] if recorded != caller.name and recorded in self.access.people(record.connection) else []
        if caller.kind in ("person", "service") and not (owners and caller.is_admin):
            owners.append(caller.name)
        return owners

    def _require_known(self, record: Record, before: Project, after: Project) -> None:
        """Raises BadField for a path or an owner that there is not."""
        if after.path != before.path:
            self._require_path(record.connection, after.path)
        if after.owner not in (before.owner, record.caller.name):
            people = self.access.people(record.connection)
            if after.owner not in people:
                expected = f"yourself or one of {', '.join(people)}" if people else "yourself: nobody else was added"
                raise BadField(field="owner", value=repr(after.owner), expected=expected)

    def _require_path(self, connection: Connection, path: str) -> None:
        """Raises BadField for a path that there is not."""
        if self.path_names and path and path not in (names := self.path_names(connection)):
            expected = f"one of {', '.join(names)}, or nothing for the platform's own path of its tier"
            raise BadField(field="path", value=repr(path), expected=expected)

    def _require_no_lighter(self, record: Record, before: Project, after: Project) -> None:
        """Whoever must pass the gates may not choose easier ones. Raises RulesHeld."""
        if not record.caller.is_admin and (change := lighter(before, after)):
            who_can = self.access.admins(record.connection)
            raise RulesHeld(actor=record.caller.name, project=before.name, change=change, who_can=who_can)

    def _hold_rules(self, caller: Caller, body: ChangeProject, project: str) -> None:
        """Nobody alone makes the rules of a project lighter, an admin neither. Raises NotFound, RulesWait."""
        before = self.find(project)
        rules = {name: v for name in ("risk", "path") if (v := getattr(body, name)) is not None}
        after = msgspec.structs.replace(before, **rules)
        change = lighter(before, after)
        if not caller.is_admin or not change or before.risk == "low":
            return
        with self.database.read() as connection:
            self._require_path(connection, after.path)
        proposal, who_can = self.access.proposals.hold_rules(caller, project, rules)
        if proposal or not who_can:
            said = change.partition(" to ")[0].replace("the ", "The ", 1)
            raise RulesWait(project=project, change=said, proposal=proposal, who_can=who_can)

    def _lighten(self, record: Record, confirmed: AdminProposal) -> None:
        """What a second admin confirmed."""
        before = store.find(record.connection, confirmed.project)
        if before is None:
            raise unknown(confirmed.project)
        after = msgspec.structs.replace(before, **confirmed.rules)
        self._require_path(record.connection, after.path)
        store.change(record.connection, after)
        facts = {"before": msgspec.to_builtins(before), "after": msgspec.to_builtins(after), "by": confirmed.by}
        record.also("projects.change", f"project:{before.name}", **facts)

    def show(self, caller: Caller, *, project: str) -> ProjectStanding:
        """Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, project)
            if found is None:
                raise unknown(project)
            return ProjectStanding(found, store.stages_of(connection, project))

    def find(self, project: str) -> Project:
        """The project by its name. Raises NotFound."""
        with self.database.read() as connection:
            found = store.find(connection, project)
        if found is None:
            raise unknown(project)
        return found

    def names(self, caller: Caller, most: int | None = None) -> builtins.list[str]:
        """The names of the projects that the caller may see, or of the first of them: what every page's menu holds."""
        visible = self.access.visible(caller)
        with self.database.read() as connection:
            return store.names_of(connection, visible, most)

    def list(self, caller: Caller) -> Page[ProjectStanding]:
        """Every project that the caller may see, by name."""
        visible = self.access.visible(caller)
        with self.database.read() as connection:
            found = store.all_of(connection, visible)
            stages = store.stages_of_all(connection, visible)
        return Page([ProjectStanding(project, stages.get(project.name, [])) for project in found])


def enter_stage(record: Record, project: str, stage: ProjectStage, *, because: str) -> None:
    """Notes within a change that a project has reached a stage of its way. Later arrivals do not move the time."""
    number = STAGES.index(stage)
    is_new = store.add_stage(
        record.connection, project=project, stage=stage, number=number, at=record.at, because=because
    )
    if is_new:
        record.also("projects.enter_stage", f"project:{project}", stage=stage, because=because)


def require_project(record: Record, project: str) -> Project:
    """The project, within a change. Raises NotFound."""
    return find_project(record.connection, project)


def find_project(connection: Connection, project: str) -> Project:
    """The project as that connection sees it. Raises NotFound."""
    found = store.find(connection, project)
    if found is None:
        raise unknown(project)
    return found


def projects_of(connection: Connection, names: list[str] | None) -> list[Project]:
    """The projects of these names, or all where it is None, as that connection sees them."""
    return store.all_of(connection, names)


def open_project(record: Record, project: str) -> Project:
    """The project, within a change. The one called `default` is opened at its first use, for work that names none.

    Raises NotFound.
    """
    found = store.find(record.connection, project)
    if found is not None:
        return found
    if project != DEFAULT:
        raise unknown(project)
    opened = Project(
        name=DEFAULT,
        purpose="Work that was not given a project",
        risk="medium",
        path="",
        owner=record.caller.name,
        sponsor="",
        kpi=None,
        created_at=record.at,
    )
    store.add(record.connection, opened)
    record.also("projects.create", f"project:{DEFAULT}", because=record.thing)
    enter_stage(record, DEFAULT, "idea", because=f"project:{DEFAULT}")
    return opened


def unknown(project: str) -> NotFound:
    return NotFound(
        kind="project",
        name=project,
        hint=f"`taxiway projects list` shows those there are; `taxiway projects create {project}` makes it.",
    )


def lighter(before: Project, after: Project) -> str:
    """Which of a project's rules would be others, in words; empty for none, or a higher tier."""
    if TIERS.index(after.risk) < TIERS.index(before.risk):
        return f"the risk tier {before.risk} to {after.risk}"
    if after.path != before.path:
        return f"the path {before.path or 'of its tier'} to {after.path or 'that of its tier'}"
    return ""
