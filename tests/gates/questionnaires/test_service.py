"""Sheets of answers: kept for good, begun with an earlier version's, and asked for by a gate on every door."""

from __future__ import annotations

from pathlib import Path

import pytest

from taxiway.cli import main
from taxiway.gates.questionnaires.contract import AnswerRefused
from taxiway.kernel.errors import NotAllowed, NotFound
from taxiway.projects.contract import ChangeProject
from tests.gates.story import FAIR, PROJECT, Story, verdicts

PATH = """\
path: asked
applies_to: {risk: [low, medium, high]}
stages:
  staging:
    - attestation: {questionnaire: impact-on-people}
    - attestation: {questionnaire: ours, by: [owner]}
mode: block
"""
OURS = """\
questionnaire: ours
title: Ours
questions:
  - {id: fine, ask: "Is it fine?", type: yes_no}
  - {id: report, ask: The report, type: file, if: {fine: true}}
stops:
  - {because: somebody said so, if: {fine: false}}
"""
PEOPLE = {
    "about_people": True,
    "area": "credit, insurance or essential services",
    "how_many": 4000,
    "vulnerable": False,
    "worst_error": "money or a chance that comes back",
    "contest": "a letter names the reasons and an address",
    "manipulates": False,
}


@pytest.fixture
def asked(any_story: Story) -> Story:
    any_story.ivo.gates.questionnaires.publish(OURS)
    any_story.ivo.gates.publish(PATH)
    any_story.live.client.projects.change(PROJECT, ChangeProject(path="asked"))
    any_story.version(FAIR)
    return any_story


def test_a_gate_opens_when_the_right_person_answered_all(asked: Story) -> None:
    assert set(verdicts(asked.ana).values()) == {"missing"}
    (asked.folder / "report.txt").write_text("all is fine")

    asked.ana.gates.questionnaires.answer("mortgage", "impact-on-people", PEOPLE)
    by_ana = asked.ana.gates.questionnaires.answer(
        "mortgage", "ours", {"fine": True}, files={"report": asked.folder / "report.txt"}
    )
    first = asked.ana.gates.evaluate("mortgage")
    asked.olga.gates.questionnaires.answer("mortgage", "ours", {})
    then = asked.ana.gates.evaluate("mortgage")

    gates = [gate for stage in first.stages for gate in stage.gates]
    assert by_ana.reading.is_complete
    assert [gate.verdict for gate in gates] == ["pass", "fail"]
    assert "no owner" in gates[1].outcome.reason
    assert "high risk" in gates[0].outcome.reason
    assert {gate.verdict for stage in then.stages for gate in stage.gates} == {"pass"}
    sheets = asked.vera.gates.questionnaires.sheets("mortgage")
    assert [(sheet.questionnaire, sheet.by) for sheet in sheets] == [
        ("ours@1", "olga"),
        ("ours@1", "ana"),
        ("impact-on-people@1", "ana"),
    ]
    assert sheets[0].answers == by_ana.answers  # what olga left out stayed as it was


def test_an_answer_that_changes_voids_the_evidence(asked: Story) -> None:
    (asked.folder / "report.txt").write_text("all is fine")
    asked.olga.gates.questionnaires.answer("mortgage", "impact-on-people", PEOPLE)
    asked.olga.gates.questionnaires.answer(
        "mortgage", "ours", {"fine": True}, files={"report": asked.folder / "report.txt"}
    )
    assert set(verdicts(asked.ana).values()) == {"missing"}
    asked.ana.gates.evaluate("mortgage")
    assert set(verdicts(asked.ana).values()) == {"pass"}

    asked.olga.gates.questionnaires.answer("mortgage", "ours", {"fine": False}, note="looked again")

    assert set(verdicts(asked.ana).values()) == {"missing"}
    asked.ana.gates.evaluate("mortgage")
    assert verdicts(asked.ana) == {"attestation": "pass", "attestation-2": "fail"}


def test_answers_may_make_it_a_higher_tier_than_its_project(asked: Story) -> None:
    asked.olga.projects.create("small", risk="low", path="asked")
    asked.live.client.access.grant("ana", "contributor", project="small")
    asked.ana.models.register(asked.bundle("small", risk="low"), project="small")

    asked.ana.gates.questionnaires.answer("small", "impact-on-people", PEOPLE)
    before = asked.ana.gates.evaluate("small").stages[0].gates[0].outcome
    asked.olga.projects.change("small", ChangeProject(risk="high"))
    after = asked.ana.gates.evaluate("small").stages[0].gates[0].outcome

    assert before.verdict == "fail"
    assert "make it high risk" in before.reason
    assert "the project is low" in before.reason
    assert after.verdict == "pass"


def test_a_new_version_may_begin_with_the_answers_of_an_earlier_one(asked: Story) -> None:
    asked.ana.gates.questionnaires.answer("mortgage@1", "impact-on-people", PEOPLE)
    asked.version(FAIR)

    taken = asked.ana.gates.questionnaires.answer("mortgage@2", "impact-on-people", {"how_many": 1}, take=1)

    assert taken.answers == {**PEOPLE, "how_many": 1}
    assert taken.taken_from == asked.ana.gates.questionnaires.sheets("mortgage@1")[0].id
    with pytest.raises(NotFound, match="ethics about mortgage@1"):
        asked.ana.gates.questionnaires.answer("mortgage@2", "ethics", {}, take=1)


def test_what_is_wrong_is_named_and_nothing_is_kept(asked: Story) -> None:
    digest = f"sha256:{'0' * 64}"

    with pytest.raises(AnswerRefused, match="`how_many`; expected a number at least 0"):
        asked.ana.gates.questionnaires.answer("mortgage", "impact-on-people", {**PEOPLE, "how_many": -1})
    with pytest.raises(NotFound, match="blob"):
        asked.ana.gates.questionnaires.answer("mortgage", "ours", {"fine": True, "report": digest})
    with pytest.raises(NotAllowed):
        asked.ana.gates.questionnaires.publish(OURS)

    assert asked.ana.gates.questionnaires.sheets("mortgage") == []


def test_a_shell_answers(asked: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TAXIWAY_URL", asked.live.url)
    monkeypatch.setenv("TAXIWAY_TOKEN", asked.live.tokens["ana"])
    report = asked.folder / "report.txt"
    report.write_text("fine")

    codes = [
        main(["gates", "questionnaires"]),
        main(["gates", "questionnaire", "data-protection"]),
        main(["gates", "answer", "mortgage", "data-protection", "--set", "personal=yes", "--set", "special=health"]),
        main(["gates", "answer", "mortgage", "ours", "--set", "fine=yes", "--attach", f"report={report}"]),
        main(["gates", "answers", "mortgage"]),
    ]

    said = capsys.readouterr().out
    assert codes == [0] * 5
    assert "No answer yet: basis, exception" in said
    assert "Every question has its answer." in said


def test_a_published_version_never_changes(asked: Story, tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(OURS.replace("Is it fine?", "Is it really fine?"))

    second = asked.ivo.gates.questionnaires.publish(file)
    again = asked.ivo.gates.questionnaires.publish(file)

    assert (second.ref, again.ref) == ("ours@2", "ours@2")
    assert asked.ana.gates.questionnaires.show("ours", 1).questions[0].ask == "Is it fine?"
    assert [each.ref for each in asked.ana.gates.questionnaires.list()] == [
        "data-protection@1",
        "ethics@1",
        "impact-on-people@1",
        "intended-use@1",
        "ours@2",
        "technical-documentation@1",
    ]
