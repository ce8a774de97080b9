"""What tests of every noun stand on: databases of both kinds, fresh for each test, and a browser."""

import atexit
import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.support.memory import memory
from tests.support.postgres import Postgres, running_postgres
from tests.support.s3 import KEY, S3, SECRET, running_s3

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.support.kept import Kept
    from tests.support.live import Live


# A slow moment of a shared machine is no fault of the code; in CI the examples are the same each time.
settings.register_profile("house", settings(), deadline=None, derandomize=True)
settings.load_profile("house")


# What starts servers or processes: right for the whole suite, too slow for the inner loop.
STARTS_SERVERS = {"s3", "live", "live_for_all", "sqlite_live", "open_live", "kept", "platform", "site"}
STARTS_SERVERS |= {"served", "portfolio", "make_run", "tracking", "server", "story", "told", "moved", "in_place"}
STARTS_SERVERS |= {"walk", "city", "many", "seen", "stage", "office", "open_house"}
FOLDERS_OF_PROCESSES = ("demo", "docs", "server")
FILES_OF_PROCESSES = ("test_bad_input", "test_launch", "test_docs", "test_tracking_machine")


def pytest_configure(config: pytest.Config) -> None:
    """Has the homes of tests live in memory where there is room.

    That a write survives is tested by killing processes, which memory outlives too.
    """
    if folder := memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(folder))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests that start servers or processes, so that `make fast` can leave them out."""
    for item in items:
        is_slow_room = item.path.parent.name in FOLDERS_OF_PROCESSES or item.path.stem in FILES_OF_PROCESSES
        if is_slow_room or STARTS_SERVERS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("server")


def pytest_collection_finish() -> None:
    """Has Python look for garbage among what the tests make, and no more in the modules and tests themselves.

    At the very end all of it is looked at again: some libraries call what is left then a leak, at length.
    """
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)


@pytest.fixture(autouse=True, scope="session")
def once() -> Iterator[None]:
    """Hundreds of servers in one process: what each would make in the same way is made for the first."""
    from tests.support.once import make_once

    with pytest.MonkeyPatch.context() as patch:
        make_once(patch)
        yield


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is merely slow, on a machine that is busy with other tests, is not taken for one that is away."""
    monkeypatch.setattr("taxiway.runs.sending.recorder.PATIENCE_S", 5.0)
    monkeypatch.setattr("taxiway.runs.sending.recorder.AT_WORK_S", 20.0)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for each test process; starting it takes a fraction of a second once its cache is filled."""
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A SQLAlchemy URL of an empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/taxiway.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.fresh_database() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_with_tables(postgres: Postgres) -> str:
    """The name of a PostgreSQL database that holds empty tables, to be copied."""
    from tests.support.tables import make_tables

    postgres.create("with_tables")
    make_tables(postgres.url("with_tables"))
    return "with_tables"


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@contextmanager
def with_tables(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """The URL of a database of the kind that the fixture asks for, with the tables of a server in it."""
    from tests.support.tables import furnish

    if request.param == "sqlite":
        furnish(folder)
        yield f"sqlite:///{folder}/taxiway.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.fresh_database(copy_of=request.getfixturevalue("postgres_with_tables")) as url:
        yield url


@pytest.fixture(params=BOTH)
def url_with_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """As `database_url`, with the tables of a server in it."""
    with with_tables(request, tmp_path) as url:
        yield url


@pytest.fixture(params=BOTH)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator["Live"]:
    """The real server, with login, on a real port: once over SQLite and once over PostgreSQL."""
    from tests.support.live import running

    with with_tables(request, tmp_path) as url, running(tmp_path / "home", database_url=url) as live:
        yield live


@pytest.fixture
def sqlite_live(tmp_path: Path) -> Iterator["Live"]:
    """As `live`, over SQLite alone: for pages, which have no queries of their own."""
    from tests.support.live import running

    with running(tmp_path / "home") as live:
        yield live


@pytest.fixture(scope="module", params=BOTH)
def live_for_all(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator["Live"]:
    """As `live`, one for all tests of a file: they find what those before them left."""
    from tests.support.live import running

    folder = tmp_path_factory.mktemp("live")
    with with_tables(request, folder) as url, running(folder / "home", database_url=url) as live:
        yield live


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> "Kept":
    """Beginnings of stories, told once in each test process and copied for each test."""
    from tests.support.kept import Kept

    return Kept(tmp_path_factory.mktemp("kept"))


@pytest.fixture(params=BOTH)
def either_database(request: pytest.FixtureRequest) -> Postgres | None:
    """Where a kept story's rows are: in its home for the one run of a test, in PostgreSQL for the other."""
    if request.param == "sqlite":
        return None
    request.getfixturevalue("postgres_with_tables")
    server: Postgres = request.getfixturevalue("postgres")
    return server


@pytest.fixture
def open_live(tmp_path: Path) -> Iterator["Live"]:
    """The real server without login, over its own SQLite file."""
    from tests.support.live import running

    with running(tmp_path / "home", login=False) as live:
        yield live


@pytest.fixture(scope="session")
def s3() -> Iterator[S3]:
    """One S3-compatible store for each test process; starting it takes a second."""
    with running_s3() as store:
        yield store


@pytest.fixture
def s3_url(s3: S3, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty place in a real store, with its credentials in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return s3.fresh_url()


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A headless Chromium that cannot look up any host but this one. Mark its tests `browser`."""
    from tests.support.browser import running_chromium

    with running_chromium() as browser:
        yield browser


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """A page in a context of its own; the test fails if it asked for anything beyond loopback or broke."""
    from tests.support.browser import watched_page

    with watched_page(chromium) as page:
        yield page
