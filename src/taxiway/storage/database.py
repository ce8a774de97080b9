"""Opening the database: SQLite or PostgreSQL behind SQLAlchemy Core, and the column types that tables use."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Dialect,
    Engine,
    MetaData,
    Text,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError

from taxiway.kernel.errors import TaxiwayError

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
WRITING = 7461786977  # any number of our own: under PostgreSQL's lock of it servers change things one after the other
IDLE_S = 0.1  # after which a connection to PostgreSQL is tried before it is used again
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as whole microseconds since 1970 in UTC: it sorts and compares alike everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else write_moment(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return None if value is None else read_moment(value)


def read_moment(value: int) -> datetime:
    """The time that a Moment keeps as this number."""
    return EPOCH + timedelta(microseconds=value)


def write_moment(value: datetime) -> int:
    """The number that a Moment keeps this time as. Raises OverflowError for one that is none in UTC."""
    found = (value - EPOCH) // timedelta(microseconds=1)
    if not FIRST <= found <= LAST:
        raise OverflowError(f"{value} is in no year from 1 to 9999 in UTC")
    return found


class Json(TypeDecorator[T], Generic[T]):
    """A struct or plain value, kept as JSON text: ``Column("signature", Json(Signature))``."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any = Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:
        return None if value is None else msgspec.json.decode(value, type=self.kind)


class DatabaseUnusable(TaxiwayError):
    """The database cannot be opened: not there, not ours to write, or no database."""

    status = 503
    database: str
    cause: str

    def __str__(self) -> str:
        return (
            f"The database {self.database} cannot be used: {self.cause}. Mend that, or restore the last backup of the "
            f"home; `taxiway doctor` looks at both. Nothing was changed."
        )


class Database:
    """An open database. Reads take a connection each; changes go through `writes.Writer` alone."""

    def __init__(self, url: str) -> None:
        """url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``. Raises DatabaseUnusable."""
        self.url = re.sub("^postgres(ql)?://", "postgresql+psycopg://", url)
        self.is_sqlite = url.startswith("sqlite")
        try:
            self.engine = open_sqlite(url) if self.is_sqlite else open_postgres(self.url)
        except (ArgumentError, ModuleNotFoundError) as e:
            cause = "it is no URL such as postgresql://USER:PASSWORD@HOST/NAME, or taxiway[postgres] is not installed"
            raise DatabaseUnusable(database=url.rpartition("@")[2], cause=cause) from e  # never its password

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Says in words what a driver says of a database that cannot be opened. Raises DatabaseUnusable."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as e:  # the second from `configure`, which speaks to the driver itself
            shown = self.engine.url.render_as_string(hide_password=True)
            said = str(e.orig if isinstance(e, DBAPIError) and e.orig else e).strip()
            cause = said.splitlines()[0] if said else type(e).__name__
            raise DatabaseUnusable(database=shown, cause=cause) from e

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees what was committed before it began, and changes nothing."""
        with self.engine.connect() as connection:
            yield connection
            connection.rollback()

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """As `read`, where every statement sees the same state: for what is put together from several tables."""
        with self.engine.connect() as connection:
            seen = connection if self.is_sqlite else connection.execution_options(isolation_level="REPEATABLE READ")
            yield seen
            seen.rollback()

    def close(self) -> None:
        self.engine.dispose()


def open_postgres(url: str) -> Engine:
    """A connection that lay idle may be gone and is tried first; one that is used all the time is not, each time.

    A change waits until no other server makes one, and then sees what all of them did.
    """
    engine = create_engine(url, pool_size=8, pool_use_lifo=True)

    @event.listens_for(engine, "checkout")
    def try_idle(connection: Any, record: Any, _proxy: object) -> None:
        if time.monotonic() - record.info.get("used_at", 0.0) > IDLE_S:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as e:
                raise InvalidatePoolError from e

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("taxiway_writer", False):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING})")

    @event.listens_for(engine, "checkin")
    def note(_connection: object, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    return engine


def open_sqlite(url: str) -> Engine:
    """SQLite in WAL mode. A commit is on the disk when it returns (synchronous=FULL)."""
    engine = create_engine(
        url, connect_args={"timeout": 30, "check_same_thread": False, "cached_statements": 512}, pool_size=8
    )

    # Python's driver opens transactions by its own rules, which breaks savepoints and DDL in transactions;
    # so it is told to open none, and SQLAlchemy's "begin" says BEGIN.
    @event.listens_for(engine, "connect")
    def configure(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA wal_autocheckpoint=4000")  # pages: 16 MB, so that fewer commits have to copy them

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("taxiway_writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    return engine


def sqlite_url(home: Path) -> str:
    """Where a home keeps its own database."""
    return f"sqlite:///{home / 'taxiway.db'}"
