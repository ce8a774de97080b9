"""The sentence that a version's page opens with, and the one next step, for every way it can stand."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from taxiway.gates.contract import (
    Approval,
    Digests,
    GateSpec,
    GateStage,
    GateStanding,
    Outcome,
    StageStanding,
    Standing,
    Verdict,
)
from taxiway.gates.showing.outlooks import Reader, outlook_of, split_reason
from taxiway.models.contract import ModelStage
from taxiway.models.describing.outlook import NextStep, Outlook

AT = datetime(2026, 3, 4, tzinfo=UTC)
DIGESTS = Digests("sha256:b", "sha256:p", "sha256:c", "sha256:y", "sha256:e")
APPROVALS = GateSpec("approvals", "approvals", {"roles": ["validator"], "count": 2}, "approved by 2 people")
FAIRNESS = GateSpec("fairness", "fairness", {}, "ratio at least 0.8")
CARD = GateSpec("card", "card", {}, "the card is complete")


@pytest.mark.parametrize(
    ("fairness", "card", "approved", "sentence", "verdict"),
    [
        ("pass", "pass", 2, "Version 3 may go to production: every gate is open", "pass"),
        ("pass", "pass", 1, "Version 3 may not go to production: 1 approval is missing", "missing"),
        (
            "inconclusive",
            "pass",
            0,
            "Version 3 may not go to production: fairness is inconclusive and 2 approvals are missing",
            "inconclusive",
        ),
        ("fail", "fail", 2, "Version 3 may not go to production: fairness and card fail", "fail"),
        (
            "inconclusive",
            "fail",
            1,
            "Version 3 may not go to production: card fails, fairness is inconclusive and 1 approval is missing",
            "fail",
        ),
        ("missing", "pass", 2, "Version 3 may not go to production: fairness was not measured", "missing"),
    ],
)
def test_the_sentence_names_what_is_missing_the_worst_first(
    fairness: Verdict, card: Verdict, approved: int, sentence: str, verdict: str
) -> None:
    outlook = look(standing(fairness, card, approved=approved))

    assert (outlook.sentence, outlook.verdict) == (sentence, verdict)


def test_a_version_that_nobody_evaluated_says_so() -> None:
    outlook = look(standing("missing", "missing", is_asked=False))

    assert outlook.sentence == "Version 3 was not evaluated yet: 2 checks of its path wait"
    assert outlook.next is None


@pytest.mark.parametrize(
    ("stage", "fairness", "sentence"),
    [
        ("production", "pass", "Version 3 is in production"),
        ("production", "inconclusive", "Version 3 is in production, but fairness is inconclusive"),
        ("archived", "fail", "Version 3 is archived: it takes no traffic"),
    ],
)
def test_a_version_that_arrived_is_said_to_be_there(stage: ModelStage, fairness: Verdict, sentence: str) -> None:
    outlook = look(standing(fairness, "pass", approved=2, stage=stage))

    assert outlook.sentence == sentence
    assert outlook.next is None


def test_each_reader_is_offered_the_one_thing_that_they_can_do() -> None:
    lacks, unasked = standing("pass", "pass"), standing("missing", "missing", is_asked=False)
    author = Reader("ana", may_evaluate=True, may_promote=True)
    validator = Reader("vera", may_evaluate=True, may_promote=True)

    assert offered(unasked, author) == "Evaluate"
    assert offered(unasked, validator) == ""  # who evaluates becomes an author
    assert offered(lacks, author) == "Ask for approval"
    assert offered(lacks, Reader("ana", may_evaluate=True, has_asked=True)) == "See who can approve"
    assert offered(lacks, validator) == "Look and approve"
    assert offered(standing("pass", "fail"), author) == "Complete the card"
    assert offered(standing("inconclusive", "pass"), author) == "See what would open it"
    assert offered(standing("pass", "pass", approved=2), author) == "Move to production"
    assert offered(standing("pass", "pass", approved=2), Reader("mia")) == ""


def test_approvers_are_waited_for_only_once_the_checks_are_open() -> None:
    assert look(standing("pass", "pass")).waits == ("vera",)
    assert look(standing("inconclusive", "pass")).waits == ()


def test_the_drawing_has_every_gate_with_its_giver_and_a_link_to_its_evidence() -> None:
    path = look(standing("inconclusive", "pass")).path

    assert path is not None
    assert [stage.name for stage in path.stages] == ["candidate", "staging", "production"]
    assert path.stages[1].gates[0].url == "/models/mortgage/versions/3#gate-staging-fairness"
    assert path.stages[2].gates[0].giver == "vera"
    assert path.here == 0


def test_a_reason_falls_into_its_number_and_its_meaning() -> None:
    assert split_reason("Ratio 0.77 [0.70, 0.83], asked for at least 0.8. So it is open. More rows.") == (
        "Ratio 0.77 [0.70, 0.83], asked for at least 0.8.",
        "So it is open. More rows.",
    )
    assert split_reason("One sentence.") == ("One sentence.", "One sentence.")


def look(found: Standing, reader: Reader | None = None) -> Outlook:
    return outlook_of(found, entered={"none": AT}, reader=reader or Reader("mia"))


def offered(found: Standing, reader: Reader) -> str:
    step: NextStep | None = look(found, reader).next
    return step.text if step else ""


def standing(
    fairness: Verdict, card: Verdict, *, approved: int = 0, stage: ModelStage = "none", is_asked: bool = True
) -> Standing:
    verdict: Verdict = "pass" if approved >= 2 else "missing"
    gates = [gate("staging", FAIRNESS, fairness, is_asked=is_asked), gate("staging", CARD, card, is_asked=is_asked)]
    yes = gate("production", APPROVALS, verdict, is_asked=False)
    given = [approval(f"v{number}") for number in range(approved)]
    return Standing(
        model="mortgage",
        version=3,
        project="mortgages",
        path="path:careful@1",
        path_digest="sha256:y",
        stage=stage,
        stages=[
            StageStanding("staging", fairness == card == "pass", gates, [], DIGESTS),
            StageStanding("production", False, [msgspec.structs.replace(yes, lacks=2 - approved)], given, DIGESTS),
        ],
        authors={"ana": ["registered it"]},
        who_can=["vera"],
    )


def gate(stage: GateStage, spec: GateSpec, verdict: Verdict, *, is_asked: bool) -> GateStanding:
    outcome = Outcome(verdict, "A number. A meaning.", "Do this.")
    return GateStanding(stage, spec.name, spec.check, spec.title, outcome, "e1" if is_asked else "", "ana", AT)


def approval(by: str) -> Approval:
    return Approval("1", "mortgage", 3, "production", by, "validator", "good", DIGESTS, AT, None)
