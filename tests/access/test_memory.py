"""Rights are remembered between calls, and never a call longer than they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from taxiway.access.contract import Grant, User
from taxiway.access.memory import Holder, Memory
from taxiway.client import connect
from taxiway.kernel.errors import BadField, NotFound, SignInNeeded
from taxiway.runs import contract
from taxiway.runs.contract import StartRun
from tests.support.live import Live

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ANA = User(name="ana", kind="person", display="Ana", is_admin=False, created_at=NOW)


def test_what_was_read_before_a_change_is_not_believed_after_it() -> None:
    memory = Memory()
    state = memory.state
    memory.forget()

    memory.keep_holder("digest", Holder(ANA, "token", NOW), state)
    memory.keep_grants("fraud", [Grant("ana", "fraud", "owner", "bo", NOW)], state)

    assert memory.holder("digest") is None
    assert memory.grants_in("fraud") is None


def test_what_another_process_changed_is_seen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Memory()
    memory.keep_holder("digest", Holder(ANA, "token", NOW), memory.state)
    assert memory.holder("digest") is not None

    monkeypatch.setattr("taxiway.access.memory.HOLDS_S", -1.0)
    memory.keep_holder("digest", Holder(ANA, "token", NOW), memory.state)

    assert memory.holder("digest") is None


def test_an_ended_token_is_refused_by_the_very_next_call(live: Live) -> None:
    ana = live.as_person("ana")
    token = ana.access.my_tokens()[0]
    assert ana.access.me().name == "ana"

    ana.access.revoke_my_token(token.id)

    with pytest.raises(SignInNeeded):
        ana.access.me()


def test_a_role_holds_from_the_call_after_it_was_given_to_the_call_after_it_was_taken(live: Live) -> None:
    live.client.projects.create("fraud")
    ana = live.as_person("ana", "contributor", project="fraud")
    run = ana.transport.call(contract.start_run, StartRun(project="fraud"))
    ana.runs.show(run.id)

    live.client.access.revoke("ana", project="fraud")
    with pytest.raises(NotFound):
        ana.runs.show(run.id)

    live.client.access.grant("ana", "viewer", project="fraud")
    assert ana.runs.show(run.id).id == run.id


def test_a_remembered_token_ends_when_it_expires(live: Live) -> None:
    live.client.access.add_user("bo")
    with connect(live.url, token=live.client.access.make_token("bo", days=1).token) as bo:
        bo.access.me()
        live.house.access.clock = lambda: datetime.now(UTC) + timedelta(days=2)

        with pytest.raises(SignInNeeded):
            bo.access.me()


def test_a_token_for_no_days_is_refused_with_what_would_be_accepted(live: Live) -> None:
    with pytest.raises(BadField, match="from 1 to 365"):
        live.as_person("bo").access.make_my_token(days=0)
