"""What the measuring checks say over the server, asked in their worker; and power, told by SDK and command line."""

from __future__ import annotations

from taxiway.client import Client
from taxiway.gates.commands import show_power
from taxiway.gates.contract import GateStanding
from taxiway.gates.standing.needs import Assumed
from taxiway.projects.contract import ChangeProject
from tests.gates.story import CARD, FAIR, PATH, PROJECT, UNCLEAR, Story

MEASURED = """\
path: measured
applies_to: {risk: [high]}
stages:
  staging:
    - performance: {metric: f1, at_least: 0.5, cluster: race}
    - performance: {metric: roc_auc, not_worse_than: champion, by: 0.05}
    - fairness: {metric: equalized_odds_difference, at_most: 0.5, resamples: 2000}
    - calibration: {ece: 0.2, slope: false, group: race}
  production: []
mode: block
"""


def gates(client: Client, name: str) -> dict[str, GateStanding]:
    return {gate.gate: gate for stage in client.gates.show(name).stages for gate in stage.gates}


def test_measuring_checks_answer_from_their_worker_and_rest_on_the_champion_where_asked(story: Story) -> None:
    story.ivo.gates.publish(MEASURED)
    story.live.client.projects.change(PROJECT, ChangeProject(path="measured"))
    for _ in range(2):
        story.version(FAIR)
        story.ana.models.enter_card("mortgage", **CARD)

    story.ana.gates.evaluate("mortgage@1")
    first = gates(story.ana, "mortgage@1")
    story.ana.models.promote("mortgage@1", "production", reason="the first")
    story.ana.gates.evaluate("mortgage@2")
    second = gates(story.ana, "mortgage@2")

    assert {name: gate.verdict for name, gate in first.items()} == dict.fromkeys(first, "pass")
    assert "no champion to be worse than" in first["performance-2"].outcome.reason
    assert gates(story.ana, "mortgage@1")["performance-2"].evidence == first["performance-2"].evidence
    change = second["performance-2"].outcome
    assert (change.verdict, change.metric.endswith("less that of mortgage@1 on the same rows")) == ("pass", True)
    assert "Only 2 values of race" in second["performance"].outcome.warnings[0]
    assert [each.group for each in second["calibration"].outcome.bins].count("white") >= 1
    rests = {each.gate: set(each.inputs) for each in story.ana.gates.evidence("mortgage@2")}
    assert "champion" in rests["performance-2"]
    assert "champion" not in rests["performance"]


def test_power_is_told_of_a_version_and_of_a_path(story: Story) -> None:
    story.ready(UNCLEAR)

    found = story.ana.gates.power("mortgage@1")
    planned = story.ana.gates.power(path="strict", assumed=Assumed(expect=0.9, smallest=0.06))

    by_gate = {each.gate: each for each in found.gates}
    assert by_gate["performance"].note == "decided: pass"
    assert by_gate["fairness"].rows == gates(story.ana, "mortgage@1")["fairness"].outcome.rows_needed
    assert [each.gate for each in planned.gates] == ["performance", "fairness"]
    assert all(each.rows and each.rows_likely and each.rows_likely > each.rows for each in planned.gates)
    assert "rows needed" in show_power(found)
    assert PATH.startswith("path: strict")
