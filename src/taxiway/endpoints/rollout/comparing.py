"""Whether two revisions answer a row alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

TOLERANCE = 0.01  # how far two estimates may lie apart, as a part of the larger


def agrees(one: bytes, other: bytes) -> bool:
    """Whether two answers, JSON objects, predict the same.

    A score beside the prediction may differ. Estimates, which are no whole numbers, may by 1 %.

    >>> agrees(b'{"prediction": 1, "score": 0.9}', b'{"prediction": 1, "score": 0.7}')
    True
    >>> agrees(b'{"prediction": 100.5}', b'{"prediction": 101.2}'), agrees(b'{"prediction": 1}', b'{"prediction": 2}')
    (True, False)
    """
    return one == other or same(said(msgspec.json.decode(one)), said(msgspec.json.decode(other)))


def said(answer: Any) -> Any:
    """What an answer predicts: all of it where nothing in it is called so."""
    return answer["prediction"] if isinstance(answer, Mapping) and "prediction" in answer else answer


def same(one: Any, other: Any) -> bool:
    if is_estimate(one) or is_estimate(other):
        numbers = [each for each in (one, other) if isinstance(each, int | float)]
        return len(numbers) == 2 and abs(numbers[0] - numbers[1]) <= TOLERANCE * max(map(abs, numbers))
    return bool(one == other)


def is_estimate(value: Any) -> bool:
    return isinstance(value, float) and not value.is_integer()
