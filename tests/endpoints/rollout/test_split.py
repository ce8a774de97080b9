"""Shares of an endpoint's keys: as large as said, the same for one key, and moved as little as can be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taxiway.endpoints.gateway.routing import Route
from taxiway.endpoints.rollout.split import (
    SLOTS,
    HeaderRule,
    Share,
    Split,
    divide,
    joining,
    spans,
    whole,
    without,
)
from taxiway.kernel.errors import BadField

KEYS = [f"customer {number}" for number in range(100_000)]


@st.composite
def shares(draw: st.DrawFn) -> list[Share]:
    """One to five revisions of 1 to 7 whose percentages sum to 100."""
    revisions = draw(st.lists(st.integers(1, 7), min_size=1, max_size=5, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, SLOTS), min_size=len(revisions) - 1, max_size=len(revisions) - 1)))
    ends = [0, *cuts, SLOTS]
    return [Share(r, (ends[at + 1] - ends[at]) / 100) for at, r in enumerate(revisions)]


def slots(split: Split) -> list[int]:
    return [stretch.revision for stretch, count in spans(split.stretches) for _ in range(count)]


def of_header(route: Route, key: str) -> int:
    return route.choose({b"x-customer": key.encode()}, b"{}", "0" * 32)


@settings(max_examples=40)
@given(shares())
def test_a_revision_has_as_many_slots_as_its_percentage_says(wanted: list[Share]) -> None:
    found = slots(divide(wanted, None))

    assert len(found) == SLOTS
    assert {share.revision: found.count(share.revision) for share in wanted} == {
        share.revision: round(share.percent * 100) for share in wanted
    }


@settings(max_examples=20)
@given(shares(), shares())
def test_a_change_moves_no_more_slots_than_it_must(one: list[Share], other: list[Share]) -> None:
    before = divide(one, None)
    after = divide(other, before)
    moved = sum(a != b for a, b in zip(slots(before), slots(after), strict=True))
    growth = sum(max(0, round(100 * (s.percent - before.percent(s.revision)))) for s in other)

    assert moved == growth
    assert all(
        after.percent(a) < before.percent(a) and after.percent(b) > before.percent(b)
        for a, b in zip(slots(before), slots(after), strict=True)
        if a != b
    )


@settings(max_examples=40)
@given(shares(), st.integers(1, 7))
def test_what_a_fallen_revision_had_goes_to_the_others_and_nothing_else_moves_between_them(
    wanted: list[Share], gone: int
) -> None:
    before = divide(wanted, None)
    left = without(before, {gone})

    if left is None:
        assert before.answering == [gone]
    else:
        assert gone not in slots(left)
        assert sum(share.percent for share in left.shares) == pytest.approx(100)


@settings(max_examples=40)
@given(shares(), st.integers(0, SLOTS))
def test_who_joins_gets_its_share_and_the_others_keep_their_proportions(wanted: list[Share], part: int) -> None:
    after = joining(divide(wanted, None), 9, part / 100)

    assert slots(after).count(9) == part
    for share in wanted:
        kept = share.percent * (1 - part / SLOTS)
        assert after.percent(share.revision) == pytest.approx(kept, abs=len(wanted) / 100)


@settings(max_examples=3, deadline=None)
@given(shares())
def test_of_a_hundred_thousand_keys_each_revision_gets_its_share(wanted: list[Share]) -> None:
    route = Route(divide(wanted, None, sticky="header:x-customer"), "mortgage")
    found = [of_header(route, key) for key in KEYS]

    for share in wanted:
        expected = share.percent / 100 * len(KEYS)
        spread = math.sqrt(len(KEYS) * share.percent / 100 * (1 - share.percent / 100))
        assert abs(found.count(share.revision) - expected) <= 5 * spread  # fails by chance once in a million


def test_a_raised_share_takes_keys_and_gives_none_away() -> None:
    ten = divide([Share(3, 90), Share(4, 10)], None, sticky="header:x-customer")
    twenty = divide([Share(3, 80), Share(4, 20)], ten, sticky="header:x-customer")
    first, then, back = (Route(s, "mortgage") for s in (ten, twenty, divide(ten.shares, twenty, sticky=ten.sticky)))
    some = KEYS[:5000]

    assert {(of_header(first, k), of_header(then, k)) for k in some} == {(3, 3), (3, 4), (4, 4)}
    assert [of_header(first, k) for k in some] == [of_header(back, k) for k in some]


def test_two_endpoints_try_a_revision_on_different_people() -> None:
    split = divide([Share(1, 50), Share(2, 50)], None, sticky="header:x-customer")
    one, other = Route(split, "mortgage"), Route(split, "flights")
    same = sum(of_header(one, key) == of_header(other, key) for key in KEYS[:4000])

    assert 1800 < same < 2200


@pytest.mark.parametrize("row", [b'{"customer": 7}', b'{"customer": 7.0}', b'{"customer": "7", "x": {"deep": 1}}'])
def test_a_key_is_the_same_however_it_is_written(row: bytes) -> None:
    route = Route(divide([Share(1, 50), Share(2, 50)], None, sticky="customer"), "mortgage")

    assert route.key({}, row) == b"7"


@pytest.mark.parametrize("row", [b"{}", b'{"customer": null}', b'{"customer": ""}', b'{"customer"', b"[1]"])
def test_a_request_without_a_key_is_divided_by_its_own_id(row: bytes) -> None:
    route = Route(divide([Share(1, 50), Share(2, 50)], None, sticky="customer"), "mortgage")
    found = [route.choose({}, row, f"{number:032x}") for number in range(400)]

    assert route.key({}, row) == b""
    assert 140 < found.count(1) < 260
    assert found == [route.choose({}, row, f"{number:032x}") for number in range(400)]


def test_a_rule_goes_before_the_key() -> None:
    rules = [HeaderRule("X-Test", "beta", 4), HeaderRule("x-test", "alpha", 3)]
    route = Route(divide([Share(3, 100), Share(4, 0)], None, rules=rules), "mortgage")

    assert [route.choose({b"x-test": value}, b"{}", "0" * 32) for value in (b"beta", b"alpha", b"gamma")] == [4, 3, 3]
    assert route.choose({}, b"{}", "0" * 32) == 3


def test_one_revision_answers_all_without_a_look_at_the_request() -> None:
    assert Route(whole(3), "mortgage").only == 3


@pytest.mark.parametrize(
    ("wanted", "rules", "names"),
    [
        ([Share(3, 90)], [], "3=90"),
        ([], [], "sum to 100"),
        ([Share(3, 50), Share(3, 50)], [], "sum to 100"),
        ([Share(3, 110), Share(4, -10)], [], "110"),
        ([Share(3, 99.999), Share(4, 0.001)], [], "0.01"),
        ([Share(3, 100)], [HeaderRule("x test", "beta", 3)], "x test"),
        ([Share(3, 100)], [HeaderRule("x-test", "", 3)], "without a value"),
        ([Share(3, 100)], [HeaderRule("x-test", "a", 3), HeaderRule("X-Test", "a", 4)], "two of one"),
    ],
)
def test_what_is_no_division_is_refused_by_name(wanted: list[Share], rules: list[HeaderRule], names: str) -> None:
    with pytest.raises(BadField, match=names):
        divide(wanted, None, rules=rules)
