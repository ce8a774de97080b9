"""What a new path would change is told before it is published, and nothing is written for it."""

from __future__ import annotations

import json

import pytest

from taxiway.cli import main
from taxiway.gates.planning import service
from taxiway.gates.planning.commands import show_plan
from taxiway.gates.planning.contract import Plan
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import NotFound
from taxiway.models.contract import Target
from taxiway.storage.contract import YamlBroken
from tests.gates.browse import said, visit
from tests.gates.story import FAIR, PATH, PROJECT, UNCLEAR, UNFAIR, Story

ASKING = PATH.replace(
    "    - data_contract: {}\n", "    - data_contract: {}\n    - attestation: {questionnaire: nosuch}\n"
)
LOOSER = PATH.replace("at_least: 0.8,", "at_least: 0.3,")
STRICTER = PATH.replace("at_least: 0.8,", "at_least: 0.99,")


def live(story: Story) -> None:
    """A version in production, approved by vera, on the strict path."""
    story.ready()
    story.vera.gates.approve("mortgage", comment="read it all")
    story.ana.models.promote("mortgage", "production", reason="fair and good enough")


def told(plan: Plan) -> dict[str, tuple[str, list[str]]]:
    return {f"{v.model}@{v.version}": (v.effect, [gate.gate for gate in v.gates]) for v in plan.versions}


def test_a_path_that_asks_the_same_changes_nothing(story: Story) -> None:
    live(story)

    plan = story.ana.gates.plan("# once more\n" + PATH)

    assert plan.is_same
    assert told(plan) == {"mortgage@1": ("same", [])}
    assert [each.project for each in plan.projects] == [PROJECT]


def test_a_gate_that_was_never_asked_is_unknown_until_it_is_evaluated(story: Story) -> None:
    live(story)

    plan, evaluated = story.ana.gates.plan(STRICTER), story.ana.gates.plan(STRICTER, evaluate=True)

    assert told(plan) == {"mortgage@1": ("unknown", ["fairness"])}
    assert told(evaluated) == {"mortgage@1": ("stopped", ["fairness"])}
    [fairness] = evaluated.versions[0].gates
    assert (fairness.before, fairness.verdict, fairness.is_unasked) == ("pass", "inconclusive", False)
    assert evaluated.versions[0].approvals_void == 1


def test_nothing_is_written_by_a_plan(story: Story) -> None:
    live(story)
    before = story.live.client.audit.entries(limit=1).items[0].seq, story.ana.gates.evidence("mortgage")

    story.ana.gates.plan(STRICTER, evaluate=True)

    assert (story.live.client.audit.entries(limit=1).items[0].seq, story.ana.gates.evidence("mortgage")) == before
    assert story.ana.gates.path("strict").version == 1


def test_evidence_counts_where_check_parameters_and_inputs_are_the_same(story: Story) -> None:
    live(story)
    staged = PATH.replace("    - card: {complete: true}\n", "").replace(
        "    - data_contract: {}\n", "    - data_contract: {}\n    - card: {complete: true}\n"
    )

    assert told(story.ana.gates.plan(staged)) == {"mortgage@1": ("same", [])}


def test_what_was_moved_in_the_past_is_replayed(story: Story) -> None:
    live(story)
    story.ivo.models.promote("mortgage@1", "archived", reason="made room")

    [past] = story.ana.gates.plan(STRICTER, evaluate=True).versions

    assert (past.is_live, past.stage, past.effect) == (False, "production", "stopped")


def test_what_would_be_open_is_told(story: Story) -> None:
    story.version(UNCLEAR)
    story.ana.gates.evaluate("mortgage")
    watching = PATH.replace("resamples: 2000}", "resamples: 2000}\n      mode: warn")
    story.ivo.gates.publish(PATH.replace("mode: block", "mode: observe").replace("path: strict", "path: free"))

    plan = story.ana.gates.plan(watching)

    assert told(plan) == {}  # nothing of it stands in a stage yet
    assert plan.projects[0].nobody == []


def test_where_nobody_is_eligible_the_command_fails(story: Story, capsys: pytest.CaptureFixture[str]) -> None:
    live(story)
    file = story.folder / "three.yaml"
    file.write_text(PATH.replace("count: 1", "count: 3"))
    with pytest.MonkeyPatch.context() as typing:
        typing.setenv("TAXIWAY_URL", story.live.url)
        typing.setenv("TAXIWAY_TOKEN", story.ana.transport.token or "")
        code = main(["gates", "plan", str(file), "--json"])
        found = json.loads(capsys.readouterr().out)
        main(["gates", "plan", str(file)])

    assert code == 1
    assert found["projects"] == [{"project": PROJECT, "nobody": ["production"], "problem": ""}]
    assert "Nobody is eligible to approve: mortgages before production." in capsys.readouterr().out


def test_a_project_of_another_tier_cannot_take_it_and_that_is_told(story: Story) -> None:
    plan = story.ana.gates.plan(PATH.replace("[high]", "[low]"))

    assert "is for risk low" in plan.projects[0].problem


def test_what_the_platform_would_demand_is_planned_for_every_project_of_the_tier(story: Story) -> None:
    story.version(FAIR)
    story.ana.gates.evaluate("mortgage")
    story.ana.models.promote("mortgage", "staging", reason="to look at it")
    demand = "path: baseline\nmode: block\nplatform: {risk: [high]}\nstages: {staging: [{card: {complete: true}}]}\n"

    plan = story.ana.gates.plan(demand, evaluate=True)

    assert told(plan) == {"mortgage@1": ("stopped", ["baseline.card"])}


def test_a_plan_is_of_what_the_caller_may_see(story: Story) -> None:
    live(story)

    plan = story.live.as_person("eve").gates.plan(STRICTER)

    assert (plan.projects, plan.versions) == ([], [])


def test_a_broken_text_is_refused_with_its_line(story: Story) -> None:
    with pytest.raises(YamlBroken, match="line 6"):
        story.ana.gates.plan(PATH.replace("0.85", "high"))


def refused(story: Story, version: str = "mortgage@1", stage: Target = "staging") -> None:
    with pytest.raises(GateClosed):
        story.ana.models.promote(version, stage, reason="try it")


def unfair(story: Story) -> None:
    """A version that was evaluated and refused before staging, twice."""
    story.version(UNFAIR)
    story.ana.gates.evaluate("mortgage")
    refused(story)
    refused(story)


def test_what_a_looser_path_would_let_pass_of_what_was_refused_is_told(story: Story) -> None:
    unfair(story)

    loose, strict = story.ana.gates.plan(LOOSER, evaluate=True), story.ana.gates.plan(STRICTER, evaluate=True)

    [one] = loose.versions
    last = story.live.client.audit.entries(verb="models.promote.refused").items[0]
    assert (one.was_refused, one.is_live, one.stage, one.effect, one.gates) == (True, False, "staging", "opened", [])
    assert told(story.ana.gates.plan(LOOSER)) == {"mortgage@1": ("unknown", ["fairness"])}
    assert (one.at, one.approvals_void, one.nobody) == (last.at, 0, [])
    assert told(strict) == {"mortgage@1": ("same", ["fairness"])}
    shown = show_plan(loose)
    assert f"was refused on {last.at:%Y-%m-%d}" in shown
    assert "refused promotions: 1 would be open" in shown
    assert "past movements: none" in shown
    assert "closed as then" in show_plan(strict)


def test_a_refusal_is_judged_by_the_approvals_of_its_time(story: Story) -> None:
    story.ready()
    refused(story, stage="production")
    story.vera.gates.approve("mortgage", comment="read it all")
    nobody = PATH.replace("    - approvals: {roles: [validator], count: 1, expires: 90d}\n", "")

    same, opened = story.ana.gates.plan(LOOSER, evaluate=True), story.ana.gates.plan(nobody)

    assert told(same) == {"mortgage@1": ("same", ["approvals"])}
    assert told(opened) == {"mortgage@1": ("opened", [])}


def test_what_came_to_the_stage_since_or_would_today_is_not_told_as_opened(story: Story) -> None:
    story.version(FAIR)
    refused(story)  # nobody had evaluated it
    evaluated = story.ana.gates.plan(LOOSER, evaluate=True)
    story.ana.gates.evaluate("mortgage")
    mended = story.ana.gates.plan(LOOSER, evaluate=True)
    story.ana.models.promote("mortgage", "staging", reason="to look at it")

    [live_now] = story.ana.gates.plan(LOOSER, evaluate=True).versions

    assert told(evaluated) == told(mended) == {"mortgage@1": ("same", [])}
    assert (live_now.is_live, live_now.was_refused) == (True, False)


def test_refusals_and_movements_share_how_many_are_looked_at(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    unfair(story)
    story.version(UNFAIR)
    refused(story, "mortgage@2")
    monkeypatch.setattr(service, "MOST_PAST", 1)

    plan = story.ana.gates.plan(LOOSER)

    assert ([each.version for each in plan.versions], plan.left_out) == ([2], 1)


def test_nobody_is_told_what_was_refused_elsewhere(story: Story) -> None:
    unfair(story)

    assert story.live.as_person("eve").gates.plan(LOOSER).versions == []


def test_the_editor_says_what_was_refused_and_would_be_open(story: Story) -> None:
    unfair(story)
    text = "\n".join(line for line in PATH.splitlines() if "fairness" not in line)

    page = said(visit(story, "olga").send("/gates/editor", page="/gates/editor", text=text, do="check").text)

    assert "was refused for staging" in page
    assert "would be open" in page


@pytest.mark.parametrize("asked", ["nosuch", "ethics@2"])
def test_a_questionnaire_that_nobody_has_published_is_a_problem(story: Story, asked: str) -> None:
    text = ASKING.replace("nosuch", asked)

    plan = story.ana.gates.plan(text)

    assert len(plan.problems) == 1
    assert plan.problems[0].startswith(f"There is no questionnaire '{asked}'.")
    assert f"It could not be published: There is no questionnaire '{asked}'." in show_plan(plan)
    sent = visit(story, "olga").send("/gates/editor", page="/gates/editor", text=text, do="check")
    assert "It could not be published." in said(sent.text)
    with pytest.raises(NotFound, match="no questionnaire"):
        story.ana.gates.propose(text, reason="answers first")
    with pytest.raises(NotFound, match="no questionnaire"):
        story.ivo.gates.publish(text.replace("path: strict", "path: free"))
    assert story.ana.gates.plan(text.replace(asked, "ethics")).problems == []
