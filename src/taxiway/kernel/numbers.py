"""Numbers that JSON cannot say: NaN and the infinities travel as strings."""

from __future__ import annotations

import math
from typing import Literal

Number = float | Literal["NaN", "Infinity", "-Infinity"]


def to_wire(value: float) -> Number:
    """A float as it travels.

    >>> to_wire(float("nan")), to_wire(0.5)
    ('NaN', 0.5)
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def from_wire(value: Number) -> float:
    """The float that was sent.

    >>> from_wire("-Infinity")
    -inf
    """
    return float(value)
