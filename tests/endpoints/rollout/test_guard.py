"""When a revision gives its traffic back: soon where it is bad, and not for a few unlucky requests."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.endpoints.rollout.guard import Before, Guard, Kind, Tally, bound_ms, judge, lower, seen_of

KINDS: list[Kind] = ["errors", "missing", "schema", "latency"]
USUAL = Guard()
FIELDS = {"errors": "errors", "missing": "missing", "schema": "schema", "latency": "slow"}


def lived(per_second: list[tuple[int, int]], kind: Kind = "errors") -> Tally:
    """What a revision did from second 0 on: requests, and how many of them were bad."""
    tally = Tally(0)
    for at, (requests, bad) in enumerate(per_second):
        tally.turn(at)
        tally.now.requests += requests
        setattr(tally.now, FIELDS[kind], bad)
    return tally


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_bad_throughout_is_found_in_its_third_second(kind: Kind) -> None:
    found = [judge(USUAL, lived([(20, 20)] * n, kind), None, at=n - 1) for n in range(1, 4)]

    assert found[:2] == [None, None]
    assert found[2] is not None
    assert (found[2].kind, found[2].bad, found[2].of, found[2].within_s) == (kind, 60, 60, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_that_begins_after_a_good_minute_is_found_within_ten_seconds(kind: Kind) -> None:
    for share in (0.3, 1.0):
        good, bad = [(100, 0)] * 60, [(100, round(100 * share))] * 10
        found = [judge(USUAL, lived(good + bad[:n], kind), None, at=59 + n) for n in range(1, 11)]
        assert any(found), share


@pytest.mark.parametrize(("requests", "bad"), [(3, 3), (4, 4), (1000, 4)])
def test_a_few_unlucky_requests_move_nothing(requests: int, bad: int) -> None:
    spread = [(requests // 4, bad // 4 + (at < bad % 4)) for at in range(4)]

    assert judge(USUAL, lived(spread), None, at=3) is None


def test_one_burst_moves_nothing_and_the_same_again_and_again_does() -> None:
    once = lived([(50, 30), *[(50, 0)] * 9])
    often = lived([(50, 30), (50, 0)] * 5)

    assert judge(USUAL, once, None, at=9) is None
    assert judge(USUAL, often, None, at=9) is not None


def test_a_fault_that_the_revision_before_had_as_well_moves_nothing() -> None:
    both = lived([(100, 20)] * 10)
    before = seen_of(3, both, [])

    assert before.errors == pytest.approx(20)
    assert judge(USUAL, both, before, at=9) is None
    assert judge(USUAL, lived([(100, 50)] * 10), before, at=9) is not None


def test_requests_that_nobody_answers_count_while_they_wait() -> None:
    hanging = Tally(0)

    assert judge(USUAL, hanging, None, at=4, waiting_since=[0, 0, 0, 0, 0]) is None
    found = judge(USUAL, hanging, None, at=4, waiting_since=[0, 0, 1, 1, 2])
    assert found is not None
    assert (found.kind, found.bad, found.of) == ("latency", 5, 5)


def test_latency_is_held_against_the_revision_before_or_a_bound() -> None:
    quick = seen_of(1, Tally(0), [4.0] * 500)

    assert bound_ms(USUAL, None) == math.inf
    assert bound_ms(USUAL, seen_of(1, Tally(0), [4.0] * 20)) == math.inf, "too few to know"
    assert bound_ms(USUAL, quick) == 54.0
    assert bound_ms(USUAL, Before(1, p99_ms=100.0)) == 300.0
    assert bound_ms(Guard(latency_ms=20), quick) == 20


def test_a_cause_says_its_numbers() -> None:
    found = judge(USUAL, lived([(20, 18)] * 3), None, at=2)

    assert str(found) == (
        "it gives no answer: 54 of 60 requests in 10 s, which is at least 75.8 %, and 5.0 % are allowed"
    )


def test_a_revision_within_what_is_allowed_is_left_alone_for_hours() -> None:
    """6,000 looks, one each second, at one bad request in a hundred, where five are allowed."""
    chance = random.Random(11)
    tally = Tally(0)
    fallen = 0
    for at in range(6_000):
        tally.turn(at)
        tally.now.requests = 10
        tally.now.errors = sum(chance.random() < 0.01 for _ in range(10))
        fallen += judge(USUAL, tally, None, at=at) is not None

    assert fallen == 0


def test_a_minute_is_remembered_and_no_more() -> None:
    tally = lived([(1, 0)] * 200)

    assert [second.at for second in tally.seconds] == list(range(140, 200))


@settings(max_examples=60)
@given(st.integers(1, 400), st.data())
def test_the_lower_end_lies_below_the_share_and_rises_with_it(of: int, data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, of))

    assert 0 <= lower(bad, of) <= bad / of + 1e-12
    assert bad == of or lower(bad, of) < lower(bad + 1, of)
    assert lower(bad, of) <= lower(2 * bad, 2 * of) + 1e-12
