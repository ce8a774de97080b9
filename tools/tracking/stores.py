"""A PostgreSQL for both servers, durable as it is by default, each with a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

from tests.support import postgres


@dataclass(frozen=True)
class Stores:
    """What each server is told to keep its rows in; empty for SQLite."""

    mlflow: str
    taxiway: str


@contextmanager
def postgres_stores() -> Iterator[Stores]:
    # The tests' server does not wait for the disk, which is what is measured here.
    postgres.FAST = ("fsync=on", "synchronous_commit=on")  # type: ignore[assignment]
    with (
        postgres.running_postgres() as server,
        server.fresh_database() as mlflow,
        server.fresh_database() as taxiway,
    ):
        yield Stores(
            mlflow,
            taxiway.replace("postgresql+psycopg", "postgresql").replace(str(server.folder), quote(str(server.folder))),
        )
