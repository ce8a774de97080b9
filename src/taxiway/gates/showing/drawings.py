"""What an outcome gives to be drawn: data alone, so that whoever reads evidence later draws the same picture."""

from __future__ import annotations

from msgspec import Struct


class Measure(Struct, frozen=True):
    """A named value with its interval, where it has one."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None


class Bars(Struct, frozen=True, tag=True, kw_only=True):
    """Values side by side, the first on top. limit: what all of them are held against."""

    title: str
    measures: list[Measure]
    unit: str = ""
    limit: float | None = None


class Spread(Struct, frozen=True, tag=True, kw_only=True):
    """How many values fell into each bin; edges has one more than the counts. marks: values with names, such as p99."""

    title: str
    edges: list[float]
    counts: list[int]
    unit: str = ""
    marks: list[Measure] = []
    limit: float | None = None


Drawing = Bars | Spread
