"""What was wrong with a body is said with field, value and what would be accepted."""

from __future__ import annotations

from typing import Literal

import pytest
from msgspec import Struct

from taxiway.kernel.errors import BadField
from taxiway.kernel.problems import convert, decode


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
