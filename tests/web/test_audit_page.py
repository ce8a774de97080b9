"""The page of the audit log."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urlsplit

import pytest
from sqlalchemy import text

from tests.support.live import Live
from tests.web.browse import Visitor

SEQ = re.compile(r"<summary>entry (\d+)</summary>")


@pytest.fixture
def live(sqlite_live: Live) -> Live:
    return sqlite_live


@pytest.fixture
def admin(live: Live) -> Visitor:
    live.client.access.add_user("root", is_admin=True)
    live.as_person("ana").projects.create("fraud", risk="low")
    live.as_person("ben").projects.create("claims")
    return visitor_of(live, "root")


def visitor_of(live: Live, name: str) -> Visitor:
    visitor = Visitor(live.url)
    visitor.post(urlsplit(live.sign_in_link(name)).path)
    return visitor


def seqs(page: str) -> list[int]:
    return [int(found) for found in SEQ.findall(page)]


def test_entries_stand_newest_first(admin: Visitor) -> None:
    found = seqs(admin.get("/audit").text)

    assert found == sorted(found, reverse=True)
    assert len(found) > 5


@pytest.mark.parametrize("query", ["project=fraud", "actor=ana", "verb=access.add_user", "thing=project:claims"])
def test_the_address_narrows_the_entries_down(live: Live, admin: Visitor, query: str) -> None:
    name, _, value = query.partition("=")

    found = seqs(admin.get(f"/audit?{query}").text)

    wanted = live.client.audit.entries(**{name: value}).items  # type: ignore[arg-type]
    assert found == [entry.seq for entry in wanted] != []


def test_older_entries_follow_without_gap_or_repeat(live: Live, admin: Visitor) -> None:
    for number in range(30):
        live.client.projects.create(f"p{number}")

    first = admin.get("/audit")
    older = re.search(r'href="([^"]+)" rel="next"', first.text)
    assert older is not None
    second = admin.get(unescape(older[1]))

    assert seqs(first.text)[-1] == seqs(second.text)[0] + 1


def test_nothing_that_fits_is_said_so(admin: Visitor) -> None:
    assert "No entry fits" in admin.get("/audit?verb=nothing.at_all").text


def test_a_person_sees_the_entries_of_their_projects_alone(live: Live, admin: Visitor) -> None:
    page = visitor_of(live, "ana").get("/audit").text

    assert "project:fraud" in page
    assert "project:claims" not in page


def test_verifying_says_that_the_log_holds(admin: Visitor) -> None:
    verified = admin.send("/audit/verify", page="/audit")

    assert verified.status == 200
    assert "The log holds:" in verified.text


def test_verifying_names_what_was_changed(live: Live, admin: Visitor) -> None:
    with live.house.database.engine.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET actor = 'eve' WHERE seq = 2"))

    verified = admin.send("/audit/verify", page="/audit")

    assert "The log does not hold: entry 2 does not match its hash" in verified.text


def test_a_head_that_was_kept_is_part_of_the_check(live: Live, admin: Visitor) -> None:
    forged = live.client.audit.head().root[:-4] + "0000"
    size = live.client.audit.head().size
    held = f'{{"size": {size}, "root": "{forged}", "at": "2026-01-01T00:00:00Z", "key_id": "k", "signature": "00"}}'
    wrong = admin.send("/audit/verify", page="/audit", held=held)
    broken = admin.send("/audit/verify", page="/audit", held="{not a head")

    assert "The log does not hold: the head held for size" in wrong.text
    assert broken.status == 400
    assert "witnesses write them, one to a line" in broken.text
