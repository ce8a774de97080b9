"""Gates that observe or warn stop nothing and tell what they would have; what the platform demands holds everywhere."""

from __future__ import annotations

import pytest

from taxiway.cli import main
from taxiway.gates.paths.demands import together
from taxiway.gates.paths.policy import read_path, with_mode
from taxiway.gates.refusals import GateClosed
from taxiway.projects.contract import ChangeProject
from taxiway.storage.contract import YamlBroken
from tests.gates.story import FAIR, PATH, PROJECT, UNFAIR, Story

BASELINE = """\
path: baseline
platform: {risk: [high]}
mode: block
stages:
  production:
    - card: {complete: true}
"""
WATCHING = PATH.replace("mode: block", "mode: observe").replace("path: strict", "path: watching")


def move(story: Story) -> None:
    story.ana.gates.evaluate("mortgage")
    story.ana.models.promote("mortgage", "staging", reason="to look at it")


def test_a_new_path_observes_unless_its_text_says_otherwise(story: Story) -> None:
    new = story.ivo.gates.publish(PATH.replace("path: strict", "path: new").replace("mode: block\n", ""))

    assert new.mode == "observe"
    assert {gate.mode for stage in new.stages for gate in stage.gates} == {"observe"}
    assert "mode: observe\npath: new" in new.text
    assert read_path(new.text, name="again.yaml").digest == new.digest


def test_a_text_without_a_mode_goes_on_in_the_mode_of_the_path_before_it(story: Story) -> None:
    known = story.ivo.gates.publish(PATH.replace("mode: block\n", ""))

    assert (known.name, known.version, known.mode) == ("strict", 1, "block")


def test_a_gates_own_mode_goes_before_the_paths() -> None:
    text = PATH.replace("- data_contract: {}", "- data_contract: {}\n      mode: warn")

    [staging, _] = read_path(text, name="x").stages

    assert [gate.mode for gate in staging.gates] == ["warn", "block", "block"]
    assert read_path(text, name="x").digest != read_path(PATH, name="x").digest


def test_a_text_in_one_line_has_to_say_its_mode() -> None:
    with pytest.raises(YamlBroken, match="does not say its mode"):
        with_mode("{path: flow, stages: {}}", "observe", name="x")


def test_what_observing_gates_would_have_stopped_is_told_by_path(story: Story) -> None:
    story.ivo.gates.publish(WATCHING)
    story.live.client.projects.change(PROJECT, ChangeProject(path="watching"))
    story.version(UNFAIR)
    move(story)
    story.version(FAIR)
    move(story)

    seen = story.ana.gates.observed("watching")

    assert (seen.movements, seen.stopped) == (2, 1)
    assert [(each.gate, each.times) for each in seen.gates] == [("fairness", 1)]
    assert [(item.version, [gate.verdict for gate in item.missed]) for item in seen.items] == [(1, ["fail"])]
    assert story.ana.gates.show("mortgage@1").stages[0].is_open
    entries = story.live.client.audit.entries(verb="models.promote").items
    assert entries[-1].facts["would_have_stopped"] == ["fairness: fail (observe)"]


def test_a_gate_that_warns_tells_who_answers_and_one_that_observes_tells_nobody(story: Story) -> None:
    story.ivo.gates.publish(WATCHING)
    story.live.client.projects.change(PROJECT, ChangeProject(path="watching"))
    story.version(UNFAIR)
    move(story)
    silent = story.olga.notices.list(kind="warned")
    story.ivo.gates.publish(WATCHING.replace("mode: observe", "mode: warn").replace("watching", "warning"))
    story.live.client.projects.change(PROJECT, ChangeProject(path="warning"))
    story.version(UNFAIR)
    move(story)

    [told] = story.olga.notices.list(kind="warned")
    assert silent == []
    assert told.what == "mortgage version 2 went to staging past what warns: fairness"
    assert "asked for at least 0.8" in told.note
    assert story.ana.notices.list(kind="warned") == []  # who moved it knows


def test_what_was_observed_is_not_shown_to_who_may_not_see_the_project(story: Story) -> None:
    story.ivo.gates.publish(WATCHING)
    story.live.client.projects.change(PROJECT, ChangeProject(path="watching"))
    story.version(UNFAIR)
    move(story)

    assert story.live.as_person("eve").gates.observed("watching").movements == 0


def test_the_platform_demands_its_gates_beside_those_of_any_path(story: Story) -> None:
    story.version(FAIR)
    story.live.client.gates.publish(BASELINE)
    story.ivo.gates.publish("path: none\nmode: block\nstages: {}\n")
    story.live.client.projects.change(PROJECT, ChangeProject(path="none"))
    story.ana.gates.evaluate("mortgage")

    with pytest.raises(GateClosed) as refusal:
        story.ana.models.promote("mortgage", "production")

    standing = story.ana.gates.show("mortgage")
    assert [each.gate for each in refusal.value.unmet] == ["baseline.card"]
    assert [(g.gate, g.demanded_by, g.path) for s in standing.stages for g in s.gates] == [
        ("baseline.card", "platform", "path:baseline@1")
    ]
    assert (standing.path, standing.demands) == ("path:none@1", ["path:baseline@1"])


def test_a_demand_is_only_made_of_its_tiers(story: Story) -> None:
    story.live.client.gates.publish(BASELINE.replace("[high]", "[low]"))
    story.version(FAIR)

    assert story.ana.gates.show("mortgage").demands == []


def test_both_gates_are_asked_and_the_digest_covers_both() -> None:
    own, platform = read_path(PATH, name="x"), read_path(BASELINE, name="y")

    both = together(own, [platform])

    assert [gate.name for gate in both.stages[1].gates] == ["baseline.card", "card", "approvals"]
    assert both.digest not in (own.digest, platform.digest)
    stricter = read_path(BASELINE.replace("card:", "data_contract:").replace("{complete: true}", "{}"), name="y")
    assert together(own, [stricter]).digest != both.digest
    assert together(own, []).digest == own.digest


def test_an_alias_of_the_platform_moves_with_the_platforms_stage() -> None:
    own = read_path(PATH + "aliases: {staging: champion, production: live}\n", name="x")
    platform = read_path(BASELINE + "aliases: {production: champion}\n", name="y")

    assert together(own, [platform]).aliases == {"production": "champion"}


def test_the_command_line_tells_what_a_mode_means(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    (story.folder / "path.yaml").write_text(WATCHING.replace("mode: observe\n", ""))

    with pytest.MonkeyPatch.context() as typing:
        typing.setenv("TAXIWAY_URL", story.live.url)
        typing.setenv("TAXIWAY_TOKEN", story.ivo.transport.token or "")
        assert main(["gates", "publish", str(story.folder / "path.yaml")]) == 0

    assert "`taxiway gates observed watching` tells what they would have stopped" in capsys.readouterr().out
