"""Rows that nobody sent, to try a model on: drawn within what its example shows of each column."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from taxiway.models.predicting.signature import Column, Signature

PROBES = 12
SEED = 20
BEYOND = 1.0  # of the example's spread, on both sides: five rows show little of a column


def probes(signature: Signature, example: Sequence[Mapping[str, Any]], count: int = PROBES) -> list[bytes]:
    """As many rows as JSON, the same for the same example."""
    draw = random.Random(SEED)  # noqa: S311  no secret: the same rows every time
    drawers = {c.name: [row.get(c.name) for row in example] for c in signature.inputs}
    return [
        msgspec.json.encode({c.name: drawn(draw, c, drawers[c.name]) for c in signature.inputs}) for _ in range(count)
    ]


def drawn(draw: random.Random, column: Column, seen: Sequence[Any]) -> Any:
    """A value that the column accepts, near to those that were seen."""
    numbers = [value for value in seen if isinstance(value, int | float) and not isinstance(value, bool)]
    if column.nullable and draw.random() < 0.1:
        return None
    if column.type == "boolean":
        return draw.random() < 0.5
    if column.type == "category" and column.categories:
        return draw.choice(column.categories)
    if column.type in ("integer", "number") and numbers:
        spread = BEYOND * (max(numbers) - min(numbers))
        value = draw.uniform(min(numbers) - spread, max(numbers) + spread)
        return round(value) if column.type == "integer" else value
    return draw.choice(list(seen))
