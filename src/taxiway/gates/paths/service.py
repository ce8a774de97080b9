"""The rules of paths: published versions never change, and a project follows one that is made for its risk tier."""

from __future__ import annotations

import builtins
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection

from taxiway.audit.service import Ledger, Record
from taxiway.gates import store
from taxiway.gates.contract import PathVersion
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.paths.demands import together
from taxiway.gates.paths.policy import OBSERVING, PACKAGED, log_asked, packaged, read_path, with_mode
from taxiway.gates.paths.schema import path_schema
from taxiway.gates.proposing.refusals import NeedsProposal
from taxiway.gates.questionnaires.service import unknown_asked
from taxiway.gates.refusals import PathUnfit
from taxiway.kernel.caller import Caller
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import NotFound
from taxiway.kernel.thing import parse
from taxiway.projects.contract import Project, RiskTier
from taxiway.projects.service import DEFAULT, TIERS, projects_of
from taxiway.storage.database import Database


class Paths:
    """Paths and their versions. One that ships with the platform is pinned as version 1 at its first use here."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self.database = database
        self.ledger = ledger

    def publish(self, caller: Caller, body: PublishPath) -> PathVersion:
        """The next version of the path that the text names, or the newest where it asks the same.

        What a project follows is proposed, and accepted by a second person: nobody publishes it alone but who owns the
        home and did not sign in. Raises YamlBroken, NeedsProposal; NotFound where it asks for a questionnaire that
        nobody has published.
        """
        path = read_path(body.text, name=body.name)

        def make(record: Record) -> PathVersion:
            before, draft = self.draft(record.connection, body)
            if caller.kind != "local" and not (before and before.digest == draft.digest):
                follow = [project.name for project in self.followers(record.connection, draft)]
                if follow:
                    raise NeedsProposal(actor=caller.name, path=path.name, projects=follow)
            return self.add(record, body, caller.name)

        return self.ledger.change(caller, "gates.publish", f"path:{path.name}", make, answer=PathVersion)

    def add(self, record: Record, body: PublishPath, author: str, *, accepted_by: str = "") -> PathVersion:
        """As `publish`, within a change. A text that says no mode goes on in the one before; a new path observes."""
        before, path = self.draft(record.connection, body)
        if before and before.is_pinned and before.digest == path.digest:
            return before
        for unpublished in unknown_asked(record.connection, path):
            raise unpublished
        after = replace(path, published_by=author, published_at=record.at, accepted_by=accepted_by)
        if before and not before.is_pinned:
            pin(record, before)
        store.add_path(record.connection, after)
        record.thing = after.ref
        record.note(digest=after.digest, before=before.digest if before else None)
        return after

    def followers(self, connection: Connection, draft: PathVersion) -> builtins.list[Project]:
        """The projects that take the path today, or would if it were published."""
        return [each for each in projects_of(connection, None) if self._follows(connection, each, draft)]

    def _follows(self, connection: Connection, project: Project, draft: PathVersion) -> bool:
        for instead in (None, draft):
            try:
                path = self.of_project(connection, project, instead=instead)
            except PathUnfit as unfit:
                if unfit.path == draft.name:
                    return True
            except NotFound:
                continue
            else:
                if draft.name in {path.name, *(parse(ref).name for ref in path.demands)}:
                    return True
        return False

    def draft(self, connection: Connection, body: PublishPath) -> tuple[PathVersion | None, PathVersion]:
        """The newest version of the path that a text names, and the text as the next one. Raises YamlBroken."""
        before = self.newest(connection, read_path(body.text, name=body.name).name)
        text = with_mode(body.text, before.mode if before else "observe", name=body.name)
        number = before.version + 1 if before else 1
        return before, replace(read_path(text, name=body.name), version=number)

    def schema(self, caller: Caller) -> dict[str, Any]:
        """The JSON Schema of a path's text."""
        return path_schema()

    def show(self, caller: Caller, *, path: str, version: int) -> PathVersion:
        """version: 0 is the newest. Raises NotFound."""
        with self.database.read() as connection:
            found = store.find_path(connection, path, version)
        found = found or (packaged(path) if version in (0, 1) else None)
        if found is None:
            raise unknown(f"{path}@{version}" if version else path)
        return found

    def newest(self, connection: Connection, name: str) -> PathVersion | None:
        """The newest version, or what ships under that name; None where nothing does."""
        return store.find_path(connection, name) or packaged(name)

    def of_project(
        self,
        connection: Connection,
        project: Project,
        risk: RiskTier | None = None,
        *,
        instead: PathVersion | None = None,
    ) -> PathVersion:
        """The path that a project's versions must take: its own, or what ships for its tier, and beside it what the
        platform demands of the tier.

        risk: of a version when it was registered; the higher of the two tiers counts, so that lowering a project's
        tier helps no version that was made before. Raises NotFound for a path that does not exist, PathUnfit for
        one that is not made for the tier. What was given no project is observed only, unless it is of high risk.
        instead: what would stand in place of the newest version of its name.
        """
        tier = max(project.risk, risk or project.risk, key=TIERS.index)
        shipped = OBSERVING if project.name == DEFAULT and tier != "high" else PACKAGED[tier]
        name = project.path or shipped
        found = instead if instead and instead.name == name else self.newest(connection, name)
        if found is None:
            raise unknown(project.path)
        if tier not in found.risk:
            applies_to = [str(each) for each in found.risk]
            raise PathUnfit(project=project.name, risk=tier, path=found.name, applies_to=applies_to)
        demanded = [each for each in store.platform_paths(connection) if not instead or each.name != instead.name]
        demanded += [instead] if instead else []
        return together(found, [each for each in demanded if tier in each.platform])

    def log_of_project(self, connection: Connection, project: Project) -> str:
        """How soon the paths that hold for a project want its logs on the disk; empty where they say nothing.

        The stricter word counts. A path that does not exist, or not for the tier, asks nothing.
        """
        try:
            own = self.of_project(connection, project)
        except (NotFound, PathUnfit):
            return ""
        demanded = [self.newest(connection, parse(ref).name) for ref in own.demands]
        asked = [log_asked(each.text) for each in (own, *demanded) if each is not None]
        return next((word for word in ("acknowledged", "buffered") if word in asked), "")

    def names(self, connection: Connection) -> builtins.list[str]:
        """The paths that a project may choose, those that ship among them."""
        return sorted(({path.name for path in store.newest_paths(connection)} | set(PACKAGED.values())) - {OBSERVING})

    def list(self, caller: Caller) -> Page[PathVersion]:
        """The newest version of every path, by name; those that ship are among them."""
        with self.database.read() as connection:
            found = {path.name: path for path in store.newest_paths(connection)}
        shipped = {name: path for name in PACKAGED.values() if (path := packaged(name)) is not None}
        return Page(sorted((shipped | found).values(), key=lambda path: path.name))


def pin(record: Record, path: PathVersion) -> PathVersion:
    """Keeps a path that ships with the platform as it ships now, within the change that first uses it."""
    shipped = None if path.is_pinned else packaged(path.name)
    if shipped is None:
        return path
    kept = replace(shipped, is_pinned=True, published_at=record.at)
    store.add_path(record.connection, kept)
    record.also("gates.pin", kept.ref, digest=kept.digest)
    return kept


def unknown(name: str) -> NotFound:
    return NotFound(kind="path", name=name, hint="`taxiway gates paths` lists those there are.")
