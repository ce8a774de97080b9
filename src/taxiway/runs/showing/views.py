"""Saved views of the table of runs: what its URL asks for, under a name, for everybody in the project."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct
from sqlalchemy import delete, select, update

from taxiway.access.service import Access
from taxiway.audit.service import Ledger, Record
from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField, NotFound
from taxiway.runs.paths import is_clean
from taxiway.runs.tables import views
from taxiway.storage.database import Database

LONGEST_NAME = 100
LONGEST_QUERY = 8_000
PARTS = ("experiment", "filter", "order", "metric", "col")  # of a URL: what a view keeps


class SavedView(Struct, frozen=True):
    """query: a URL's query, with what a view keeps. project: "" for the list over all projects."""

    project: str
    name: str
    query: str
    created_by: str
    created_at: datetime

    def asked(self) -> dict[str, list[str]]:
        """What the view asks for, as a URL's query does."""
        found: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query):
            found.setdefault(name, []).append(value)
        return found


class SavedViews:
    """Views by project and name."""

    def __init__(self, database: Database, ledger: Ledger, access: Access) -> None:
        self.database = database
        self.ledger = ledger
        self.access = access

    def save(self, caller: Caller, *, project: str, name: str, query: str) -> SavedView:
        """Keeps a view, in place of one of the same name. Raises BadField, NotAllowed."""
        self._admit(caller, project)
        name = name.strip()
        if not 1 <= len(name) <= LONGEST_NAME or not is_clean(name):
            raise BadField(field="name", value=repr(name[:100]), expected=f"1 to {LONGEST_NAME} characters in one line")
        kept = urlencode([(key, value) for key, value in parse_qsl(query) if key in PARTS])
        if len(kept) > LONGEST_QUERY:
            raise BadField(field="query", value=f"{len(kept):,} characters", expected=f"at most {LONGEST_QUERY:,}")

        def make(record: Record) -> SavedView:
            row = {"query": kept, "created_by": caller.name, "created_at": record.at}
            here = (views.c.project == project, views.c.name == name)
            if not record.connection.execute(update(views).where(*here).values(row)).rowcount:
                record.connection.execute(views.insert().values(project=project, name=name, **row))
            record.note(query=kept)
            return SavedView(project, name, kept, caller.name, record.at)

        thing = f"view:{project}/{name}"
        return self.ledger.change(caller, "runs.save_view", thing, make, answer=SavedView, project=project or None)

    def forget(self, caller: Caller, *, project: str, name: str) -> None:
        """Raises NotFound, NotAllowed."""
        self._admit(caller, project)

        def make(record: Record) -> None:
            here = (views.c.project == project, views.c.name == name)
            if not record.connection.execute(delete(views).where(*here)).rowcount:
                raise NotFound(kind="view", name=name[:100])

        thing = f"view:{project}/{name}"
        self.ledger.change(caller, "runs.forget_view", thing, make, answer=type(None), project=project or None)

    def of(self, project: str) -> list[SavedView]:
        """Those of a project, or of the list over all, by name."""
        with self.database.read() as connection:
            rows = connection.execute(select(views).where(views.c.project == project).order_by(views.c.name)).mappings()
            return [SavedView(**row) for row in rows]

    def _admit(self, caller: Caller, project: str) -> None:
        if project:
            self.access.admit(caller, "runs.write", kind="project", name=project, find=lambda: [project])
