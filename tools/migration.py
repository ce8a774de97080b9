"""Writes the next migration from what the tables say: ``python tools/migration.py "what changes"``.

With ``--first`` it writes the first one afresh, for as long as nothing has been released.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

import taxiway
from taxiway.storage.database import Database
from taxiway.storage.migrations import configuration, migrate

source = Path(taxiway.__file__).parent


def import_tables() -> None:
    """Imports every module that declares tables, so that the metadata knows them all."""
    for file in sorted(source.glob("**/tables.py")):
        room = ".".join(file.parent.relative_to(source).parts)
        importlib.import_module(f"taxiway.{room}.tables")


def write(message: str, number: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/now.db")
        if any((source / "storage/migrations/versions").glob("*.py")):
            migrate(database)
        with database.engine.connect() as connection:
            config = configuration(connection)
            config.set_main_option("script_location", str(source / "storage/migrations"))
            config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
            made = command.revision(config, message, autogenerate=True, rev_id=number)
    for script in made if isinstance(made, list) else [made]:
        if script is not None:
            tidy(Path(script.path))


def tidy(file: Path) -> None:
    """Takes the generator's remarks out and lays the file out like the others."""
    lines = [line for line in file.read_text().splitlines() if not line.strip().startswith("# ###")]
    lines[0] = '"""' + lines[0].strip('"')[:1].upper() + lines[0].strip('"')[1:] + '"""'
    file.write_text("\n".join(lines) + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(file)], check=True)


if __name__ == "__main__":
    import_tables()
    if sys.argv[1] == "--first":
        for file in (source / "storage/migrations/versions").glob("[0-9]*.py"):
            file.unlink()
        sys.argv[1] = "the first tables"
    known = sorted(file.name[:4] for file in (source / "storage/migrations/versions").glob("[0-9]*.py"))
    number = f"{int(known[-1]) + 1 if known else 1:04d}"
    write(sys.argv[1], number)
    print(f"Set HEAD in storage/migrations/__init__.py to {number!r}; read the file before committing it.")
