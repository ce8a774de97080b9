"""Models in use are looked at again in time, by somebody else, or no more of them goes out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxiway.endpoints.contract import Deploy
from taxiway.evidence.contract import ListStatements
from taxiway.evidence.statement import REVIEW
from taxiway.gates.paths.contract import PublishPath
from taxiway.gates.refusals import FourEyes, GateClosed, NeedsPerson, RoleMissing
from taxiway.gates.reviews.contract import Inventoried, ListInventory, RecordReview, Review, ReviewOutcome
from taxiway.gates.reviews.periods import due_at, state_at
from taxiway.gates.reviews.refusals import NotInUse
from taxiway.hooks.addresses import Reach
from taxiway.hooks.contract import AddHook
from taxiway.kernel.errors import BadField
from taxiway.models.contract import ModelVersion, Promote
from tests.gates.office import LOCAL, MODEL, PATH, PROJECT, Office, opened

START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = st.integers(1, 3000)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with opened(tmp_path) as office:
        yield office


def live_version(office: Office) -> ModelVersion:
    version = office.version()
    office.approve(version, "vera")
    return office.promote(version)


def review(office: Office, by: str, outcome: ReviewOutcome = "continue", **more: object) -> Review:
    body = RecordReview(outcome, "looked at its year", **more)  # type: ignore[arg-type]
    return office.house.gates.reviews.record(office.caller(by), body, model=MODEL, version="1")


def inventory(office: Office, **asked: str) -> list[Inventoried]:
    return office.house.gates.reviews.inventory(LOCAL, ListInventory(**asked)).items


def test_a_model_of_high_risk_is_due_half_a_year_after_it_went_live(office: Office) -> None:
    office.version()
    assert inventory(office) == []
    version = live_version(office)

    [entry] = inventory(office)
    states = [entry.state]
    for days in (151, 30):
        office.clock.wait(days)
        states += [each.state for each in inventory(office)]

    assert (entry.version, entry.owner, entry.tier, entry.every_days) == (version.version, "olga", "high", 180)
    assert entry.due_at - entry.since == timedelta(days=180)
    assert entry.reviewers == ["paul", "vera", "vito"]
    assert states == ["ok", "due soon", "overdue"]
    assert [each.version for each in inventory(office, state="overdue", tier="high")] == [2]
    assert inventory(office, tier="low") == []


def test_an_overdue_model_keeps_new_versions_out_until_somebody_else_looked(office: Office) -> None:
    live_version(office)
    newer = office.version()
    office.clock.wait(181)
    office.approve(newer, "vera")

    with pytest.raises(GateClosed) as refusal:
        office.promote(newer)
    [unmet] = refusal.value.unmet
    done = review(office, "vito")

    assert (unmet.gate, unmet.verdict) == ("review", "missing")
    assert "loan v1 was due for review on 2026-08-29." in str(refusal.value)
    assert "by paul or vera or vito" in unmet.next_step
    assert (done.role, done.outcome) == ("validator", "continue")
    assert office.promote(newer).stage == "production"
    assert {entry.version: entry.reviewed_by for entry in inventory(office)} == {1: "vito", 2: ""}


def test_an_overdue_model_is_deployed_nowhere_else(office: Office) -> None:
    live_version(office)
    deploy = Deploy(endpoint="loan", project=PROJECT, version="loan@1")
    office.clock.wait(181)
    for person in ("vera", "vito"):  # the approval has run out as well
        office.approve(office.house.models.find(MODEL, 1), person)

    with pytest.raises(GateClosed) as refusal:
        office.house.endpoints.deploy(LOCAL, deploy)
    review(office, "vera")

    assert [each.gate for each in refusal.value.unmet] == ["review"]
    assert office.house.endpoints.deploy(LOCAL, deploy).version == 1


def test_no_author_no_program_and_nobody_without_a_role_reviews(office: Office) -> None:
    office.grant("ana", "validator")
    live_version(office)

    with pytest.raises(FourEyes, match="ana registered it"):
        review(office, "ana")
    with pytest.raises(RoleMissing):
        review(office, "ben")
    with pytest.raises(NeedsPerson):
        review(office, "local")


def test_a_review_says_what_it_found_and_may_shorten_the_clock(office: Office) -> None:
    live_version(office)

    with pytest.raises(BadField, match="findings"):
        review(office, "vera", "restrict")
    with pytest.raises(BadField, match="at most 180"):
        review(office, "vera", again_in_days=181)
    done = review(office, "vera", "restrict", findings="only homes in Boston", again_in_days=30)

    [entry] = inventory(office)
    assert entry.due_at == done.due_at == done.at + timedelta(days=30)
    assert (entry.outcome, entry.findings, entry.state) == ("restrict", "only homes in Boston", "due soon")


def test_a_review_is_signed_for_the_bundle_that_was_looked_at(office: Office) -> None:
    version = live_version(office)

    done = review(office, "vera", "restrict", findings="only homes in Boston")

    [signed] = office.house.statements.find(LOCAL, ListStatements(thing=version.ref, predicate_type=REVIEW)).items
    said = office.house.statements.show(LOCAL, statement=signed.id)
    assert said.predicate["findings"] == "only homes in Boston"
    assert said.predicate["id"] == done.id
    assert [each.digest for each in signed.subjects] == [version.bundle]


def test_a_review_that_wants_it_gone_sets_no_clock(office: Office) -> None:
    live_version(office)
    newer = office.version()
    office.approve(newer, "vera")
    review(office, "vito", "retire", findings="the market has changed")

    with pytest.raises(GateClosed, match="vito's review of loan v1 says that it has to go"):
        office.promote(newer)
    office.house.models.promote(LOCAL, Promote("archived"), model=MODEL, version="1")

    assert office.promote(newer).stage == "production"


def test_what_is_not_in_use_is_not_reviewed(office: Office) -> None:
    office.version()

    with pytest.raises(NotInUse, match="not in use"):
        review(office, "vera")


def test_a_path_says_how_often_and_that_is_part_of_what_it_asks(office: Office) -> None:
    text = PATH.format(name="asked", asks="{roles: [validator]}")
    before = office.house.gates.paths.show(LOCAL, path="asked", version=0)
    after = office.house.gates.paths.publish(LOCAL, PublishPath(text + "review: {every: 45d}\n"))
    live_version(office)

    assert after.digest != before.digest
    assert [entry.every_days for entry in inventory(office)] == [45]
    with pytest.raises(Exception, match="every as days, such as 180d"):
        office.house.gates.paths.publish(LOCAL, PublishPath(text + "review: {every: monthly}\n"))


def test_hooks_are_told_once_of_each_date_that_passed(office: Office) -> None:
    office.house.hooks.reach = Reach([], lambda host, port: ["93.184.216.34"])
    office.house.hooks.add(LOCAL, AddHook("chat", "https://chat.example/hook", ["review.overdue"]))
    live_version(office)
    reviews = office.house.gates.reviews

    told = [len(reviews.remind())]
    office.clock.wait(181)
    told += [len(reviews.remind()), len(reviews.remind())]
    review(office, "vera")
    told.append(len(reviews.remind()))
    office.clock.wait(181)
    told.append(len(reviews.remind()))

    assert told == [0, 1, 0, 0, 1]
    [hook] = office.house.hooks.list(LOCAL).items
    assert hook.waiting == 2


@given(DAYS, DAYS, DAYS)
def test_a_review_never_puts_a_date_further_off_than_a_period(every: int, after: int, again: int) -> None:
    at = START + timedelta(days=after)
    last = Review("r", "m", 1, "p", "vera", "validator", "continue", "", "seen", at, at + timedelta(days=again))

    due = due_at(START, last, every)

    assert at < due <= at + timedelta(days=every)
    assert due <= last.due_at
    assert state_at(due, due) == "overdue"
    assert due_at(at + timedelta(days=1), last, every) == at + timedelta(days=1 + every)  # it came back since
