"""Which split is in force while revisions come, fall and leave: always of those that are there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.endpoints.gateway.configuration import ServedEndpoint
from taxiway.endpoints.gateway.crew import Crew
from taxiway.endpoints.gateway.place import Place
from taxiway.endpoints.rollout.declared import Rollout
from taxiway.endpoints.rollout.falls import Fall
from taxiway.endpoints.rollout.guard import Cause, Tally
from taxiway.endpoints.rollout.split import HeaderRule, Share, Split, divide, whole

AT = datetime(2026, 1, 1, tzinfo=UTC)


class Ready:
    """A crew as far as a place looks at one."""

    def __init__(self) -> None:
        self.tally, self.latencies_ms = Tally(0), [1.0] * 200


def declared(number: int, split: Split, before: Split | None = None) -> ServedEndpoint:
    return ServedEndpoint("adder", "tests", split.main, rollout=Rollout(number, split, AT, before=before))


def come(place: Place, *numbers: int) -> None:
    for number in numbers:
        place.crews[number] = cast("Crew", cast("Any", Ready()))
        place.balance(AT)


def fall(place: Place, number: int) -> None:
    after = place.after({*place.fallen, number}, AT)
    assert after is not None
    place.fallen[number] = Fall("adder", place.rollout.number, number, AT, after, Cause("errors", "it fails"))
    place.balance(AT)


def may_fall(place: Place, number: int) -> bool:
    """As the fleet asks: whether others are there to answer."""
    after = place.after({*place.fallen, number}, AT)
    return after is not None and place.crews.keys() >= set(after.answering)


def shares(place: Place) -> dict[int, float]:
    return {share.revision: share.percent for share in place.split.shares} if place.split else {}


def test_what_was_goes_on_until_everybody_is_ready() -> None:
    place = Place(declared(1, whole(1)))
    come(place, 1)
    place.take(declared(2, divide([Share(1, 50), Share(2, 30), Share(3, 20)], whole(1)), whole(1)))
    place.balance(AT)
    first = shares(place)
    come(place, 2)
    second = shares(place)
    come(place, 3)

    assert first == second == {1: 100}
    assert shares(place) == {1: 50, 2: 30, 3: 20}


def test_after_a_restart_those_that_are_there_answer_for_the_others() -> None:
    place = Place(declared(2, divide([Share(1, 80), Share(2, 20)], None)))
    come(place, 2)
    alone = shares(place)
    come(place, 1)

    assert alone == {2: 100}
    assert shares(place) == {1: 80, 2: 20}


def test_a_rule_to_a_revision_that_is_not_ready_waits_for_it() -> None:
    rules = [HeaderRule("x-test", "beta", 2)]
    place = Place(declared(2, divide([Share(1, 100), Share(2, 0)], None, rules=rules)))
    come(place, 1)
    assert place.split is not None
    before = place.split.rules
    come(place, 2)

    assert (before, len(place.split.rules)) == ((), 1)


def test_what_fell_goes_back_to_the_split_before_while_that_is_warm() -> None:
    before = divide([Share(1, 70), Share(2, 30)], None)
    place = Place(declared(5, whole(3, before), before))
    come(place, 1, 2, 3)
    fall(place, 3)
    fallen = shares(place)
    fall(place, 2)

    assert fallen == {1: 70, 2: 30}
    assert shares(place) == {1: 100}
    assert place.after({1, 2, 3}, AT) is None
    assert place.after({3}, AT + timedelta(hours=1)) is None, "nobody is warm any more"


def test_another_split_forgets_what_fell_from_the_one_before() -> None:
    place = Place(declared(2, whole(2), whole(1)))
    come(place, 1, 2)
    fall(place, 2)
    place.take(declared(3, whole(2), whole(1)))
    place.balance(AT)

    assert shares(place) == {2: 100}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["come", "leave", "declare", "fall"]), st.integers(1, 4)), max_size=25))
def test_whatever_happens_requests_go_to_revisions_that_are_there(events: list[tuple[str, int]]) -> None:
    place, number, now = Place(declared(1, whole(1))), 1, whole(1)
    for event, revision in events:
        if event == "come":
            come(place, revision)
        elif event == "leave" and len(place.crews) > 1:
            place.crews.pop(revision, None)
            place.balance(AT)
        elif event == "declare":
            number += 1
            wanted = divide([Share(1, 60), Share(revision, 40)], now) if revision > 1 else whole(1)
            place.take(declared(number, wanted, now))
            now = wanted
            place.balance(AT)
        elif event == "fall" and place.split and may_fall(place, revision):
            fall(place, revision)
        assert place.split is None or set(place.split.revisions) <= place.crews.keys()
        assert place.split is None or not place.fallen.keys() & set(place.split.revisions)
        assert (place.split is None) == (place.route is None)
