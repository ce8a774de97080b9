"""The migrations make exactly what the tables say, on both databases."""

from __future__ import annotations

import importlib
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

import taxiway
from taxiway.storage.database import Database, metadata
from taxiway.storage.migrations import HEAD, configuration, current, migrate


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
