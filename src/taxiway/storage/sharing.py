"""That servers on one database of PostgreSQL's belong together: they keep files in one place and sign with one key."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, select

from taxiway.kernel.errors import TaxiwayError
from taxiway.kernel.ids import new_id
from taxiway.storage.database import Database
from taxiway.storage.keys import KeyUnusable
from taxiway.storage.rows import inserting
from taxiway.storage.tables import platform

HOME_ID = "id"


class FilesElsewhere(TaxiwayError):
    """A server would keep files where the database's other servers do not look."""

    status = 409
    database: str
    kept: str
    given: str

    def __str__(self) -> str:
        return (
            f"The files of the database {self.database} are kept in {self.kept}, and this server would keep its own in "
            f"{self.given}. Servers on one database need one place that all reach: give each the same --blobs, such as "
            f"s3://BUCKET/PREFIX. Nothing was changed."
        )


def share(database: Database, home: Path, *, place: str, key: str) -> None:
    """Enters where the files of a database are kept and with which key its log is signed, or holds both against that.

    place: as a URL. One within the home moves with it, so that the home's own number stands for it. A home's own SQLite
    file is nobody else's. Raises FilesElsewhere, KeyUnusable.
    """
    if database.is_sqlite:
        return
    given = f"the home {home_id(home)}" if place.startswith(f"{home.as_uri()}/") else place
    with database.opening(), database.engine.begin() as connection:
        kept = {name: enter(connection, name, value) for name, value in (("files", given), ("key", key))}
    if kept["files"] != given:
        shown = database.engine.url.render_as_string(hide_password=True)
        raise FilesElsewhere(database=shown, kept=kept["files"], given=given)
    if kept["key"] != key:
        cause = f"the log of this database is signed with another key, {kept['key']}"
        raise KeyUnusable(file=str(home / "keys" / "signing.pem"), cause=cause)


def enter(connection: Connection, name: str, value: str) -> str:
    """What is entered under a name; this value where nothing was."""
    connection.execute(inserting(connection, platform).values(name=name, value=value).on_conflict_do_nothing())
    kept: str = connection.execute(select(platform.c.value).where(platform.c.name == name)).scalar_one()
    return kept


def home_id(home: Path) -> str:
    """A home's own number, wherever it is moved."""
    file = home / HOME_ID
    try:
        return file.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        file.write_text(new_id() + "\n", encoding="ascii")
        return file.read_text(encoding="ascii").strip()
