"""Stories that are told once in a test process: each test goes on from its own copy of what the server held then."""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, TypeVar

from tests.support.live import Live, running
from tests.support.pair import VARIABLE
from tests.support.postgres import Postgres


class Told(Protocol):
    """What a server was told, and who told it."""

    def go_on(self, live: Live, folder: Path) -> None:
        """Has another server be told the rest, which holds all that was told until now."""


S = TypeVar("S", bound=Told)
Tell = Callable[[Live, Path], S]


class Beginning(NamedTuple):
    """What is left of a server that was told the beginning. database: in PostgreSQL; empty where it is in the home."""

    story: Any
    home: Path
    database: str
    tokens: dict[str, str]


class Kept:
    """The beginnings that were told until now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.beginnings: dict[tuple[object, bool], Beginning] = {}

    @contextmanager
    def again(self, tell: Tell[S], folder: Path, postgres: Postgres | None = None) -> Iterator[S]:
        """What `tell` gives, as if it had just been told to a server whose home is in the folder.

        postgres: holds a database `with_tables`, and what is told; else the home's own database does.
        """
        if os.environ.get(VARIABLE):  # its servers keep nothing in their homes
            with running(folder / "home") as live:
                yield tell(live, folder)
            return
        key = (tell, postgres is not None)
        if key not in self.beginnings:
            self.beginnings[key] = self._begin(tell, postgres)
        begun = self.beginnings[key]
        shutil.copytree(begun.home, folder / "home")
        with contextlib.ExitStack() as open_:
            url = open_.enter_context(postgres.fresh_database(copy_of=begun.database)) if postgres else None
            live = open_.enter_context(running(folder / "home", database_url=url))
            live.tokens |= begun.tokens
            story = copy.copy(begun.story)
            story.go_on(live, folder)
            yield story

    def _begin(self, tell: Tell[S], postgres: Postgres | None) -> Beginning:
        folder = self.folder / str(len(self.beginnings))
        folder.mkdir()
        database = ""
        if postgres:
            database = f"begun_{len(self.beginnings)}"
            postgres.create(database, "with_tables")
        url = postgres.url(database) if postgres else None
        with contextlib.chdir(folder), running(folder / "home", database_url=url) as live:
            story = tell(live, folder)
            tokens = dict(live.tokens)
        return Beginning(story, folder / "home", database, tokens)
