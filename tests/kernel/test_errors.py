"""Errors travel with their facts and come back as the same class."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from typing import ClassVar

import msgspec
import pytest

from taxiway.kernel.errors import BadField, NotFound, TaxiwayError, revive


class Reading(msgspec.Struct, frozen=True):
    value: float
    at: datetime


class ReadingsOff(TaxiwayError):
    """Readings that a test refuses."""

    status = 422
    limit: ClassVar[int] = 3
    readings: list[Reading]
    note: str = "none"

    def __str__(self) -> str:
        return f"{len(self.readings)} readings are off ({self.note})."


def test_a_refusal_comes_back_as_the_class_that_was_raised() -> None:
    refusal = ReadingsOff(readings=[Reading(0.5, datetime(2026, 1, 2, tzinfo=UTC))], note="cold")

    wire = msgspec.json.decode(msgspec.json.encode(refusal.facts()))
    back = revive("ReadingsOff", wire)

    assert isinstance(back, ReadingsOff)
    assert back.readings == refusal.readings
    assert str(back) == str(refusal) == "1 readings are off (cold)."


def test_a_refusal_survives_pickling_between_processes() -> None:
    back = pickle.loads(pickle.dumps(BadField(field="name", value="''", expected="a name")))

    assert isinstance(back, BadField)
    assert back.field == "name"


def test_facts_that_lack_or_exceed_are_the_programmers_error() -> None:
    with pytest.raises(TypeError, match="lacks name"):
        NotFound(kind="run")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="has no colour"):
        NotFound(kind="run", name="x", colour="red")  # type: ignore[call-arg]


def test_every_refusal_says_what_to_do_and_has_a_status() -> None:
    for cls in TaxiwayError.known.values():
        assert cls.__doc__, cls
        assert 400 <= cls.status < 600, cls
