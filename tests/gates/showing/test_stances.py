"""What a version's page leads with: what blocks, who acts, and why a reader is not offered to approve."""

from __future__ import annotations

import pytest

from taxiway.gates.contract import Standing
from taxiway.gates.showing.stances import Looker, Stance, lead_of, stance_of
from tests.gates.showing.test_outlooks import standing

VERA = Looker("vera", may_approve=True, is_login_on=True)


@pytest.mark.parametrize(
    ("found", "looker", "short"),
    [
        (standing("missing", "missing", is_asked=False), VERA, "There is nothing to approve yet."),
        (standing("inconclusive", "pass"), VERA, "Approving now would open nothing."),
        (standing("pass", "fail"), VERA, "Approving now would open nothing."),
        (standing("pass", "pass"), Looker("local", may_approve=False, is_login_on=False), "Nobody can approve here."),
        (
            standing("pass", "pass"),
            Looker("ana", may_approve=True, is_login_on=True),
            "Four eyes: you cannot approve this yourself.",
        ),
        (
            standing("pass", "pass", approved=1),
            Looker("v0", may_approve=True, is_login_on=True),
            "You have approved it.",
        ),
        (standing("pass", "pass"), Looker("mia", may_approve=False, is_login_on=True), "You cannot approve this."),
    ],
)
def test_who_cannot_approve_is_told_why(found: Standing, looker: Looker, short: str) -> None:
    told = stance(found, looker)

    assert told.short == short
    assert told.why
    assert not told.can_approve


def test_who_can_is_told_so() -> None:
    assert stance(standing("pass", "pass"), VERA).can_approve


def test_what_blocks_is_listed_with_who_acts_and_where() -> None:
    lead = lead_of(standing("inconclusive", "fail"), None, author="ana")

    assert lead.counts == [("fail", 1), ("inconclusive", 1), ("missing", 1)]
    assert [(each.name, each.who, each.step.url) for each in lead.blocking] == [
        ("fairness", "ana", "#gate-staging-fairness"),
        ("card", "ana", "#card"),
        ("approvals", "vera, once fairness and card are open", "#approval"),
    ]


def test_who_approved_is_named() -> None:
    assert lead_of(standing("pass", "pass", approved=2), None, author="ana").approved == ["v0", "v1"]


def stance(found: Standing, looker: Looker) -> Stance:
    return stance_of(found, found.stages[-1], looker)
