"""Servers on one database: each sees what the others did, one has the duty, and what belongs apart is kept apart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from taxiway.audit.contract import VerifyLog
from taxiway.house import House
from taxiway.kernel.caller import SYSTEM
from taxiway.kernel.errors import AlreadyExists, Unavailable
from taxiway.projects.contract import CreateProject
from taxiway.storage.database import Database
from taxiway.storage.keys import KeyUnusable
from taxiway.storage.sharing import FilesElsewhere
from tests.support.live import running
from tests.support.postgres import Postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.fresh_database() as url:
        yield url


def end_sessions(url: str) -> None:
    """Ends every other session of the database, as a restart of its server does."""
    database = Database(url)
    ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with database.engine.connect() as connection:
        connection.execute(text(f"{ending} AND pid != pg_backend_pid()"))
    database.close()


def opened(folder: Path, url: str, *, of: House | None = None) -> House:
    """A server's house; another one on the same database has its keys and its place of files."""
    if of is not None:
        shutil.copytree(of.home / "keys", folder / "keys")
    return House(folder, database_url=url, blobs_url=(folder.parent / "files").as_uri())


def test_two_servers_see_what_the_other_did_and_make_one_log(url: str, tmp_path: Path) -> None:
    first = opened(tmp_path / "first", url)
    second = opened(tmp_path / "second", url, of=first)

    for number, house in enumerate([first, second, first, second]):
        house.projects.create(SYSTEM, CreateProject(name=f"project-{number}"))
    with pytest.raises(AlreadyExists):
        second.projects.create(SYSTEM, CreateProject(name="project-0"))

    found = [house.audit.verify(VerifyLog()) for house in (first, second)]
    duty = (first.is_on_duty(), second.is_on_duty())
    first.close()
    after = second.is_on_duty()
    second.close()
    assert [(each.is_intact, each.entries) for each in found] == [(True, 8), (True, 8)]
    assert duty == (True, False)
    assert after


def test_a_server_with_files_of_its_own_is_refused(url: str, tmp_path: Path) -> None:
    with running(tmp_path / "first", database_url=url, login=False) as live:
        with pytest.raises(FilesElsewhere) as refusal:
            opened(tmp_path / "second", url, of=live.house)

        live.client.projects.create("fraud")
    assert "give each the same --blobs" in str(refusal.value)
    (tmp_path / "first").rename(tmp_path / "moved")  # a home takes its files along
    with running(tmp_path / "moved", database_url=url, login=False) as again:
        assert len(again.client.projects.list()) == 1


def test_a_server_with_another_key_is_refused(url: str, tmp_path: Path) -> None:
    first = opened(tmp_path / "first", url)

    with pytest.raises(KeyUnusable, match="copy it from the home of the other server"):
        opened(tmp_path / "second", url)

    first.close()


def test_a_server_whose_session_ended_takes_its_duty_again(url: str, tmp_path: Path) -> None:
    with running(tmp_path / "home", database_url=url, login=False) as live:
        live.client.projects.create("fraud")
        end_sessions(url)

        for name in ("churn", "late"):
            try:
                live.client.projects.create(name)
            except Unavailable:  # a connection of the pool may turn out to be gone at its first use
                live.client.projects.create(name)

        assert live.house.is_on_duty()
        assert len(live.client.projects.list()) == 3
