"""Whether a run that was done again did the same. Pure: it knows the values, not where they are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import Literal

from msgspec import Struct

from taxiway.kernel.numbers import Number, from_wire, to_wire
from taxiway.runs.compare import Row, Scalar, side_by_side

SameVerdict = Literal["bit-equal", "within tolerance", "differs", "impossible"]
InputKind = Literal["code", "data", "environment", "seed", "hardware"]
TOLERANCE = 1e-6
REPRODUCES = "taxiway.reproduces"  # the tag of a run that does another again
KEPT_ABOUT_THE_RUN = ("code/", "logs/", "requirements.lock")  # what it started from and printed, not what it made
OWN_METRICS = "system/*"  # what the machine did meanwhile

Pair = tuple[int, float]  # step and value


class Gap(Struct, frozen=True):
    """How far a series or a column is from the first run's.

    largest: the largest difference of two values, each divided by the larger of the two where that is above 1;
    Infinity where one has no counterpart. note: what else differs, in words.
    """

    name: str
    is_equal: bool
    largest: Number = 0.0
    note: str = ""


class FileGap(Struct, frozen=True):
    """A file whose bytes differ; a digest is empty where one of the runs has none."""

    path: str
    first: str
    again: str


class InputGap(Struct, frozen=True):
    """Something that the run started from and that was another this time."""

    kind: InputKind
    what: str


class Reproduction(Struct, frozen=True):
    """A run done again, held against the first. params and files name only what differs.

    again: the run that was made; empty where none could be, and then `because` says why. ignored: patterns of
    metrics that do not count. inputs: what differed before anything was computed.
    """

    id: str
    run: str
    again: str
    verdict: SameVerdict
    tolerance: float
    because: list[str]
    params: list[Row]
    metrics: list[Gap]
    predictions: list[Gap]
    files: list[FileGap]
    equal_files: int
    inputs: list[InputGap]
    ignored: list[str]
    by: str
    at: datetime

    def _repr_html_(self) -> str:
        from taxiway.runs.showing.displays import reproduction_html

        return reproduction_html(self)

    def judged(self, tolerance: float, ignored: Sequence[str] = ()) -> SameVerdict:
        """The verdict at another tolerance, with further metrics left out."""
        if self.verdict == "impossible":
            return "impossible"
        counted = [gap for gap in self.metrics if counts(gap.name, [*self.ignored, *ignored])]
        return verdict_of(Found(self.because, self.params, counted, self.predictions, self.files), tolerance)

    def largest(self, ignored: Sequence[str] = ()) -> Gap | None:
        """The metric or column that is furthest off; None where there is none."""
        counted = [gap for gap in self.metrics if counts(gap.name, [*self.ignored, *ignored])]
        return max([*counted, *self.predictions], key=lambda gap: from_wire(gap.largest), default=None)


class Found(Struct, frozen=True):
    """What a comparison of results found."""

    because: list[str]
    params: list[Row]
    metrics: list[Gap]
    predictions: list[Gap]
    files: list[FileGap]


def verdict_of(found: Found, tolerance: float) -> SameVerdict:
    """What the differences amount to.

    Within tolerance means that parameters are the same and every series and column of predictions has its
    counterpart, no further off than that. The bytes of other files may differ then: dates stand in many of them.
    """
    measured = [*found.metrics, *found.predictions]
    if found.because or found.params or any(from_wire(gap.largest) > tolerance for gap in measured):
        return "differs"
    return "bit-equal" if not found.files and all(gap.is_equal for gap in measured) else "within tolerance"


def counts(name: str, ignored: Iterable[str]) -> bool:
    """Whether a metric counts.

    >>> counts("fit_s", ["*_s"]), counts("loss", ["*_s"]), counts("system/cpu", [])
    (False, True, False)
    """
    return not any(fnmatchcase(name, pattern) for pattern in (OWN_METRICS, *ignored))


def difference(one: float, other: float) -> float:
    """How far two values are apart, relative to the larger where that is above 1. NaN is the same as NaN.

    >>> difference(1000.0, 1001.0) < 0.001, difference(float("nan"), 1.0)
    (True, inf)
    """
    if one == other or (math.isnan(one) and math.isnan(other)):
        return 0.0
    if not (math.isfinite(one) and math.isfinite(other)):
        return math.inf
    return abs(one - other) / max(1.0, abs(one), abs(other))


def series_gap(name: str, first: Iterable[Pair], again: Iterable[Pair]) -> Gap:
    """How far two series are apart, point by point in their order.

    >>> series_gap("loss", [(0, 1.0), (1, 0.5)], [(0, 1.0), (1, 0.5)])
    Gap(name='loss', is_equal=True, largest=0.0, note='')
    """
    largest, is_equal, is_stepwise = 0.0, True, True
    number = number_again = 0
    for one, other in zip_longest(first, again):
        number += one is not None
        number_again += other is not None
        if one is None or other is None:
            continue
        is_stepwise = is_stepwise and one[0] == other[0]
        apart = difference(one[1], other[1])
        is_equal = is_equal and apart == 0
        largest = max(largest, apart)
    if number != number_again:
        return Gap(name, is_equal=False, largest="Infinity", note=f"{number_again:,} points, not {number:,}")
    if not is_stepwise:
        return Gap(name, is_equal=False, largest="Infinity", note="its steps are others")
    return Gap(name, is_equal, to_wire(largest))


def files_apart(first: Mapping[str, str], again: Mapping[str, str]) -> tuple[list[FileGap], int]:
    """The files that differ among those that the runs made, by path, and how many are the same."""
    paths = sorted(path for path in {*first, *again} if not path.startswith(KEPT_ABOUT_THE_RUN))
    found = [FileGap(path, first.get(path, ""), again.get(path, "")) for path in paths]
    apart = [gap for gap in found if gap.first != gap.again]
    return apart, len(found) - len(apart)


def params_apart(first: Mapping[str, Scalar], again: Mapping[str, Scalar]) -> list[Row]:
    """The parameters that differ."""
    return [row for row in side_by_side([first, again]) if row.is_different]
