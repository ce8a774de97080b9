"""The write path: all or nothing, once, many requests in a commit, and honest when the disk is full."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, event, insert, select

from taxiway.kernel.clock import now
from taxiway.kernel.errors import BadField, DiskFull, KeyReused, TaxiwayError, Unavailable
from taxiway.storage import writes
from taxiway.storage.database import Database
from taxiway.storage.migrations import HEAD, NewerDatabase, current, migrate
from taxiway.storage.writes import Change, Key, Lane, Single, Writer
from tests.support.loops import awaited

notes = Table("notes_of_tests", MetaData(), Column("id", Integer, primary_key=True), Column("text", String))


@pytest.fixture
def database(url_with_tables: str) -> Iterator[Database]:
    database = Database(url_with_tables)
    with database.engine.begin() as connection:
        notes.create(connection)
    yield database
    database.close()


@pytest.fixture
def writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database, now, "home")
    yield writer
    writer.close()


def write_note(text: str) -> Note:
    return Note(text)


class Note:
    """A change that adds a row and answers with its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.calls = 0

    def __call__(self, change: Change) -> str:
        self.calls += 1
        change.connection.execute(insert(notes).values(text=self.text))
        return self.text


def texts(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(select(notes.c.text)).scalars())


def test_a_change_is_there_when_write_returns(database: Database, writer: Writer) -> None:
    assert writer.write(write_note("a")) == "a"
    assert texts(database) == ["a"]


def test_a_refused_change_leaves_nothing_and_spares_its_neighbours(database: Database, writer: Writer) -> None:
    def half(change: Change) -> None:
        change.connection.execute(insert(notes).values(text="half"))
        raise BadField(field="x", value="1", expected="2")

    hold = threading.Event()
    holding = threading.Thread(target=lambda: writer.write(lambda change: hold.wait(5)))
    holding.start()
    outcomes: list[object] = []

    def attempt(make: object) -> None:
        try:
            outcomes.append(writer.write(make))  # type: ignore[arg-type]
        except BadField as refusal:
            outcomes.append(refusal)

    threads = [threading.Thread(target=attempt, args=(m,)) for m in (write_note("a"), half, write_note("b"))]
    for thread in threads:
        thread.start()
    hold.set()
    for thread in [*threads, holding]:
        thread.join()

    assert texts(database) == ["a", "b"]
    assert sum(isinstance(o, BadField) for o in outcomes) == 1


def test_requests_that_wait_share_a_commit(database: Database, writer: Writer) -> None:
    commits = []
    event.listen(database.engine, "commit", lambda connection: commits.append(1))
    hold = threading.Event()
    threads = [threading.Thread(target=lambda: writer.write(lambda change: hold.wait(5)))]
    threads += [threading.Thread(target=writer.write, args=(write_note(str(n)),)) for n in range(50)]
    for thread in threads:
        thread.start()
    hold.set()
    for thread in threads:
        thread.join()

    assert len(texts(database)) == 50
    assert len(commits) < 25


def test_who_was_answered_together_shares_the_next_commit_and_who_writes_alone_waits_for_nobody(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "GATHERED_WITHIN_S", 0.6)
    commits: list[float] = []
    event.listen(database.engine, "commit", lambda connection: commits.append(time.monotonic()))
    hold = threading.Event()

    def start(change: Callable[[Change], object]) -> threading.Thread:
        thread = threading.Thread(target=writer.write, args=(change,))
        thread.start()
        return thread

    together = [start(lambda change: hold.wait(5)), start(write_note("a")), start(write_note("b"))]
    hold.set()
    for thread in together:
        thread.join()
    before = len(commits)
    first = start(write_note("c"))
    time.sleep(0.1)
    writer.write(write_note("d"))
    first.join()
    assert len(commits) == before + 1

    for text in "efg":  # the last two commits had one each when the last of them comes
        writer.write(write_note(text))
    assert commits[-1] - commits[-2] < 0.3


def test_requests_of_a_lane_are_applied_together_and_refused_one_by_one(database: Database, writer: Writer) -> None:
    together: list[int] = []

    def apply(change: Change, items: Sequence[str]) -> list[str | TaxiwayError]:
        together.append(len(items))
        change.connection.execute(insert(notes), [{"text": text} for text in items if text != "bad"])
        return [BadField(field="text", value=text, expected="x") if text == "bad" else text for text in items]

    lane = Lane(apply)

    async def ask() -> Sequence[object]:
        texts_given = ["a", "bad", *map(str, range(48))]
        with held(writer):
            asked = asyncio.gather(*(writer.merge_soon(lane, text) for text in texts_given), return_exceptions=True)
            await asyncio.sleep(0)
        return await asked

    answers = awaited(ask())

    assert together == [50]
    assert answers[0] == "a"
    assert isinstance(answers[1], BadField)
    assert texts(database) == sorted(["a", *map(str, range(48))])


def test_a_lane_that_fails_applies_each_alone_and_the_bad_one_fails_alone(database: Database, writer: Writer) -> None:
    def apply(change: Change, items: Sequence[str]) -> list[str]:
        for text in items:
            change.connection.execute(insert(notes).values(text=text))
        if "bad" in items:
            raise ValueError("not this one")
        return list(items)

    lane = Lane(apply)

    async def ask() -> Sequence[object]:
        with held(writer):
            asked = asyncio.gather(*(writer.merge_soon(lane, t) for t in ("a", "bad", "b")), return_exceptions=True)
            await asyncio.sleep(0)
        return await asked

    answers = awaited(ask())

    assert (answers[0], answers[2]) == ("a", "b")
    assert isinstance(answers[1], ValueError)
    assert texts(database) == ["a", "b"]
    assert writer.merge(lane, "c") == "c"


def test_a_caller_that_went_away_stops_nobody(database: Database, writer: Writer) -> None:
    lane: Lane[str, str] = Lane(lambda change, items: list(items))

    async def ask() -> str:
        with held(writer):
            gone = asyncio.create_task(writer.merge_soon(lane, "gone"))
            waits = asyncio.create_task(writer.merge_soon(lane, "waits"))
            await asyncio.sleep(0)
            gone.cancel()
        return await waits

    assert awaited(ask()) == "waits"
    assert writer.write(write_note("after")) == "after"


def test_too_many_that_wait_are_refused_at_once(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "MOST_WAITING", 0)

    with pytest.raises(Unavailable, match="too many"):
        writer.write(write_note("a"))


@contextmanager
def held(writer: Writer) -> Iterator[None]:
    """The writer waits until the block ends, so that what was asked for meanwhile shares the next commit."""
    asked = threading.Event()
    writer.jobs.put(Single(lambda change: asked.wait(5), None, None))
    try:
        yield
    finally:
        asked.set()


def test_the_same_key_applies_once_and_gives_the_first_answer(database: Database, writer: Writer) -> None:
    key = Key("k", "fingerprint")
    note = write_note("a")

    answers = [writer.write(note, key=key, answer=str) for _ in range(3)]

    assert answers == ["a", "a", "a"]
    assert note.calls == 1
    assert texts(database) == ["a"]


def test_a_key_of_another_request_is_refused(database: Database, writer: Writer) -> None:
    writer.write(write_note("a"), key=Key("k", "one"), answer=str)

    with pytest.raises(KeyReused):
        writer.write(write_note("b"), key=Key("k", "two"), answer=str)

    assert texts(database) == ["a"]


def test_a_refused_request_may_be_sent_again_with_its_key(database: Database, writer: Writer) -> None:
    def refuse(change: Change) -> str:
        raise BadField(field="x", value="1", expected="2")

    with pytest.raises(BadField):
        writer.write(refuse, key=Key("k", "f"), answer=str)

    assert writer.write(write_note("a"), key=Key("k", "f"), answer=str) == "a"


def test_what_fails_after_a_commit_is_logged_and_stops_nothing(
    database: Database, writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    reached = []

    def fail() -> None:
        raise ValueError("afterwards")

    def change_and_fail(change: Change) -> str:
        change.after_commit(fail)
        change.after_commit(lambda: reached.append(1))
        return write_note("a")(change)

    assert writer.write(change_and_fail) == "a"
    assert writer.write(write_note("b")) == "b"
    assert texts(database) == ["a", "b"]
    assert reached == [1]
    assert "afterwards" in caplog.text


def test_a_closed_writer_says_that_it_stops(database: Database) -> None:
    writer = Writer(database, now, "home")
    writer.close()

    with pytest.raises(Unavailable):
        writer.write(write_note("a"))


def test_a_full_disk_is_said_and_heals_without_a_restart(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/full.db")
    migrate(database)
    with database.engine.begin() as connection:
        notes.create(connection)
    limit = {"pages": 0}

    @event.listens_for(database.engine, "begin")
    def shrink(connection: object) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count={limit['pages'] or 1_000_000}")  # type: ignore[attr-defined]

    writer = Writer(database, now, str(tmp_path))
    writer.write(write_note("before"))
    limit["pages"] = 1  # SQLite then refuses to grow the file: the error of a full disk

    with pytest.raises(DiskFull, match="Nothing was stored"):
        writer.write(write_note("x" * 1_000_000))
    limit["pages"] = 0
    writer.write(write_note("after"))

    assert texts(database) == ["after", "before"]
    writer.close()
    database.close()


KILLED = """
import sys
from sqlalchemy import text
from taxiway.kernel.clock import now
from taxiway.storage.database import Database
from taxiway.storage.writes import Writer
writer = Writer(Database(sys.argv[1]), now, "home")
insert = text("INSERT INTO notes_of_tests (text) VALUES (:t)")
for n in range(100_000):
    writer.write(lambda change: change.connection.execute(insert, {"t": str(n)}) and None)
    print(n, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/killed.db"
    database = Database(url)
    migrate(database)
    with database.engine.begin() as connection:
        notes.create(connection)
    process = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(40)]
    process.send_signal(signal.SIGKILL)
    acknowledged += process.stdout.read().split()
    process.wait()
    process.stdout.close()

    found = texts(database)

    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found)) <= len(acknowledged) + 1
    database.close()


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)

    with database.engine.connect() as connection:
        assert current(connection) == HEAD


def test_a_newer_database_is_left_alone(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(NewerDatabase, match="9999"):
        migrate(database)
