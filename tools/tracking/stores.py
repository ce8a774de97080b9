"""A PostgreSQL for both servers, durable as it is by default, each with databases of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import quote

from tests.support import postgres


class Stores:
    """Gives each server a new place for its rows. Empty stands for SQLite in the server's own folder."""

    def mlflow(self) -> str:
        return ""

    def taxiway(self) -> str:
        return ""


class PostgresStores(Stores):
    """A new database at each call, gone when the stack is."""

    def __init__(self, server: postgres.Postgres, stack: ExitStack) -> None:
        self.server = server
        self.stack = stack

    def mlflow(self) -> str:
        return self.stack.enter_context(self.server.fresh_database())

    def taxiway(self) -> str:
        folder = str(self.server.folder)
        return self.mlflow().replace("postgresql+psycopg", "postgresql").replace(folder, quote(folder))


@contextmanager
def postgres_stores() -> Iterator[Stores]:
    # The tests' server does not wait for the disk, which is what is measured here.
    postgres.FAST = ("fsync=on", "synchronous_commit=on")  # type: ignore[assignment]
    with postgres.running_postgres() as server, ExitStack() as stack:
        yield PostgresStores(server, stack)
