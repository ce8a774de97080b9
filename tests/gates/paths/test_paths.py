"""Published paths never change, and each tier has a path that is made for it."""

from __future__ import annotations

import pytest

from taxiway.gates.refusals import PathUnfit
from taxiway.kernel.errors import NotAllowed, NotFound
from taxiway.projects.contract import ChangeProject
from taxiway.storage.contract import YamlBroken
from tests.gates.story import FAIR, PATH, PROJECT, Story


def test_a_path_is_published_as_the_next_version_and_the_old_one_stays(any_story: Story) -> None:
    stricter = any_story.live.client.gates.publish(PATH.replace("0.85", "0.9"))

    assert (stricter.name, stricter.version, stricter.accepted_by) == ("strict", 2, "")
    assert "0.85" in any_story.ivo.gates.path("strict", 1).text
    assert any_story.ivo.gates.path("strict") == stricter


def test_the_same_path_again_is_the_version_there_is(story: Story) -> None:
    assert story.ivo.gates.publish("# once more\n" + PATH).version == 1


def test_a_broken_path_is_refused_with_line_and_key_over_every_door(story: Story) -> None:
    with pytest.raises(YamlBroken) as refusal:
        story.ivo.gates.publish(PATH.replace("0.85", "good"))

    assert (refusal.value.line, refusal.value.key) == (6, "stages.staging.1.performance.at_least")


def test_only_an_admin_publishes(story: Story) -> None:
    with pytest.raises(NotAllowed):
        story.olga.gates.publish(PATH.replace("0.85", "0.5"))


def test_the_paths_that_ship_are_listed_beside_those_published(story: Story) -> None:
    assert [(p.name, p.is_pinned) for p in story.ana.gates.paths()] == [
        ("careful", False),
        ("light", False),
        ("standard", False),
        ("strict", True),
    ]


def test_an_unknown_path_is_not_found(story: Story) -> None:
    with pytest.raises(NotFound, match="taxiway gates paths"):
        story.ana.gates.path("nope")


def test_a_project_without_a_path_takes_the_one_of_its_tier_and_pins_it(story: Story) -> None:
    story.olga.projects.create("flights", risk="low")
    story.olga.models.register(story.bundle("delay", risk="low"), project="flights")

    standing = story.olga.gates.evaluate("delay")

    assert standing.path == "path:light@1"
    assert story.ana.gates.path("light").is_pinned


def test_a_lighter_path_cannot_be_chosen_for_a_higher_tier(story: Story) -> None:
    story.version(FAIR)
    story.live.client.projects.change(PROJECT, ChangeProject(path="light"))

    with pytest.raises(PathUnfit, match="is for risk low, and the project's is high"):
        story.ana.models.promote("mortgage", "production")


def test_lowering_the_tier_helps_no_version_that_was_made_before(story: Story) -> None:
    story.version(FAIR)
    story.live.client.projects.change(PROJECT, ChangeProject(path="light", risk="low"))

    with pytest.raises(PathUnfit):
        story.ana.models.promote("mortgage", "production")
