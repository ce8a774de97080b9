"""One server to a database: a second one is told so, and the first goes on, through a lost session too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from taxiway.house import House
from taxiway.kernel.errors import Unavailable
from taxiway.storage import owning
from taxiway.storage.database import Database
from taxiway.storage.owning import DatabaseTaken, Owning
from tests.support.live import running
from tests.support.postgres import Postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(owning, "WAIT_S", 0.2)
    with postgres.fresh_database() as url:
        yield url


def end_sessions(url: str) -> None:
    """Ends every other session of the database, as a restart of its server does."""
    database = Database(url)
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with database.engine.connect() as connection:
        connection.execute(text(f"{ending} AND pid != pg_backend_pid()"))
    database.close()


def test_a_second_server_on_a_database_is_refused_and_the_first_goes_on(url: str, tmp_path: Path) -> None:
    with running(tmp_path / "first", database_url=url, login=False) as live:
        with pytest.raises(DatabaseTaken) as refusal:
            House(tmp_path / "second", database_url=url)

        live.client.projects.create("fraud")
    assert "A database belongs to one server" in str(refusal.value)
    assert "since 20" in str(refusal.value)
    with running(tmp_path / "first", database_url=url, login=False) as again:
        assert len(again.client.projects.list()) == 1


def test_a_server_whose_session_ended_takes_its_database_again(url: str, tmp_path: Path) -> None:
    with running(tmp_path / "home", database_url=url, login=False) as live:
        live.client.projects.create("fraud")
        end_sessions(url)

        for name in ("churn", "late"):
            try:
                live.client.projects.create(name)
            except Unavailable:  # a connection of the pool may turn out to be gone at its first use
                live.client.projects.create(name)

        with pytest.raises(DatabaseTaken):
            Owning(Database(url))


def test_a_server_changes_nothing_once_another_has_its_database(url: str, tmp_path: Path) -> None:
    with running(tmp_path / "home", database_url=url, login=False) as live:
        live.client.projects.create("fraud")
        assert live.house.owning is not None
        live.house.owning.close()  # as when its session ended
        other = Owning(Database(url))

        with pytest.raises(Unavailable, match="open in another Taxiway server"):
            live.client.projects.create("churn")

        assert len(live.client.projects.list()) == 1
        other.close()
        live.client.projects.create("churn")
