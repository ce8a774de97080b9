"""Databases with the tables of a server in them: copying one is much quicker than making its tables."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from taxiway.storage.database import Database
from taxiway.storage.migrations import migrate
from tests.support.memory import memory


def make_tables(url: str) -> None:
    database = Database(url)
    migrate(database)
    database.close()


@cache
def empty_tables() -> Path:
    """A SQLite file as a server leaves it that only made its tables; one for each test process."""
    folder = Path(tempfile.mkdtemp(prefix="twtables-", dir=memory()))
    atexit.register(shutil.rmtree, folder)
    file = folder / "taxiway.db"
    make_tables(f"sqlite:///{file}")
    return file


def furnish(home: Path) -> None:
    """Puts empty tables into a home that has none."""
    file = home / "taxiway.db"
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copyfile(empty_tables(), file)


def furnished(home: Path) -> Path:
    """The home, with tables in it."""
    furnish(home)
    return home
