"""One inbox: what waits comes and goes by itself, what is told stays until it is read, and the count is cheap."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from taxiway.kernel.caller import Caller
from taxiway.kernel.errors import BadField
from tests.discussions.conftest import PROJECT, THING, People

HIGH = {"project": PROJECT, "severity": "high", "things": [THING]}


def count(people: People, name: str) -> int:
    return people.live.house.notices.count(Caller(name=name, kind="person"))


def test_a_finding_waits_for_its_owner_and_then_for_a_second_person(people: People) -> None:
    def kinds(client: Any) -> list[str]:
        return [each.what for each in client.notices.list(kind="finding")]

    finding = people.vera.gates.findings.open("Rates differ", owner="ana", **HIGH)  # type: ignore[arg-type]
    mends = (kinds(people.ana), kinds(people.vera), count(people, "ana"))
    people.ana.gates.findings.move(finding.id, "in_progress", comment="looking")
    people.ana.gates.findings.move(finding.id, "resolved", comment="mended")
    closes = (kinds(people.ana), kinds(people.vera))
    people.vito.gates.findings.move(finding.id, "closed", comment="seen")

    assert mends == (["mend “Rates differ” (high)"], [], 1)
    assert closes == ([], ["close the finding “Rates differ”, if it is mended"])
    assert kinds(people.vera) == []
    over = people.ana.notices.list(show="done", kind="finding")
    assert [each.gone_at is not None for each in over] == [True]


def test_what_is_read_counts_no_more_and_what_is_done_goes(people: People) -> None:
    people.vera.discussions.say(THING, "one, @ana")
    people.vera.discussions.say(THING, "two, @ana")
    before = count(people, "ana")
    newest, older = people.ana.notices.list(kind="mention")[:2]

    marked = people.ana.notices.mark("read", [newest.id])
    unread = [each.id for each in people.ana.notices.list(show="unread", kind="mention")]
    people.ana.notices.mark("done", [older.id])
    waiting = [each.id for each in people.ana.notices.list(kind="mention")]
    people.vera.notices.mark("done", [newest.id])  # somebody else's

    assert (marked.changed, marked.counting) == (1, before - 1)
    assert (newest.id in unread, older.id in unread) == (False, True)
    assert (newest.id in waiting, older.id in waiting) == (True, False)
    assert newest.id in [each.id for each in people.ana.notices.list(kind="mention")]
    assert people.ana.notices.mark("unread", [newest.id]).counting == before - 1


def test_who_loses_their_role_loses_sight_of_what_was_told(people: People) -> None:
    kim = people.live.as_person("kim", "contributor", project=PROJECT)
    people.vera.discussions.say(THING, "a secret, @kim")
    before = len(kim.notices.list())

    people.live.client.access.revoke("kim", project=PROJECT)

    assert (before, kim.notices.list(), count(people, "kim")) == (1, [], 0)


def test_counting_judges_nothing_until_something_changes(people: People) -> None:
    people.live.house.notices.keeper.settle()
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    engine = people.live.house.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        count(people, "ana")
        idle = [each for each in asked if each.lstrip().upper().startswith("SELECT")]
    finally:
        event.remove(engine, "before_cursor_execute", note)

    assert [each for each in idle if "gate" in each or "model" in each] == []
    assert len(idle) <= 5


def test_a_change_that_comes_while_one_looks_is_looked_at_again(people: People) -> None:
    keeper, house = people.live.house.notices.keeper, people.live.house
    looks: list[int] = []

    def meddling(projects: list[str]) -> list[Any]:
        looks.append(len(projects))
        if len(looks) == 1:
            people.vera.gates.findings.open("Between", owner="ana", **HIGH)  # type: ignore[arg-type]
        return []

    keeper.sources.append(meddling)
    try:
        keeper.mark([PROJECT])
        keeper.settle()
    finally:
        keeper.sources.remove(meddling)

    assert len(looks) >= 2
    assert keeper.is_settled()
    with house.database.read():
        assert "mend “Between” (high)" in [each.what for each in people.ana.notices.list(kind="finding")]


def test_e_mail_is_offered_only_where_the_server_sends_some(people: People) -> None:
    with pytest.raises(BadField, match="TAXIWAY_SMTP"):
        people.vera.notices.prefer(address="vera@bank.example", delivery="at_once")
    with pytest.raises(BadField, match="address"):
        people.vera.notices.prefer(address="vera\r\nBcc: x@y.z")
    assert people.vera.notices.preferences().delivery == "none"
