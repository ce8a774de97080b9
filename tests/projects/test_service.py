"""Projects, through the SDK and over a real port."""

from __future__ import annotations

import pytest

from taxiway.kernel.errors import AlreadyExists, BadField, NotAllowed, NotFound
from tests.support.live import Live


def test_a_project_begins_its_way_as_an_idea(live: Live) -> None:
    ana = live.as_person("ana")

    created = ana.projects.create("fraud", purpose="find stolen cards", risk="high")

    standing = ana.projects.show("fraud")
    assert standing.project == created
    assert created.owner == "ana"
    assert [(s.stage, s.because) for s in standing.stages] == [("idea", "project:fraud")]


def test_a_name_can_be_taken_once(live: Live) -> None:
    live.client.projects.create("fraud")

    with pytest.raises(AlreadyExists, match="fraud"):
        live.client.projects.create("fraud")


def test_a_bad_name_is_refused_with_field_and_value(live: Live) -> None:
    with pytest.raises(BadField) as refusal:
        live.client.projects.create("No Spaces")

    assert refusal.value.field == "name"
    assert "No Spaces" in refusal.value.value


def test_an_unknown_project_is_not_found_and_says_what_to_do(live: Live) -> None:
    with pytest.raises(NotFound, match="taxiway projects list"):
        live.client.projects.show("nope")


def test_a_stranger_sees_nothing_and_learns_who_can_help(live: Live) -> None:
    live.as_person("ana").projects.create("fraud")
    eve = live.as_person("eve")

    with pytest.raises(NotAllowed) as refusal:
        eve.projects.show("fraud")

    assert refusal.value.who_can == ["ana"]
    assert eve.projects.list() == []
    assert live.last_verb() == "projects.read.refused"
