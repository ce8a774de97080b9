"""The audit log: no change without its entry, and no tampering that does not show."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from taxiway.audit import store
from taxiway.audit.contract import ListEntries, TreeHead, VerifyLog
from taxiway.audit.merkle import verify_consistency, verify_inclusion
from taxiway.audit.service import Record
from taxiway.audit.tables import entries, heads, nodes
from taxiway.house import House
from taxiway.kernel.caller import SYSTEM, Caller
from taxiway.kernel.errors import AlreadyExists, NotAllowed
from taxiway.projects.contract import CreateProject, Project
from tests.support.live import Live
from tests.support.tables import furnished


def fill(live: Live, count: int) -> None:
    for n in range(count):
        live.client.projects.create(f"project-{n}")


def test_a_change_and_its_entry_come_together(live: Live) -> None:
    live.as_person("ana").projects.create("fraud", risk="high")

    found = live.client.audit.entries(thing="project:fraud").items

    assert [(e.actor, e.verb, e.door) for e in found] == [
        ("ana", "projects.enter_stage", "sdk"),
        ("ana", "projects.create", "sdk"),
    ]
    assert found[1].facts["risk"] == "high"


def test_a_refused_change_has_no_entry(live: Live) -> None:
    live.client.projects.create("fraud")
    before = live.client.audit.head().size

    with pytest.raises(AlreadyExists):
        live.client.projects.create("fraud")

    assert live.client.audit.head().size == before


def test_proofs_hold_from_the_first_entry_on(live: Live) -> None:
    fill(live, 7)
    audit = live.client.audit
    newest = audit.head()

    for seq in range(newest.size):
        proof = audit.prove_inclusion(seq)
        path = [bytes.fromhex(h) for h in proof.path]
        head = bytes.fromhex(newest.root)
        assert verify_inclusion(path, leaf=bytes.fromhex(proof.leaf), index=seq, size=newest.size, head=head)
    older = audit.prove_inclusion(0, size=5)
    grown = [bytes.fromhex(h) for h in audit.prove_consistency(5).path]
    assert verify_consistency(
        grown,
        old_size=5,
        new_size=newest.size,
        old_head=bytes.fromhex(older.root),
        new_head=bytes.fromhex(newest.root),
    )


def test_changes_from_many_threads_make_one_unbroken_log(live: Live) -> None:
    threads = [
        threading.Thread(target=lambda n=n: live.house.projects.create(SYSTEM, CreateProject(name=f"p{n}")))
        for n in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    verification = live.client.audit.verify()

    assert verification.is_intact
    assert verification.entries == 48


def test_a_log_that_grows_while_it_is_checked_is_intact(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(live, 3)
    read = store.raw_rows

    def late(connection: Any) -> Any:
        """The entries, read a moment after the heads: somebody else changed something meanwhile."""
        live.house.projects.create(SYSTEM, CreateProject(name="meanwhile"))
        return read(connection)

    monkeypatch.setattr("taxiway.audit.store.raw_rows", late)

    assert live.client.audit.verify().problem is None


def flip_facts(connection: Any, size: int, rng: random.Random) -> None:
    seq = rng.randrange(size)
    connection.execute(update(entries).where(entries.c.seq == seq).values(facts='{"changed": true}'))


def change_actor(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(update(entries).where(entries.c.seq == rng.randrange(size)).values(actor="mallory"))


def drop_one(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(delete(entries).where(entries.c.seq == rng.randrange(size)))


def drop_last(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(delete(entries).where(entries.c.seq >= size - rng.randrange(1, 3)))


def forge_head(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(update(heads).where(heads.c.size == size).values(signature=b"\0" * 64))


def swap_two(connection: Any, size: int, rng: random.Random) -> None:
    first, second = rng.sample(range(size), 2)
    for old, new in ((first, -1), (second, first), (-1, second)):
        connection.execute(update(entries).where(entries.c.seq == old).values(seq=new))


def add_one(connection: Any, size: int, rng: random.Random) -> None:
    row = dict(connection.execute(select(entries).where(entries.c.seq == 0)).mappings().one())
    connection.execute(insert(entries).values({**row, "seq": size}))


def change_node(connection: Any, size: int, rng: random.Random) -> None:
    level, number = rng.choice([(1, 0), (1, size // 2 - 1), (2, 1), (3, 0)])
    one = (nodes.c.level == level) & (nodes.c.number == number)
    connection.execute(update(nodes).where(one).values(digest=b"\0" * 32))


def drop_node(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(delete(nodes).where(nodes.c.level == rng.randrange(1, 4), nodes.c.number == 0))


def add_node(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(insert(nodes).values(level=rng.randrange(1, 9), number=size, digest=b"\0" * 32))


def zero_frontier(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(update(heads).where(heads.c.size == size).values(frontier=b"\0" * 64))


def drop_head(connection: Any, size: int, rng: random.Random) -> None:
    connection.execute(delete(heads))


TAMPERINGS = (
    flip_facts,
    change_actor,
    drop_one,
    drop_last,
    forge_head,
    swap_two,
    add_one,
    change_node,
    drop_node,
    add_node,
    zero_frontier,
    drop_head,
)


@pytest.mark.parametrize("tamper", TAMPERINGS)
@pytest.mark.parametrize("seed", range(5))
def test_tampering_shows(tmp_path: Path, tamper: Any, seed: int) -> None:
    house = House(furnished(tmp_path / "home"))
    for n in range(6):
        house.projects.create(SYSTEM, CreateProject(name=f"p{n}"))
    assert house.audit.verify(VerifyLog()).is_intact

    with house.database.engine.begin() as connection:
        tamper(connection, 12, random.Random(seed))
    found = house.audit.verify(VerifyLog())

    house.close()
    assert not found.is_intact
    assert found.problem


@pytest.mark.parametrize("value", ["'zz'", "9223372036854775807", "x'00'", "1.5", "1e300"])
@pytest.mark.parametrize(
    ("table", "column", "where", "said"),
    [
        ("audit_entries", "at", "seq = 3", "entry 3 "),
        ("audit_entries", "facts", "seq = 3", "entry 3 "),
        ("audit_entries", "leaf", "seq = 3", "entry 3 "),
        ("audit_entries", "actor", "seq = 3", "entry 3 "),
        ("audit_heads", "at", "size = 8", "the head of size 8 "),
        ("audit_heads", "root", "size = 8", "the head of size 8 "),
        ("audit_heads", "frontier", "size = 8", "the head of size 8 "),
        ("audit_heads", "signature", "size = 8", "the head of size 8 "),
        ("audit_nodes", "digest", "level = 1 AND number = 1", "the stored node over the entries 2 to 3 "),
    ],
)
def test_what_cannot_even_be_read_is_named(
    tmp_path: Path, table: str, column: str, where: str, said: str, value: str
) -> None:
    house = House(furnished(tmp_path / "home"))
    for n in range(4):
        house.projects.create(SYSTEM, CreateProject(name=f"p{n}"))
    with house.database.engine.begin() as connection:
        connection.execute(text(f"UPDATE {table} SET {column} = {value} WHERE {where}"))

    found, listed = house.audit.verify(VerifyLog()), house.audit.entries(ListEntries())

    house.close()
    assert not found.is_intact
    assert found.problem
    assert found.problem.startswith(said)
    assert [entry.seq for entry in listed.items][-4:] == [3, 2, 1, 0]  # what can be read of it is still shown


def test_a_log_rolled_back_to_an_old_copy_shows_against_a_held_head(tmp_path: Path) -> None:
    house = House(furnished(tmp_path / "home"))
    house.projects.create(SYSTEM, CreateProject(name="one"))
    with house.database.engine.begin() as connection:
        old = [dict(row) for row in connection.execute(select(heads)).mappings()]
    house.projects.create(SYSTEM, CreateProject(name="two"))
    held = house.audit.head()
    with house.database.engine.begin() as connection:
        connection.execute(delete(entries).where(entries.c.seq >= 2))
        connection.execute(text("DELETE FROM audit_nodes WHERE (number + 1) << level > 2"))
        connection.execute(delete(heads))
        connection.execute(insert(heads), old)

    alone, against = house.audit.verify(VerifyLog()), house.audit.verify(VerifyLog(held=[held]))

    house.close()
    assert alone.is_intact  # a log put back whole is whole in itself: that is why heads are kept elsewhere
    assert not against.is_intact
    assert against.first_bad_seq == 2


def test_a_log_grown_anew_from_an_old_copy_shows_against_a_held_head(tmp_path: Path) -> None:
    house = House(furnished(tmp_path / "home"))
    house.projects.create(SYSTEM, CreateProject(name="one"))
    house.projects.create(SYSTEM, CreateProject(name="two"))
    held = house.audit.head()
    forked = TreeHead(held.size, "00" * 32, held.at, held.key_id, held.signature)

    found = house.audit.verify(VerifyLog(held=[forked]))

    house.close()
    assert not found.is_intact
    assert "its past was changed" in (found.problem or "")


def test_a_refusal_that_is_found_within_a_change_is_recorded_once(live: Live) -> None:
    live.client.projects.create("fraud")
    stranger = Caller("eve", "person")

    def make(record: Record) -> Project:
        live.house.access.require(stranger, "models.write", "fraud")
        raise AssertionError("she has no role there")

    with pytest.raises(NotAllowed):
        live.house.ledger.change(stranger, "models.register", "model:m", make, answer=Project)

    refused = [entry.verb for entry in live.client.audit.entries().items if entry.verb.endswith(".refused")]
    assert refused == ["models.register.refused"]


def test_entries_page_from_new_to_old(live: Live) -> None:
    fill(live, 5)

    first = live.client.audit.entries(limit=4)
    second = live.client.audit.entries(limit=4, before=int(first.next or 0))

    seqs = [e.seq for e in (*first.items, *second.items)]
    assert seqs == list(range(seqs[0], seqs[0] - 8, -1))


def test_a_person_sees_the_entries_of_their_own_projects(live: Live) -> None:
    live.as_person("ana").projects.create("hers")
    live.as_person("bob").projects.create("his")

    seen = {e.project for e in live.people["ana"].audit.entries().items}

    assert seen == {"hers"}
    assert len(live.house.audit.entries(ListEntries(), ["his"]).items) == 2


def test_entries_are_found_by_text_anywhere_and_by_day(live: Live) -> None:
    live.client.projects.create("fraud", purpose="50% of chargebacks_2026")
    live.client.projects.create("churn", purpose="who leaves")
    tomorrow = live.client.audit.entries(limit=1).items[0].at + timedelta(days=1)

    def verbs(**search: Any) -> list[str]:
        return [f"{entry.verb} {entry.thing}" for entry in live.client.audit.entries(**search).items]

    assert verbs(text="CHARGEBACKS_2026") == ["projects.create project:fraud"]
    assert verbs(text="50%") == ["projects.create project:fraud"]
    assert verbs(text="chargebacksX2026") == []  # no sign stands for another
    assert len(verbs(text="project:")) == 4
    assert verbs(since=tomorrow) == []
    assert len(verbs(until=tomorrow, text="churn")) == 2
