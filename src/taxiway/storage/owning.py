"""Whose a database is: a home's own file is that home's alone; one of PostgreSQL's is shared by the servers on it.

Every change on PostgreSQL is made under one lock, so that servers change things one after the other and each sees what
the others did. What one server alone must do, such as running the gateway, is for who has the duty: it holds a lock of
PostgreSQL's for as long as its session lives, and another server takes it over.

A home's file can be deleted, moved or put back from a backup under a running server, which would go on writing to what
nobody finds again; so it is looked at before each change.
"""

from __future__ import annotations

import select
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from taxiway.storage.database import Database

LOCK = 0x7461786977617931  # one for each database of a PostgreSQL server


class Owning:
    """A server's hold on its database."""

    def __init__(self, database: Database) -> None:
        """Raises DatabaseUnusable."""
        self.database = database
        self.connection: Connection | None = None
        self.file: tuple[int, int] | None = None
        self.was_on_duty = False
        self.lock = threading.Lock()
        if not database.is_sqlite:
            with database.opening():
                self.is_on_duty()

    def require(self) -> None:
        """Called before each change. Raises OSError where a home's own file is gone."""
        if self.database.is_sqlite:
            self._require_file()

    def is_on_duty(self) -> bool:
        """Whether this server does what one alone must do. Takes that over where nobody has it."""
        if self.database.is_sqlite:
            return True
        with self.lock:
            if not self._is_held():
                self._drop()
                try:
                    self.was_on_duty = self._take()
                except DBAPIError:  # the database is away: nobody can take the duty over, and it stays whose it was
                    return self.was_on_duty
            return self.was_on_duty

    def _require_file(self) -> None:
        """That the file is the one that was there at first."""
        path = Path(self.database.engine.url.database or "")
        try:
            status = path.stat()
        except FileNotFoundError:
            found = (0, 0)
        else:
            found = (status.st_dev, status.st_ino)
        self.file = self.file or found
        if found != self.file or not found[1]:
            step = "stop this server, put the home back and start it again"
            raise FileNotFoundError(f"its file {path} was deleted, moved or replaced: {step}")

    def _is_held(self) -> bool:
        """Whether the session lives: nothing is ever sent to it unasked but its end, which costs no question."""
        if self.connection is None:
            return False
        driver: Any = self.connection.connection.dbapi_connection
        return not driver.closed and not select.select([driver.fileno()], [], [], 0)[0]

    def _take(self) -> bool:
        connection = self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # it is no one's but ours, and the pool gets another
        try:
            is_ours = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar())
        except BaseException:
            connection.close()
            raise
        if is_ours:
            self.connection = connection
        else:
            connection.close()
        return is_ours

    def _drop(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except DBAPIError:  # the session is gone already, and its lock with it
                return

    def close(self) -> None:
        """Lets the database go."""
        with self.lock:
            self._drop()
