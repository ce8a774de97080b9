"""A service that makes its answer in pieces also answers whole."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from taxiway.adapters.python import Context, Service
from taxiway.models.predicting.signature import Column, InputMismatch, Signature

SIGNATURE = Signature(inputs=(Column(name="word", type="string"),), outputs=(Column(name="prediction", type="string"),))


class Speller:
    """Gives letters; `predict` is a generator."""

    def before(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"word": row["word"].upper()} for row in rows]

    def predict(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        yield from rows[0]["word"]


class Counter:
    """Has only `stream`, and gives numbers."""

    def stream(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for number, _ in enumerate(row["word"], start=1):
            yield {"prediction": number, "of": len(row["word"])}


class Whole:
    def predict(self, rows: list[dict[str, Any]]) -> list[str]:
        return [row["word"] for row in rows]


def made(service: object) -> Service:
    return Service(service, Context(Path(), {}), SIGNATURE)


def test_texts_are_joined_and_of_others_the_last_counts() -> None:
    rows = [{"word": "ab"}, {"word": "cde"}]

    assert made(Speller()).predict(rows) == [{"prediction": "AB"}, {"prediction": "CDE"}]
    assert made(Counter()).predict(rows) == [{"prediction": 2, "of": 2}, {"prediction": 3, "of": 3}]


def test_pieces_are_those_of_the_checked_row() -> None:
    service = made(Speller())

    assert hasattr(service, "stream")
    assert list(service.stream({"word": "ab"})) == [{"prediction": "A"}, {"prediction": "B"}]
    with pytest.raises(InputMismatch, match="word"):
        list(service.stream({"word": 3}))
    assert not hasattr(made(Whole()), "stream")
