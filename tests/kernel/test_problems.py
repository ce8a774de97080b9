"""What was wrong with a body is said with field, value and what would be accepted."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Any, Literal, cast

import pytest
from msgspec import Meta, Struct

from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import convert, decode, has_open_integers


class Point(Struct, frozen=True, forbid_unknown_fields=True):
    step: int
    value: float


class Batch(Struct, frozen=True, forbid_unknown_fields=True):
    points: list[Point]


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ('{"points": [{"step": 1, "value": 2}, {"step": 1, "value": "x"}]}', "points[1].value", "x"),
        ('{"points": [{"step": 1.5, "value": 1}]}', "points[0].step", "1.5"),
        ('{"points": 3}', "points", "3"),
        ('{"points": [], "more": 1}', "body", "more"),
        ("{}", "body", "{}"),
        ('{"points": [', "body", ""),
        ("\xff", "body", ""),
    ],
)
def test_the_field_and_its_value_are_named(text: str, field: str, value: str) -> None:
    with pytest.raises(BadField) as refusal:
        decode(text.encode("latin-1"), Batch)

    assert refusal.value.field == field
    assert value in refusal.value.value + refusal.value.expected
    assert refusal.value.status == 400


def test_a_query_value_that_is_no_number_is_named() -> None:
    with pytest.raises(BadField, match="step"):
        convert({"step": "many", "value": "1.5"}, Point)


def test_query_texts_become_numbers() -> None:
    assert convert({"step": "3", "value": "1.5"}, Point) == Point(3, 1.5)


class Alarm(Struct, frozen=True):
    level: Literal["low", "high"]


class Alarms(Struct, frozen=True):
    by_name: dict[str, Alarm | None] = {}
    all: list[Alarm] = []


@pytest.mark.parametrize("text", ['{"by_name": {"fire": {"level": "huge"}}}', '{"all": [{"level": "huge"}]}'])
def test_of_few_accepted_values_each_is_said(text: str) -> None:
    with pytest.raises(BadField, match=r"level: .*huge.* is not accepted; give one of high, low"):
        decode(text.encode(), Alarms)


class Ask(Struct, frozen=True):
    limit: int | None = None
    share: float | None = None
    project: str = ""
    facts: dict[str, Any] | None = None
    level: Literal["low", "high"] | None = None
    is_new: bool = False


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"facts":{"a":' + b"[" * 100_000,
        b"1e999",
        b'{"a":NaN}',
        b'{"limit":NaN}',
        b'{"limit":1e400}',
        b'{"limit":"x","share":NaN}',
        b'{"project":"\\ud800"}',
        b"9" * 5000,
        b'{"limit":' + b"9" * 5000 + b"}",
        b'{"facts":{"a":[' + b"9" * 5000 + b"]}}",
        b'{"limit":9223372036854775808}',
        b'{"project":"\xff"}',
    ],
)
@pytest.mark.parametrize("kind", [Ask, Point, Batch])
def test_no_text_is_worse_than_a_refusal(data: bytes, kind: type[Struct]) -> None:
    with pytest.raises(BadField) as refusal:
        decode(data, kind)
    assert len(str(refusal.value)) < 300


def test_what_facts_hold_may_be_large() -> None:
    assert decode(b'{"facts": {"seed": 18446744073709551615}}', Ask).facts == {"seed": 2**64 - 1}


def test_a_number_in_a_query_is_bounded() -> None:
    with pytest.raises(BadField, match="limit: 99999999999999999999 is not accepted; give a whole number from"):
        convert({"limit": "99999999999999999999"}, Ask)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"limit": "x"}', "give a whole number, or nothing."),
        ('{"share": "x"}', "give a number, or nothing."),
        ('{"facts": "x"}', "give an object, or nothing."),
        ('{"level": false}', "give one of high, low, or nothing."),
        ('{"level": "none"}', "give one of high, low, or nothing."),
        ('{"project": 3}', "give a text."),
        ('{"is_new": 3}', "give true or false."),
        ("[]", "give an object."),
    ],
)
def test_what_is_accepted_is_said_in_words(text: str, words: str) -> None:
    with pytest.raises(BadField) as refusal:
        decode(text.encode(), Ask)

    assert str(refusal.value).endswith(words)


class Bounded(Struct):
    number: Annotated[int, Meta(ge=0, le=9)]
    facts: dict[str, int] = {}


class Within(Struct):
    bounded: list[Bounded]
    open: list[int] = []


class Tree(Struct):
    children: list[Tree] = []
    size: Annotated[int, Meta(ge=0, le=9)] = 0


@pytest.mark.parametrize(("kind", "is_open"), [(Bounded, False), (Within, True), (Tree, False)])
def test_only_types_with_numbers_of_any_size_are_looked_through(kind: type[Struct], is_open: bool) -> None:
    assert has_open_integers(cast("Hashable", kind)) == is_open


def test_many_digits_after_the_point_are_common() -> None:
    assert decode(b'{"step": 1, "value": 0.123456789012345678901}', Point).value == pytest.approx(0.1234567890123)
