"""Parallel coordinates: a line for each run across upright axes, one for each parameter or metric."""

import math

from msgspec import Struct

from taxiway.web.figures.axes import (
    SERIES,
    LogScale,
    Scale,
    extent,
    legend,
    log_extent,
    log_ticks,
    series_class,
    tick_texts,
    ticks,
)
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, line, linked, sheet, shorten, tag, text_width
from taxiway.web.numbers import number

WIDEST_SPAN = 100.0  # beyond this ratio of positive values an axis is logarithmic
NOWHERE = 22  # px below an axis: where a run without a value passes


class Upright(Struct, frozen=True):
    """One axis. values: of each run in order, a number, a text or None; all numbers, or all texts."""

    name: str
    values: tuple[float | str | None, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The different texts in order of appearance; none where the values are numbers."""
        return tuple(dict.fromkeys(value for value in self.values if isinstance(value, str)))

    @property
    def finite(self) -> list[float]:
        return [v for v in self.values if isinstance(v, (int, float)) and math.isfinite(v)]

    def scale(self, bottom: float, top: float) -> Scale:
        if self.words:
            return Scale(-0.5, len(self.words) - 0.5, bottom, top)
        numbers = self.finite
        if numbers and min(numbers) > 0 and max(numbers) / min(numbers) > WIDEST_SPAN:
            return LogScale(*log_extent(numbers), bottom, top)
        return Scale(*extent(numbers, pad=0.04), bottom, top)

    def places(self, scale: Scale) -> list[tuple[float, str]]:
        if self.words:
            return [(float(index), word) for index, word in enumerate(self.words)]
        if isinstance(scale, LogScale):
            return [(value, number(value, 2)) for value in log_ticks(scale.low, scale.high, 5)]
        values = ticks(scale.low, scale.high, 5)
        return list(zip(values, tick_texts(values), strict=True))

    def height(self, index: int, scale: Scale) -> float:
        """Where the run at this index passes the axis."""
        value = self.values[index]
        if isinstance(value, str):
            return scale.at(float(self.words.index(value)))
        return scale.start + NOWHERE if value is None or not math.isfinite(value) else scale.at(value)

    def text(self, index: int) -> str:
        value = self.values[index]
        return "–" if value is None else value if isinstance(value, str) else number(value, 4)


def plated(text: str, right: float, y: float) -> Svg:
    """A tick's text on a ground of its own, so that no line runs through it."""
    width = text_width(text) + 4
    ground = tag(
        "rect", x=f"{right - width + 2:.1f}", y=f"{y - 8:.1f}", width=f"{width:.1f}", height=16, class_="plate"
    )
    return Svg(ground + label(text, right, y + 4, "tick", "end"))


class ParallelChart(Struct, frozen=True, kw_only=True):
    """Runs as lines across axes. urls: where each line leads; "" is nowhere."""

    title: str
    names: tuple[str, ...]
    axes: tuple[Upright, ...]
    urls: tuple[str, ...] = ()
    height: float = 300

    def draw(self, width: int = 720) -> Svg:
        room = max(96, width // max(len(self.axes), 1))
        wide = max(width, room * len(self.axes))
        names = [(series_class(index), name) for index, name in enumerate(self.names)]
        key, key_height = legend(names, wide, 14) if len(names) <= SERIES else (Svg(""), 0.0)
        top, bottom = 34 + key_height, self.height - 14 - NOWHERE
        lefts = [room * index + 60 for index in range(len(self.axes))]
        scales = [axis.scale(bottom, top) for axis in self.axes]
        runs = [self._run(index, lefts, scales) for index in range(len(self.names))]
        uprights = [self._upright(*each, room) for each in zip(self.axes, lefts, scales, strict=True)]
        return sheet(
            Sheet(
                title=self.title,
                words=self.words(),
                width=wide,
                height=self.height,
                kind="parallel",
                has_links=any(self.urls),
                is_fixed=wide > width,
            ),
            key,
            *runs,
            *uprights,
        )

    def _run(self, index: int, lefts: list[int], scales: list[Scale]) -> Svg:
        places = [(left, axis.height(index, scale)) for left, axis, scale in zip(lefts, self.axes, scales, strict=True)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        says = f"{self.names[index]}: " + ", ".join(f"{axis.name} {axis.text(index)}" for axis in self.axes)
        drawn = tag("path", d=path, class_="line-catch") + tag("path", d=path, class_="line")
        colour = series_class(index) if len(self.names) <= SERIES else f"series-1 shade-{self._shade(index)}"
        return group(linked(Svg(drawn), self.urls[index] if self.urls else "", says), class_=f"series {colour}")

    def _shade(self, index: int) -> int:
        """How far up a run ends on the last axis, in quarters of the runs: 0 to 3."""
        last = self.axes[-1]
        numbers, value = sorted(last.finite), last.values[index]
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            return 0
        return min(3, 4 * numbers.index(value) // max(len(numbers), 1))

    def _upright(self, axis: Upright, left: int, scale: Scale, room: int) -> Svg:
        parts = [line((left, scale.start), (left, scale.end), "base")]
        for value, text in axis.places(scale):
            parts.append(line((left - 4, scale.at(value)), (left, scale.at(value)), "base"))
            parts.append(plated(shorten(text, min(left - 12, room - 40)), left - 8, scale.at(value)))
        if any(value is None for value in axis.values):
            parts.append(plated("none", left - 8, scale.start + NOWHERE))
        name = shorten(axis.name, room - 12)
        centre = max(float(left), text_width(name) / 2)
        parts.append(tag("g", tag("title", axis.name), label(name, centre, scale.end - 12, "axis-name", "middle")))
        return group(*parts, class_="axis")

    def words(self) -> str:
        return f"{len(self.names)} runs across {', '.join(axis.name for axis in self.axes)}."

    def numbers(self) -> Numbers:
        rows = tuple((name, *(axis.text(index) for axis in self.axes)) for index, name in enumerate(self.names))
        return Numbers(("run", *(axis.name for axis in self.axes)), rows)
