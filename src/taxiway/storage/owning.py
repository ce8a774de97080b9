"""One server to a database: a lock of PostgreSQL's that its session holds for as long as the server lives.

A home's own SQLite file needs none, because the home itself is taken. Two servers on one database would each keep in
memory what the other changes. A file can be deleted, moved or put back from a backup under a running server, which
would go on writing to what nobody finds again.
"""

from __future__ import annotations

import select
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from taxiway.kernel.errors import TaxiwayError
from taxiway.storage.database import Database

LOCK = 0x7461786977617931  # one for each database of a PostgreSQL server
WAIT_S = 5.0  # for the session of a server that was killed a moment ago
HOLDER = """SELECT host(a.client_addr) AS host, a.backend_start FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = :high AND l.objid = :low
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


class DatabaseTaken(TaxiwayError):
    """Another server has the database open."""

    status = 409
    database: str
    owner: str

    def __str__(self) -> str:
        return (
            f"The database {self.database} is open in another Taxiway server, {self.owner}. A database belongs to one "
            f"server: stop that first, or give another database. Nothing was changed."
        )


class Owning:
    """That no other server has the database; lost with the session, and then taken again before the next change."""

    def __init__(self, database: Database) -> None:
        """Raises DatabaseTaken, DatabaseUnusable."""
        self.database = database
        self.connection: Connection | None = None
        self.file: tuple[int, int] | None = None
        if not database.is_sqlite:
            with database.opening():
                self._take()

    def require(self) -> None:
        """Called before each change. Raises DatabaseTaken where another server came between, OSError for a file."""
        if self.database.is_sqlite:
            self._require_file()
        elif not self._is_held():
            self.close()
            self._take()

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

    def _take(self) -> None:
        until = time.monotonic() + WAIT_S
        connection = self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # it is no one's but ours, and the pool gets another
        try:
            self._await(connection, until)
        except BaseException:
            connection.close()
            raise
        self.connection = connection

    def _await(self, connection: Connection, until: float) -> None:
        while not connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": LOCK}).scalar():
            if time.monotonic() > until:
                shown = self.database.engine.url.render_as_string(hide_password=True)
                raise DatabaseTaken(database=shown, owner=holder(connection))
            time.sleep(0.05)

    def close(self) -> None:
        """Lets the database go."""
        connection, self.connection = self.connection, None
        if connection is not None:
            try:
                connection.close()
            except DBAPIError:  # the session is gone already, and its lock with it
                return


def holder(connection: Connection) -> str:
    """Who has the lock, as far as PostgreSQL tells."""
    found = connection.execute(text(HOLDER), {"high": LOCK >> 32, "low": LOCK & 0xFFFFFFFF}).first()
    if found is None:
        return "which is just leaving"
    return f"on {found.host or 'this machine'} since {found.backend_start:%Y-%m-%d %H:%M}"
