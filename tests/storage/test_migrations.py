"""The migrations make exactly what the tables say, on both databases."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

import taxiway
from taxiway.storage.database import Database, metadata
from taxiway.storage.migrations import HEAD, configuration, current, migrate
from tests.support.postgres import Postgres


def test_the_migrations_make_what_the_tables_say(database_url: str) -> None:
    source = Path(taxiway.__file__).parent
    for file in sorted(source.glob("**/tables.py")):
        room = ".".join(file.parent.relative_to(source).parts)
        importlib.import_module(f"taxiway.{room}.tables")
    database = Database(database_url)
    migrate(database)

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        differences = compare_metadata(context, metadata)

    database.close()
    assert differences == []


def test_the_migrations_go_down_and_up_again(database_url: str) -> None:
    database = Database(database_url)
    migrate(database)

    with database.engine.begin() as connection:
        command.downgrade(configuration(connection), "base")
        left = inspect(connection).get_table_names()
    migrate(database)
    with database.engine.connect() as connection:
        found = current(connection)

    database.close()
    assert left == ["alembic_version"]
    assert found == HEAD


def schema_of(url: str) -> list[tuple[str, ...]]:
    """All that a database says of itself: every table, column, constraint and index, as it words them."""
    database = Database(url)
    with database.engine.connect() as connection:
        found = statements_of(connection) if database.is_sqlite else catalogue_of(connection)
        assert current(connection) == HEAD
    database.close()
    return sorted(found)


def statements_of(connection: Connection) -> list[tuple[str, ...]]:
    rows = connection.execute(text("SELECT type, name, tbl_name, sql FROM sqlite_master")).all()
    return [(kind, name, table, *sorted(pieces(sql or ""))) for kind, name, table, sql in rows]


def pieces(sql: str) -> list[str]:
    """The lines of a statement: each a column or a constraint, whose order and layout alone may differ."""
    return [" ".join(line.replace('"', "").split()).strip(" ,") for line in sql.splitlines() if line.strip()]


def catalogue_of(connection: Connection) -> list[tuple[str, ...]]:
    columns = """SELECT 'column', table_name, column_name, ordinal_position::text, data_type, is_nullable,
        coalesce(column_default, ''), coalesce(collation_name, ''), coalesce(character_maximum_length::text, ''),
        is_identity FROM information_schema.columns WHERE table_schema = 'public'"""
    constraints = """SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace"""
    indexes = "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    return [tuple(row) for asked in (columns, constraints, indexes) for row in connection.execute(text(asked))]


START = """
import sys
from taxiway.house import metadata
from taxiway.storage.database import Database
from taxiway.storage.migrations import migrate
migrate(Database(sys.argv[1]), metadata)
"""


@pytest.mark.postgres
def test_an_empty_database_gets_at_once_what_the_migrations_make(tmp_path: Path, postgres: Postgres) -> None:
    """In a process of its own, which knows the tables that a server knows, and no more."""
    with postgres.fresh_database() as migrated, postgres.fresh_database() as made:
        for one, other in ((f"sqlite:///{tmp_path}/migrated.db", f"sqlite:///{tmp_path}/made.db"), (migrated, made)):
            database = Database(one)
            migrate(database)
            subprocess.run([sys.executable, "-c", START, other], check=True)

            database.close()
            wanted, found = schema_of(one), schema_of(other)
            assert len(wanted) > 200
            assert found == wanted
