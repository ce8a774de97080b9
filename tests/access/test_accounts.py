"""Accounts: who answers for a program, and what ends when somebody leaves."""

from __future__ import annotations

import pytest

from taxiway.access.contract import OwnAccount
from taxiway.access.proposals.contract import NotOthersWord, SecondAdminNeeded
from taxiway.kernel.errors import BadField, NotAllowed, NotFound, SignInNeeded
from tests.support.live import Live


def test_a_service_account_has_a_person_who_answers_for_it(live_for_all: Live) -> None:
    access = live_for_all.client.access
    access.add_user("ada")
    access.add_user("otto")

    with pytest.raises(BadField, match=r"the person who answers for it, one of .*ada"):
        access.add_service("robot", accountable="")
    with pytest.raises(BadField, match="a person answers for themselves"):
        live_for_all.client.access.change_user("ada", accountable="otto")
    robot = access.add_service("robot", accountable="ada")
    access.deactivate("ada", reason="left")
    left = {user.name: user for user in access.users()}["robot"]
    access.change_user("robot", accountable="otto")

    assert (robot.accountable, robot.is_orphaned) == ("ada", False)
    assert left.is_orphaned
    assert not {user.name: user for user in access.users()}["robot"].is_orphaned


def test_who_is_deactivated_opens_nothing_more_and_gets_nothing_new(live_for_all: Live) -> None:
    access, ben = live_for_all.client.access, live_for_all.as_person("ben")
    assert ben.access.me().name == "ben"

    gone = access.deactivate("ben", reason="left the company")

    assert not gone.is_active
    with pytest.raises(SignInNeeded):
        ben.access.me()
    with pytest.raises(BadField, match="an active account"):
        access.make_link("ben")
    access.activate("ben")
    with pytest.raises(SignInNeeded):  # the old token stays ended
        ben.access.me()
    assert access.tokens("ben") == []
    assert access.make_link("ben").user == "ben"


def test_an_admin_ends_somebodys_token_and_nobody_else_may(live_for_all: Live) -> None:
    cleo, eve = live_for_all.as_person("cleo"), live_for_all.as_person("eve")
    [token] = live_for_all.client.access.tokens("cleo")

    with pytest.raises(NotAllowed):
        eve.access.revoke_token("cleo", token.id)
    remaining = live_for_all.client.access.revoke_token("cleo", token.id)

    assert remaining == []
    assert live_for_all.last_verb() == "access.revoke_token"
    with pytest.raises(SignInNeeded):
        cleo.access.me()
    with pytest.raises(NotFound):
        live_for_all.client.access.tokens("nobody")


def test_an_admin_changes_everybody_but_themselves(live_for_all: Live) -> None:
    boss = live_for_all.as_person("boss", is_admin=True)

    with pytest.raises(OwnAccount):
        boss.access.deactivate("boss")

    assert live_for_all.last_verb() == "access.change_user.refused"


def test_where_there_are_two_admins_one_alone_gives_no_power(live_for_all: Live) -> None:
    """The first says what should be, the second that it happens; neither for themselves."""
    boss = live_for_all.as_person("boss", is_admin=True)
    chief = live_for_all.as_person("chief", is_admin=True)
    live_for_all.client.projects.create("loans")
    live_for_all.as_person("vera")

    with pytest.raises(
        SecondAdminNeeded, match=r"the role validator in loans yet: it waits for somebody .* it .chief, or the"
    ):
        boss.access.grant("vera", "validator", project="loans")
    with pytest.raises(SecondAdminNeeded, match="puppet does not have the rights of an admin yet"):
        boss.access.add_user("puppet", is_admin=True)
    boss.access.grant("vera", "viewer", project="loans")  # gives no power
    rights, grant = chief.access.proposals()
    with pytest.raises(NotOthersWord):
        boss.access.confirm(grant.id)
    with pytest.raises(NotAllowed):
        live_for_all.as_person("vera").access.confirm(grant.id)
    chief.access.confirm(grant.id)
    chief.access.refuse(rights.id)

    found = {(each.user, each.role): each.granted_by for each in boss.access.grants("loans")}
    assert found["vera", "validator"] == "boss"
    assert not {user.name: user for user in boss.access.users()}["puppet"].is_admin
    with pytest.raises(NotFound):
        chief.access.confirm(rights.id)
