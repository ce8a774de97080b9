"""Projects, through the SDK and over a real port."""

from __future__ import annotations

import pytest

from taxiway.access.proposals.contract import NotOthersWord
from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from taxiway.projects.contract import ChangeProject
from taxiway.projects.refusals import RulesHeld, RulesWait
from tests.support.live import Live


def test_a_project_begins_its_way_as_an_idea(live: Live) -> None:
    ana = live.as_person("ana")

    created = ana.projects.create("fraud", purpose="find stolen cards", risk="high")

    standing = ana.projects.show("fraud")
    assert standing.project == created
    assert created.owner == "ana"
    assert [(s.stage, s.because) for s in standing.stages] == [("idea", "project:fraud")]


def test_the_recorded_owner_holds_the_role_also_where_an_admin_opened_it_for_them(live: Live) -> None:
    live.as_person("ana")
    ines = live.as_person("ines", is_admin=True)

    ines.projects.create("fraud", owner="ana")

    held = [(grant.user, grant.role, grant.granted_by) for grant in live.client.access.grants("fraud")]
    assert held == [("ana", "owner", "ines")]
    assert live.client.audit.entries(thing="user:ana").items[0].verb == "access.grant_role"


def test_a_new_owner_in_the_facts_gets_the_role(live: Live) -> None:
    ana = live.as_person("ana")
    live.as_person("ben")
    ana.projects.create("fraud")

    ana.projects.change("fraud", ChangeProject(owner="ben"))

    held = [(grant.user, grant.role) for grant in live.client.access.grants("fraud")]
    assert held == [("ana", "owner"), ("ben", "owner")]


def test_a_name_can_be_taken_once(live: Live) -> None:
    live.client.projects.create("fraud")

    with pytest.raises(AlreadyExists, match="fraud"):
        live.client.projects.create("fraud")


def test_a_bad_name_is_refused_with_field_and_value(live: Live) -> None:
    with pytest.raises(BadField) as refusal:
        live.client.projects.create("No Spaces")

    assert refusal.value.field == "name"
    assert "No Spaces" in refusal.value.value


def test_a_path_that_there_is_not_is_refused_before_the_project_is_made(open_live: Live) -> None:
    with pytest.raises(BadField, match="careful") as refusal:
        open_live.client.projects.create("fraud", path="nowhere")

    assert refusal.value.field == "path"
    with pytest.raises(NotFound):
        open_live.client.projects.show("fraud")


def test_an_unknown_project_is_not_found_and_says_what_to_do(live: Live) -> None:
    with pytest.raises(NotFound, match="taxiway projects list"):
        live.client.projects.show("nope")


def test_a_stranger_sees_nothing_and_who_may_read_learns_who_can_help(live: Live) -> None:
    live.as_person("ana").projects.create("fraud")
    eve, vic = live.as_person("eve"), live.as_person("vic", "viewer", project="fraud")

    with pytest.raises(NotFound):
        eve.projects.show("fraud")
    with pytest.raises(NotAllowed) as refusal:
        vic.projects.change("fraud", ChangeProject(risk="low"))

    assert refusal.value.who_can == ["ana"]
    assert eve.projects.list() == []
    assert {"projects.read.refused", "projects.write.refused"} <= {e.verb for e in live.client.audit.entries().items}


@pytest.mark.parametrize("lighter", [ChangeProject(risk="low"), ChangeProject(path="light")])
def test_an_owner_cannot_make_the_rules_lighter_and_learns_who_can(live: Live, lighter: ChangeProject) -> None:
    live.as_person("ivo", is_admin=True)
    ana = live.as_person("ana")
    created = ana.projects.create("fraud", risk="high")

    with pytest.raises(RulesHeld, match="Ask ivo") as refusal:
        ana.projects.change("fraud", lighter)

    assert refusal.value.who_can == ["ivo"]
    assert live.last_verb() == "projects.change.refused"
    assert ana.projects.show("fraud").project == created


def test_an_owner_raises_the_tier_and_keeps_what_is_so(live: Live) -> None:
    ana = live.as_person("ana")
    ana.projects.create("fraud", risk="low")

    changed = ana.projects.change("fraud", ChangeProject(purpose="find cards", risk="high", path=""))

    assert (changed.risk, changed.purpose) == ("high", "find cards")


@pytest.mark.parametrize("rules", [ChangeProject(risk="low"), ChangeProject(path="careful")])
def test_no_admin_makes_the_rules_lighter_alone(live: Live, rules: ChangeProject) -> None:
    created = live.as_person("ana").projects.create("fraud", risk="high")
    ivo = live.as_person("ivo", is_admin=True)

    with pytest.raises(RulesWait, match="there is no second admin") as alone:
        ivo.projects.change("fraud", rules)
    mona = live.as_person("mona", is_admin=True)
    with pytest.raises(RulesWait, match="taxiway access confirm") as refusal:
        ivo.projects.change("fraud", rules)
    with pytest.raises(NotOthersWord):
        ivo.access.confirm(refusal.value.proposal)

    assert (alone.value.proposal, refusal.value.who_can) == ("", ["mona"])
    assert ivo.projects.show("fraud").project == created
    mona.access.confirm(refusal.value.proposal)
    after = ivo.projects.show("fraud").project
    assert (after.risk, after.path) == (rules.risk or "high", rules.path or "")
    assert live.client.projects.change("fraud", ChangeProject(path="", risk="low")).risk == "low"  # the home's owner


@pytest.mark.parametrize(
    ("field", "there_is", "change"),
    [("path", "careful", ChangeProject(path="nope")), ("owner", "ana", ChangeProject(owner="nobody"))],
)
def test_a_path_or_owner_that_there_is_not_is_a_bad_field(
    live: Live, field: str, there_is: str, change: ChangeProject
) -> None:
    live.as_person("ana").projects.create("fraud")

    with pytest.raises(BadField, match=there_is) as refusal:
        live.client.projects.change("fraud", change)

    assert refusal.value.field == field
