"""Scales, ticks and axes: from numbers to places on the sheet, and the thin lines that say so."""

import json
import math
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from taxiway.web.figures.svg import Svg, group, label, line, text_width
from taxiway.web.numbers import fixed, number

NARROW = 520  # px: below this width a figure is laid out for a phone
LARGEST = 1e300  # a loss that ran away is drawn here: beyond it, the span of an axis is no float
SERIES = 8  # colours; further series are grey and told apart by their labels
_TIME_STEPS_S = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 1209600)


class Scale(Struct, frozen=True):
    """A straight map from numbers low..high to pixels start..end."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        value = min(max(value, -LARGEST), LARGEST)
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def held(self, value: float) -> float:
        """The place of the value, or the nearest end when it lies outside."""
        return self.at(min(max(value, self.low), self.high))


class LogScale(Scale, frozen=True):
    """A map of positive numbers by their logarithm; what is not positive stands at the low end."""

    def at(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.end) / 2
        value = min(max(value, self.low), LARGEST)
        share = (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return self.start + share * (self.end - self.start)


class Plot(Struct, frozen=True):
    """The area of a chart in which the data stand."""

    x: Scale
    y: Scale

    @property
    def left(self) -> float:
        return self.x.start

    @property
    def right(self) -> float:
        return self.x.end

    @property
    def top(self) -> float:
        return self.y.end

    @property
    def bottom(self) -> float:
        return self.y.start


def extent(values: Iterable[float], *, pad: float = 0.0) -> tuple[float, float]:
    """The lowest and highest finite value, with a share of the span added at both ends.

    Without any finite value, or with nothing but zeros, it is 0..1; other equal values get room around them.
    """
    finite = [min(max(value, -LARGEST), LARGEST) for value in values if math.isfinite(value)]
    if not finite:
        return 0.0, 1.0
    low, high = min(finite), max(finite)
    if low == high == 0:
        return 0.0, 1.0
    if low == high:
        room = abs(low) * 0.1
        return low - room, high + room
    return low - (high - low) * pad, high + (high - low) * pad


def log_extent(values: Iterable[float]) -> tuple[float, float]:
    """The lowest and highest positive value with a little room; a decade around 1 where there is none."""
    positive = [min(value, LARGEST) for value in values if math.isfinite(value) and value > 0]
    if not positive:
        return 0.1, 10.0
    low, high = min(positive), max(positive)
    return (low / 1.15, high * 1.15) if high / low > 1.01 else (low / 2, high * 2)


def log_ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """Powers of ten within low..high, at most about `count`; within less than two decades 1, 2 and 5 times those."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / max(count, 1)))
    factors = (1.0, 2.0, 5.0) if high / low < 100 else (1.0,)
    found = tuple(f * 10.0**power for power in range(first, last + 1, every) for f in factors)
    return tuple(value for value in found if low <= value <= high) or (low,)


def ticks(low: float, high: float, count: int = 5) -> tuple[float, ...]:
    """About `count` round numbers (1, 2 or 5 times a power of ten apart) within low..high."""
    span = high - low
    # Below this share of the numbers themselves, floats cannot tell the ticks apart.
    if span < 1e-300 or span <= max(abs(low), abs(high)) * 1e-12 or not math.isfinite(span):
        return (low,)
    rough = span / max(count, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(factor for factor, most in ((1, 1.5), (2, 3.5), (5, 7.5), (10, 11)) if rough / power < most)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    places = max(0, 2 - math.floor(math.log10(step)))
    return tuple(round(index * step, places) for index in range(first, last + 1))


def tick_texts(values: Sequence[float]) -> tuple[str, ...]:
    """The ticks' texts, with one number of decimals for all of them."""
    step = min((abs(b - a) for a, b in pairwise(values)), default=abs(values[0]) or 1.0)
    largest = max(abs(value) for value in values)
    if largest >= 1e6 or 0 < largest < 1e-3:
        return tuple(number(value, 2) for value in values)
    places = next((n for n in range(7) if all(abs(round(v, n) - v) <= step * 1e-3 for v in values)), 7)
    return tuple(fixed(value, places) for value in values)


def time_ticks(low: float, high: float, count: int = 6) -> tuple[tuple[float, str], ...]:
    """Round moments within low..high (seconds since 1970, UTC), each with a text just exact enough."""
    span = high - low
    if span / max(count, 1) > _TIME_STEPS_S[-1]:
        return _month_ticks(low, high, count)
    step = next((step for step in _TIME_STEPS_S if span / step <= count), _TIME_STEPS_S[-1])
    first = math.ceil(low / step)
    moments = [float(index * step) for index in range(first, math.floor(high / step) + 1)]
    return tuple((moment, _time_text(moment, step)) for moment in moments)


def _time_text(moment: float, step: int) -> str:
    when = datetime.fromtimestamp(moment, UTC)
    if step >= 86400 or (when.hour, when.minute, when.second) == (0, 0, 0):
        return f"{when.day} {when:%b}"
    return f"{when:%H:%M:%S}" if step < 60 else f"{when:%H:%M}"


def _month_ticks(low: float, high: float, count: int) -> tuple[tuple[float, str], ...]:
    start = datetime.fromtimestamp(low, UTC)
    months = (high - low) / 2629800
    every = next((step for step in (1, 2, 3, 6, 12, 24, 60, 120) if months / step <= count), 120)
    found = []
    for year in range(start.year, datetime.fromtimestamp(high, UTC).year + 1):
        for month in range(1, 13):
            moment = datetime(year, month, 1, tzinfo=UTC)
            if low <= moment.timestamp() <= high and ((year * 12 + month - 1) % every == 0):
                text = str(year) if every >= 12 else f"{moment:%b %Y}" if month == 1 else f"{moment:%b}"
                found.append((moment.timestamp(), text))
    return tuple(found)


def time_text(moment: float) -> str:
    """A moment on a time axis in full, for hover texts and tables."""
    when = datetime.fromtimestamp(0, UTC) + timedelta(seconds=moment)
    return f"{when:%Y-%m-%d}" if moment % 86400 == 0 else f"{when:%Y-%m-%d %H:%M}"


def y_axis(plot: Plot, values: Sequence[float], texts: Sequence[str], name: str = "") -> Svg:
    """Horizontal grid lines with their values on the left, and the axis's name above them."""
    rows = [
        line((plot.left, plot.y.at(value)), (plot.right, plot.y.at(value)), "grid")
        + label(text, plot.left - 8, plot.y.at(value) + 4, "tick", "end")
        for value, text in zip(values, texts, strict=True)
    ]
    head = label(name, 0, plot.top - 10, "axis-name") if name else ""
    return group(Svg("".join(rows) + head), class_="axis")


def x_axis(plot: Plot, places: Sequence[tuple[float, str]], name: str = "") -> Svg:
    """The base line with ticks and texts; texts that would run into each other are left out."""
    parts: list[str] = [line((plot.left, plot.bottom), (plot.right, plot.bottom), "base")]
    taken = -math.inf
    for value, text in places:
        x, half = plot.x.at(value), text_width(text) / 2
        if x - half < taken + 8:
            continue
        centre = min(max(x, half), plot.right + 12 - half) if x + half > plot.right + 12 else x
        parts += [line((x, plot.bottom), (x, plot.bottom + 4), "base")]
        parts += [label(text, centre, plot.bottom + 18, "tick", "middle")]
        taken = x + half
    if name:
        parts.append(label(name, plot.right, plot.bottom + 34, "axis-name", "end"))
    return group(Svg("".join(parts)), class_="axis")


def gutter(texts: Iterable[str]) -> float:
    """The width that the texts left of an axis need."""
    return math.ceil(max((text_width(text) for text in texts), default=0.0)) + 10


def series_class(index: int) -> str:
    """The class that carries the colour of the series at this index, from 0."""
    return f"series-{index + 1}" if index < SERIES else "series-other"


def legend(names: Sequence[tuple[str, str]], width: float, top: float) -> tuple[Svg, float]:
    """Swatches with names (class, name), in rows that fit the width; and the height they took."""
    parts, x, y = [], 0.0, top
    for class_, name in names:
        wide = text_width(name) + 34
        if x and x + wide > width:
            x, y = 0.0, y + 18
        parts.append(group(line((x, y - 4), (x + 14, y - 4), "swatch"), label(name, x + 20, y, "label"), class_=class_))
        x += wide
    return group(Svg("".join(parts)), class_="legend"), y - top + 18


def hover_points(points: Sequence[tuple[float, float, str, str]], most: int = 240) -> str:
    """Points for the crosshair (x px, y px, text of x, text of y), thinned to at most `most`."""
    every = max(1, math.ceil(len(points) / most))
    return json.dumps(
        [[round(x, 1), round(y, 1), across, up] for x, y, across, up in points[::every]],
        separators=(",", ":"),
        ensure_ascii=False,
    )


def spread(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Places pushed apart to at least `gap`, in their order, kept within low..high where that is possible."""
    order = sorted(range(len(places)), key=lambda index: places[index])
    moved = list(places)
    floor = low
    for index in order:
        moved[index] = max(moved[index], floor)
        floor = moved[index] + gap
    ceiling = high
    for index in reversed(order):
        moved[index] = min(moved[index], ceiling)
        ceiling = moved[index] - gap
    return moved
