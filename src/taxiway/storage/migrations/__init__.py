"""Bringing a database's tables up to what this version needs."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, text
from sqlalchemy.engine import Connection

from taxiway.kernel.errors import TaxiwayError
from taxiway.storage.database import Database

HEAD = "0001"  # the newest file in versions/
NUMBER = Table(  # as alembic makes it
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


class NewerDatabase(TaxiwayError):
    """The database was made by a newer Taxiway."""

    status = 409
    found: str
    supported: str

    def __str__(self) -> str:
        return (
            f"The database has the schema {self.found}; this Taxiway knows schemas up to {self.supported}. "
            f"Upgrade Taxiway, or restore a backup made before the upgrade. Nothing was changed."
        )


def migrate(database: Database, whole: MetaData | None = None) -> None:
    """Makes or upgrades the tables in one transaction. Raises NewerDatabase, DatabaseUnusable.

    whole: every table there is, as the files of migrations make them. An empty database gets them at once, which
    takes a quarter of the time.
    """
    with database.opening(), database.engine.connect() as raw:
        connection = raw.execution_options(taxiway_writer=True)
        with connection.begin():
            found = current(connection)
            if found == HEAD:
                return
            if found is not None and found > HEAD:
                raise NewerDatabase(found=found, supported=HEAD)
            if found is None and whole is not None:
                make_whole(connection, whole)
            else:
                upgrade(connection)


def make_whole(connection: Connection, whole: MetaData) -> None:
    """Makes the tables of an empty database as they are now, and notes that no migration is left to run."""
    whole.create_all(connection, checkfirst=False)
    NUMBER.create(connection)
    connection.execute(insert(NUMBER).values(version_num=HEAD))


def current(connection: Connection) -> str | None:
    """The schema that a database has; None where it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def upgrade(connection: Connection) -> None:
    from alembic import command  # slow to import, and needed only when there is something to do

    command.upgrade(configuration(connection), "head")


def configuration(connection: Connection):  # type: ignore[no-untyped-def]  # alembic's Config, imported late
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "taxiway.storage:migrations")
    config.attributes["connection"] = connection
    return config
