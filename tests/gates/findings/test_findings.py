"""Findings: anybody opens one, what is bad blocks, and only a second person makes less of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from taxiway.client import Client
from taxiway.gates.findings.contract import Finding
from taxiway.gates.findings.refusals import NotNext, SecondPerson
from taxiway.gates.refusals import GateClosed
from taxiway.kernel.errors import BadField, NotAllowed, NotFound
from tests.gates.exceptions.conftest import Exceptional, story  # noqa: F401  the fixture
from tests.gates.story import PROJECT


def opened(by: Client, severity: str = "high", **more: object) -> Finding:
    things = ["model:mortgage@1"]
    return by.gates.findings.open("Rates differ by district", project=PROJECT, severity=severity, things=things, **more)  # type: ignore[arg-type]


def test_a_high_finding_keeps_a_version_from_production_until_it_is_closed(story: Exceptional) -> None:  # noqa: F811
    story.waived()
    story.vera.gates.approve("mortgage@1", comment="seen")
    finding = opened(story.vito, owner="ana").id

    with pytest.raises(GateClosed) as refusal:
        story.ana.models.promote("mortgage@1", "production")
    story.ana.gates.findings.move(finding, "in_progress", comment="looking")
    story.ana.gates.findings.move(finding, "resolved", comment="district is left out of the features")
    with pytest.raises(GateClosed):
        story.ana.models.promote("mortgage@1", "production")
    with pytest.raises(SecondPerson):
        story.ana.gates.findings.move(finding, "closed", comment="done")
    closed = story.vito.gates.findings.move(finding, "closed", comment="looked at the rates again")

    [unmet] = refusal.value.unmet
    assert (unmet.gate, unmet.verdict) == ("findings", "fail")
    assert unmet.sentence.startswith(
        "1 finding that blocks is not closed. High: “Rates differ by district” (open, due "
    )
    assert [step.did for step in closed.steps] == ["opened", "in_progress", "resolved", "closed"]
    assert story.ana.models.promote("mortgage@1", "production").stage == "production"


@pytest.mark.parametrize("thing", ["model:mortgage", "run", "dataset"])
def test_a_finding_about_what_a_version_came_from_blocks_it_too(story: Exceptional, thing: str) -> None:  # noqa: F811
    version = story.ana.models.find("mortgage@1")
    about = {"run": f"run:{version.run}", "dataset": version.datasets[0]}.get(thing, thing)

    story.vera.gates.findings.open("Stolen rows", project=PROJECT, severity="critical", things=[about])

    gates = {g.gate: g.verdict for s in story.ana.gates.show("mortgage@1").stages for g in s.gates}
    assert gates["findings"] == "fail"


def test_nobody_stops_a_model_from_within_another_project(story: Exceptional) -> None:  # noqa: F811
    story.live.client.projects.create("elsewhere")

    story.live.client.gates.findings.open(
        "Not ours", project="elsewhere", severity="critical", things=["model:mortgage@1"]
    )

    gates = {g.gate: g.verdict for s in story.ana.gates.show("mortgage@1").stages for g in s.gates}
    assert gates["findings"] == "pass"


def test_a_lesser_finding_is_shown_and_blocks_nothing(story: Exceptional) -> None:  # noqa: F811
    opened(story.vera, "medium")

    [gate] = [g for s in story.ana.gates.show("mortgage@1").stages for g in s.gates if g.gate == "findings"]

    assert gate.verdict == "pass"
    assert gate.outcome.reason == "No high or critical finding is open; 1 of lesser severity."


def test_only_a_second_person_lowers_a_severity_or_gives_more_time(story: Exceptional) -> None:  # noqa: F811
    finding = opened(story.ana)

    with pytest.raises(SecondPerson, match="cannot lower"):
        story.ana.gates.findings.change(finding.id, reason="not so bad", severity="low")
    with pytest.raises(SecondPerson, match="cannot put off"):
        story.ana.gates.findings.change(finding.id, reason="busy", due_at=finding.due_at + timedelta(days=1))
    with pytest.raises(SecondPerson, match="did not sign in"):
        story.live.client.gates.findings.change(finding.id, reason="not so bad", severity="low")
    worse = story.ana.gates.findings.change(finding.id, reason="it is everywhere", severity="critical", owner="vito")
    lower = story.vera.gates.findings.change(finding.id, reason="two rows only", severity="low")

    assert (worse.severity, worse.owner, lower.severity) == ("critical", "vito", "low")
    assert lower.steps[-1].did == "changed severity low"


def test_states_follow_each_other_and_a_resolved_one_may_go_back(story: Exceptional) -> None:  # noqa: F811
    finding = opened(story.ana).id

    with pytest.raises(NotNext, match="what does is in_progress"):
        story.vera.gates.findings.move(finding, "closed", comment="fine")
    story.ana.gates.findings.move(finding, "in_progress", comment="looking")
    story.ana.gates.findings.move(finding, "resolved", comment="done")
    back = story.vera.gates.findings.move(finding, "in_progress", comment="still there for black applicants")

    assert (back.state, back.resolved_by) == ("in_progress", "")


def test_what_cannot_be_is_refused_by_field(story: Exceptional) -> None:  # noqa: F811
    with pytest.raises(BadField, match=r"things\.0"):
        story.ana.gates.findings.open("x", project=PROJECT, severity="low", things=["mortgage"])
    with pytest.raises(BadField, match="owner"):
        opened(story.ana, owner="nobody")
    with pytest.raises(NotFound):
        story.ana.gates.findings.show("0" * 32)
    stranger = story.live.as_person("zoe")
    with pytest.raises((NotAllowed, NotFound)):
        opened(stranger)
    assert stranger.gates.findings.list() == []


def test_an_overdue_finding_is_said_to_be_and_stands_first(story: Exceptional) -> None:  # noqa: F811
    late = opened(story.ana, "low").id
    story.later(days=181)
    opened(story.ana, "low")

    found = story.ana.gates.findings.list(project=PROJECT)

    assert [each.is_overdue for each in found] == [True, False]
    assert found[0].id == late


def test_who_owned_a_finding_makes_no_less_of_it_once_another_does(story: Exceptional) -> None:  # noqa: F811
    finding = opened(story.abe)
    story.abe.gates.findings.change(finding.id, reason="ben knows more", owner="vito")

    with pytest.raises(SecondPerson, match="abe owned it"):
        story.abe.gates.findings.change(finding.id, reason="not so bad", severity="low")
    assert story.vera.gates.findings.change(finding.id, reason="two rows only", severity="low").severity == "low"


@pytest.mark.parametrize("thing", ["model:mortgage@1", "model:mortgage", "run", "dataset"])
def test_who_made_what_is_wrong_makes_no_less_of_it(story: Exceptional, thing: str) -> None:  # noqa: F811
    version = story.ana.models.find("mortgage@1")
    about = {"run": f"run:{version.run}", "dataset": version.datasets[0]}.get(thing, thing)
    finding = story.vera.gates.findings.open("Odd", project=PROJECT, severity="high", things=[about])

    with pytest.raises(SecondPerson, match=r"ana (registered|started)"):
        story.ana.gates.findings.change(finding.id, reason="not so bad", severity="low")
    with pytest.raises(SecondPerson, match=r"ana (registered|started)"):
        story.ana.gates.findings.change(finding.id, reason="busy", due_at=finding.due_at + timedelta(days=1))


@pytest.mark.parametrize("due", ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:00", "2026-01-01T00:00:00Z"])
def test_a_due_date_that_is_none_is_refused_and_poisons_no_list(story: Exceptional, due: str) -> None:  # noqa: F811
    finding = opened(story.vera, "low")

    with pytest.raises(BadField, match="due_at"):
        opened(story.vera, due_at=datetime.fromisoformat(due))
    with pytest.raises(BadField, match="due_at"):
        story.vera.gates.findings.change(finding.id, reason="x", due_at=datetime.fromisoformat(due))

    assert [each.id for each in story.vera.gates.findings.list(project=PROJECT)] == [finding.id]


@pytest.mark.parametrize(
    "thing",
    [
        "model:nosuch",
        "model:nosuch@1",
        "model:mortgage@9",
        "run:nosuch",
        f"dataset:{PROJECT}/loans@9",
        "dataset:nosuch",
        "project:nosuch",
    ],
)
def test_a_finding_about_what_does_not_exist_is_refused(story: Exceptional, thing: str) -> None:  # noqa: F811
    kind, _, name = thing.partition(":")

    with pytest.raises(NotFound, match=f"There is no {kind} '{name}'"):
        story.vera.gates.findings.open("Not there", project=PROJECT, severity="low", things=["model:mortgage", thing])

    assert story.vera.gates.findings.list(state="all") == []


def test_a_finding_tells_nothing_of_what_its_opener_may_not_see(story: Exceptional) -> None:  # noqa: F811
    eve = story.live.as_person("eve")
    eve.projects.create("elsewhere")

    with pytest.raises(NotFound, match="There is no model 'mortgage@1'"):
        eve.gates.findings.open("Theirs", project="elsewhere", severity="low", things=["model:mortgage@1"])
    things = ["project:elsewhere", "endpoint:any"]
    about = eve.gates.findings.open("Ours", project="elsewhere", severity="low", things=things)

    assert about.things == ["endpoint:any", "project:elsewhere"]
