"""Points of a series as arrays, and the bytes that a sealed part of it is stored as. Pure.

A segment keeps every point bit for bit in some ten bytes: whole numbers as differences to the one before, then all
columns with bytes of one weight next to each other, which is what makes them compress.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import zstandard
from numpy.typing import NDArray

from taxiway.runs.points.times import signed, unsigned

LONGEST = 4096  # points in a segment
FORM = b"\x01"  # how the bytes are laid out; another layout gets another number
LEVEL = 1
POINT_BYTES = 24

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class History:
    """Points of one metric, as three arrays of one length. at: as `times` has it."""

    steps: Ints
    at: Ints
    values: Floats

    def __len__(self) -> int:
        return self.steps.size

    def __getitem__(self, which: slice | NDArray[np.int64] | NDArray[np.bool_]) -> History:
        return History(self.steps[which], self.at[which], self.values[which])

    def ordered(self) -> History:
        """By step, then time; points that are equal in both stay as they stand."""
        if not is_ordered(self):
            return self[np.lexsort((unsigned(self.at), self.steps))]
        return self

    def ordered_by_value(self) -> History:
        """By step, then time, then value; NaN last."""
        if is_rising(self):
            return self
        found = self.ordered()
        repeats = (np.diff(found.steps) == 0) & (np.diff(found.at) == 0)
        if not repeats.any():
            return found
        return found[np.lexsort((found.values, unsigned(found.at), found.steps))]

    def distinct(self) -> History:
        """Without points that repeat the one before in every field."""
        if is_rising(self):
            return self
        same = (np.diff(self.steps) == 0) & (np.diff(self.at) == 0)
        before, after = self.values[:-1], self.values[1:]
        same &= (before == after) | (np.isnan(before) & np.isnan(after))
        return self[np.concatenate(([True], ~same))]


def is_rising(points: History) -> bool:
    """Whether no two points have the same step, and all are in order."""
    # Compared, not subtracted: a difference that 64 bits do not hold has the wrong sign.
    return bool(np.logical_and.reduce(points.steps[1:] > points.steps[:-1]))


def is_ordered(points: History) -> bool:
    if is_rising(points):
        return True
    before, after = points.steps[:-1], points.steps[1:]
    at = unsigned(points.at)
    is_later = (after > before) | ((after == before) & (at[1:] >= at[:-1]))
    return bool(is_later.all())


def history(steps: Sequence[int], at: Sequence[int], values: Sequence[float | str | None]) -> History:
    """Points from columns; a value that is None is a NaN, and a text what it says, such as Infinity."""
    size = len(steps)  # told that, an array is made of a list in half the time
    found = [np.fromiter(column, np.int64, size) for column in (steps, at)]
    return History(found[0], found[1], np.fromiter(values, np.float64, size))


NOTHING = history([], [], [])


def join(parts: Sequence[History]) -> History:
    if not parts:
        return NOTHING
    if len(parts) == 1:
        return parts[0]
    return History(
        np.concatenate([part.steps for part in parts]),
        np.concatenate([part.at for part in parts]),
        np.concatenate([part.values for part in parts]),
    )


def pieces(points: History, length: int = LONGEST) -> Iterator[History]:
    """Points in parts of a segment's length, the last one what is left."""
    for start in range(0, len(points), length):
        yield points[start : start + length]


class Tools(threading.local):
    """Each thread's own: neither may be shared."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_content_size=False)
        self.decompressor = zstandard.ZstdDecompressor()


tools = Tools()


def encode(points: History) -> bytes:
    columns = np.empty((3, len(points)), np.uint64)
    differences(points.steps, columns[0])
    differences(points.at, columns[1])
    columns[2] = points.values.view(np.uint64)
    shuffled = columns.view(np.uint8).reshape(3, -1, 8).transpose(0, 2, 1)
    return FORM + tools.compressor.compress(shuffled.tobytes())


def decode(data: bytes, length: int) -> History:
    """The points of a segment of this length. Raises ValueError for bytes that `encode` did not write."""
    if data[:1] != FORM:
        raise ValueError(f"a segment of an unknown form: {data[:1]!r}")
    try:
        plain = tools.decompressor.decompress(data[1:], max_output_size=length * POINT_BYTES)
    except zstandard.ZstdError as e:
        raise ValueError(f"a segment that cannot be read: {e}") from e
    if len(plain) != length * POINT_BYTES:
        raise ValueError(f"a segment of {len(plain)} bytes where {length * POINT_BYTES} were expected")
    shuffled = np.frombuffer(plain, np.uint8).reshape(3, 8, length)
    columns = np.ascontiguousarray(shuffled.transpose(0, 2, 1)).view(np.uint64).reshape(3, length)
    return History(sums(columns[0]), sums(columns[1]), columns[2].view(np.float64))


def differences(values: Ints, into: NDArray[np.uint64]) -> None:
    """The first value and each one's difference to the one before, modulo 2^64."""
    plain = values.view(np.uint64)
    into[:1] = plain[:1]
    np.subtract(plain[1:], plain[:-1], out=into[1:])


def sums(values: NDArray[np.uint64]) -> Ints:
    return np.cumsum(values, dtype=np.uint64).view(np.int64)


@dataclass(frozen=True)
class Extremes:
    """The ends of what points hold. low, high: of the values that are numbers; None where there are none."""

    first_step: int
    last_step: int
    first_at: int
    last_at: int
    low: float | None
    high: float | None


def extremes(points: History) -> Extremes:
    """Of at least one point."""
    at = unsigned(points.at)
    low, high = float(np.fmin.reduce(points.values)), float(np.fmax.reduce(points.values))  # NaN where all are
    return Extremes(
        first_step=int(np.minimum.reduce(points.steps)),
        last_step=int(np.maximum.reduce(points.steps)),
        first_at=signed(int(np.minimum.reduce(at))),
        last_at=signed(int(np.maximum.reduce(at))),
        low=None if math.isnan(low) else low,
        high=None if math.isnan(high) else high,
    )
