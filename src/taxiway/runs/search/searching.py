"""Finding runs: what was asked, limited to what the caller may see."""

from __future__ import annotations

import builtins

from msgspec import Struct

from taxiway.access.service import Access
from taxiway.kernel.caller import Caller
from taxiway.kernel.clock import Clock
from taxiway.kernel.endpoint import Page
from taxiway.kernel.errors import BadField
from taxiway.runs import store
from taxiway.runs.contract import ListRuns, Run
from taxiway.runs.search.filter import Node, Order
from taxiway.runs.search.parsing import parse_filter, parse_order
from taxiway.runs.search.query import Search, View, count_statuses, find_numbers, read_mark, write_mark
from taxiway.storage.database import Database

MOST_LISTED = 500


class Ask(Struct, frozen=True, kw_only=True):
    """What to find, read already. experiments: by number, where () finds nothing. limit: at least 1."""

    where: Node | None = None
    order: tuple[Order, ...] = ()
    experiments: tuple[int, ...] | None = None
    project: str = ""
    experiment: str = ""
    view: View = "active"
    limit: int = 50
    after: str = ""


class Searching:
    """Searches of runs."""

    def __init__(self, database: Database, access: Access, clock: Clock) -> None:
        self.database = database
        self.access = access
        self.clock = clock

    def page(self, caller: Caller, ask: Ask) -> Page[Run]:
        """The runs that the caller may see and that were asked for, in order. Raises BadField for a wrong `after`."""
        search = self._search(caller, ask)
        with self.database.read() as connection:
            numbers, mark = find_numbers(connection, search, read_mark(ask.after))
            return Page(store.whole(connection, numbers, search.now), write_mark(mark))

    def numbers(self, caller: Caller, ask: Ask) -> tuple[builtins.list[int], str | None]:
        """As `page`, but the runs' numbers alone, for who reads the runs in a way of their own."""
        search = self._search(caller, ask)
        with self.database.read() as connection:
            found, mark = find_numbers(connection, search, read_mark(ask.after))
            return found, write_mark(mark)

    def list(self, caller: Caller, body: ListRuns) -> Page[Run]:
        """The runs that the caller may see and the filter lets through, in order. Raises BadField."""
        if not 1 <= body.limit <= MOST_LISTED:
            raise BadField(field="limit", value=str(body.limit), expected=f"a number from 1 to {MOST_LISTED}")
        return self.page(caller, read_ask(body))

    def count(self, caller: Caller, body: ListRuns, *, most: int | None = None) -> dict[str, int]:
        """How many runs a list has in all, by status. most: from which number on it stops counting."""
        search = self._search(caller, read_ask(body))
        with self.database.read() as connection:
            return count_statuses(connection, search, most)

    def _search(self, caller: Caller, ask: Ask) -> Search:
        return Search(
            where=ask.where,
            order=ask.order,
            projects=self.access.visible(caller),
            project=ask.project,
            experiment=ask.experiment,
            experiments=ask.experiments,
            view=ask.view,
            limit=ask.limit,
            now=self.clock(),
        )


def read_ask(body: ListRuns) -> Ask:
    """Raises BadField."""
    return Ask(
        where=parse_filter(body.filter),
        order=parse_order(body.order),
        project=body.project,
        experiment=body.experiment,
        view="deleted" if body.deleted else "active",
        limit=body.limit,
        after=body.after,
    )
