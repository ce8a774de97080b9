"""A thousand edits of the log's tables, each found against a head that was held; a thousand clean checks, no alarm."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, delete, func, insert, select, update

from taxiway.audit import checking, store
from taxiway.audit.checking import Check
from taxiway.audit.contract import TreeHead, Verification, VerifyLog
from taxiway.audit.service import Record
from taxiway.audit.store import as_stored
from taxiway.audit.tables import entries, heads, nodes
from taxiway.house import House
from taxiway.kernel.caller import SYSTEM
from taxiway.storage.writes import Change
from tests.support.tables import furnished

EDITS = 1000
KEPT_EVERY = 32  # so that a short log has heads that stay and a head that gives way
Row = dict[str, Any]


class Log:
    """A log over a real home, what its heads were at each size, and a head that somebody holds."""

    def __init__(self, home: Path) -> None:
        self.house = House(furnished(home))
        self.past: dict[int, list[Row]] = {}
        for n in range(40):
            self.grow(n)
        self.held = self.house.audit.head()

    def grow(self, n: int) -> None:
        facts = {"name": f"thing {n}", "share": n / 7, "before": None, "words": ["é", "\U0001f600"]}

        def make(record: Record) -> str:
            record.note(**facts)
            for extra in range(n % 3):
                record.also("projects.extra", f"project:p{n}", number=extra)
            return ""

        self.house.ledger.change(SYSTEM, "projects.create", f"project:p{n}", make, answer=str)
        with self.house.database.read() as connection:
            stored = [dict(row) for row in connection.execute(select(heads)).mappings()]
        self.past[max(row["size"] for row in stored)] = stored

    def check(self, connection: Connection) -> Verification:
        return Check(connection, self.house.keys, [self.held]).run()

    def back_to(self, connection: Connection, size: int) -> None:
        """The log as an old copy has it."""
        connection.execute(delete(entries).where(entries.c.seq >= size))
        kept = (nodes.c.number + 1) * func.pow(2, nodes.c.level)
        connection.execute(delete(nodes).where(kept > size))
        connection.execute(delete(heads))
        connection.execute(insert(heads), self.past[size])

    def append(self, connection: Connection, at: Any) -> None:
        """One more entry by the platform itself, as it would go on from what is stored."""
        record = Record(Change(connection, at), caller=SYSTEM, verb="x", thing="y", project=None)
        newest = store.newest_head(connection)
        self.house.ledger._append(record, newest, [("projects.create", "project:other", {"name": "other"})])


def changed(value: Any, rng: random.Random) -> Any:
    """Another value of the same kind, differing in one character, bit or number."""
    match value:
        case None:
            return "x"
        case int():
            return value + rng.choice([-1, 1, 1000])
        case bytes():
            at, bit = rng.randrange(len(value)), 1 << rng.randrange(8)
            return value[:at] + bytes([value[at] ^ bit]) + value[at + 1 :]
    at = rng.randrange(len(value) + 1)
    return value[:at] + rng.choice("xyzß0") + value[at:]


def alter(log: Log, connection: Connection, rng: random.Random) -> int | None:
    """One cell of any of the tables."""
    table: Table = rng.choice([entries, entries, heads, nodes])
    rows = [dict(row) for row in connection.execute(as_stored(table)).mappings()]
    row, column = rng.choice(rows), rng.choice([c for c in table.c if not c.primary_key])
    value = changed(row[column.name], rng)
    connection.exec_driver_sql(
        f"UPDATE {table.name} SET {column.name} = ? WHERE "
        + " AND ".join(f"{c.name} = ?" for c in table.primary_key.columns),
        (value, *(row[c.name] for c in table.primary_key.columns)),
    )
    return int(row["seq"]) if table is entries else None


def remove(log: Log, connection: Connection, rng: random.Random) -> int | None:
    table: Table = rng.choice([entries, entries, heads, nodes])
    rows = [dict(row) for row in connection.execute(select(*table.primary_key.columns)).mappings()]
    row = rng.choice(rows)
    connection.execute(delete(table).where(*(c == row[c.name] for c in table.primary_key.columns)))
    return int(row["seq"]) if table is entries else None


def add(log: Log, connection: Connection, rng: random.Random) -> int | None:
    """An entry between two others, those behind it moved on; or one at the end."""
    size = log.held.size
    at = rng.randrange(size + 1)
    copy = dict(connection.execute(select(entries).where(entries.c.seq == rng.randrange(size))).mappings().one())
    for seq in range(size - 1, at - 1, -1):
        connection.execute(update(entries).where(entries.c.seq == seq).values(seq=seq + 1))
    connection.execute(insert(entries).values({**copy, "seq": at}))
    return at


def swap(log: Log, connection: Connection, rng: random.Random) -> int | None:
    first, second = sorted(rng.sample(range(log.held.size), 2))
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute(update(entries).where(entries.c.seq == old).values(seq=new))
    return first


def truncate(log: Log, connection: Connection, rng: random.Random) -> int | None:
    cut = rng.randrange(log.held.size)
    connection.execute(delete(entries).where(entries.c.seq >= cut))
    return cut


def roll_back(log: Log, connection: Connection, rng: random.Random) -> int | None:
    size = rng.choice([each for each in log.past if each < log.held.size])
    log.back_to(connection, size)
    return size


def fork(log: Log, connection: Connection, rng: random.Random) -> int | None:
    """An old copy that the platform then went on from, with its own key: every signature is right."""
    size = rng.choice([each for each in log.past if each < log.held.size])
    log.back_to(connection, size)
    for _ in range(log.held.size - size + rng.randrange(3)):
        log.append(connection, log.held.at)
    return None


EDITING: tuple[Callable[[Log, Connection, random.Random], int | None], ...] = (
    alter,
    alter,
    remove,
    add,
    swap,
    truncate,
    roll_back,
    fork,
)


def test_a_thousand_edits_are_found_and_a_thousand_clean_checks_alarm_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "KEPT_EVERY", KEPT_EVERY)
    log = Log(tmp_path / "home")
    rng = random.Random(6962)
    missed: list[str] = []
    alarms = 0

    with log.house.database.engine.connect() as connection:
        for number in range(EDITS):
            edit = rng.choice(EDITING)
            with connection.begin() as tampering:
                seq = edit(log, connection, rng)
                found = log.check(connection)
                tampering.rollback()
            if found.is_intact or (seq is not None and found.first_bad_seq != seq):
                missed.append(f"{number}: {edit.__name__} of {seq}: {found}")
            with connection.begin():
                alarms += not log.check(connection).is_intact

    log.house.close()
    assert missed == []
    assert alarms == 0


def test_a_log_holds_every_head_of_its_past(tmp_path: Path) -> None:
    house = House(furnished(tmp_path / "home"))
    kept: list[TreeHead] = []
    for n in range(20):
        house.ledger.change(
            SYSTEM,
            "projects.create",
            f"project:p{n}",
            lambda _: "",
            answer=str,
        )
        kept.append(house.audit.head())

    found = house.audit.verify(VerifyLog(held=kept))

    house.close()
    assert found.is_intact
