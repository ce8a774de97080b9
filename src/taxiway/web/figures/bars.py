"""Bars with intervals: selection rate by group, and latency by revision against its limit."""

import math

from msgspec import Struct

from taxiway.web.figures.axes import (
    NARROW,
    Plot,
    Scale,
    extent,
    gutter,
    legend,
    series_class,
    tick_texts,
    ticks,
    x_axis,
    y_axis,
)
from taxiway.web.figures.lines import Threshold, limits_head, threshold_line
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, line, linked, sheet, shorten, tag
from taxiway.web.numbers import duration, fixed, interval, number


class Bar(Struct, frozen=True):
    """A value with its interval. limit: what this bar alone is held against, drawn as a dash across it."""

    value: float
    low: float = math.nan
    high: float = math.nan
    limit: float = math.nan


class GroupedBars(Struct, frozen=True, kw_only=True):
    """bars[series][group]: one cluster per group, one bar per series in it."""

    title: str
    groups: tuple[str, ...]
    series: tuple[str, ...]
    bars: tuple[tuple[Bar, ...], ...]
    thresholds: tuple[Threshold, ...] = ()
    y_name: str = ""
    height: float = 260

    def draw(self, width: int = 720) -> Svg:
        several = len(self.series) > 1
        names = [(series_class(index), name) for index, name in enumerate(self.series)]
        key, key_height = legend(names, width, 14) if several else (Svg(""), 0.0)
        values = [value for row in self.bars for bar in row for value in (bar.value, bar.low, bar.high, bar.limit)]
        lowest, high = extent([0.0, *values, *(limit.value for limit in self.thresholds)], pad=0.08)
        low = lowest if any(value < 0 for value in values) else 0.0
        found = ticks(low, high, 5)
        texts = tick_texts(found)
        head, head_height = limits_head(self.y_name, self.thresholds, width, 14 + key_height)
        top = 14 + key_height + head_height
        plot = Plot(
            Scale(0, max(len(self.groups), 1), gutter(texts), width - 12),
            Scale(low, high, self.height - 26, top),
        )
        band = (plot.right - plot.left) / max(len(self.groups), 1)
        places = [(index + 0.5, shorten(name, band - 8)) for index, name in enumerate(self.groups)]
        return sheet(
            Sheet(title=self.title, words=self.words(), width=width, height=self.height, kind="bars"),
            key,
            head,
            y_axis(plot, found, texts),
            *(self._cluster(index, plot) for index in range(len(self.groups))),
            x_axis(plot, places),
            *(threshold_line(limit, plot) for limit in self.thresholds),
        )

    def _cluster(self, at: int, plot: Plot) -> Svg:
        room = plot.x.at(1) - plot.x.at(0)
        wide = min(room * 0.7 / len(self.series), 64)
        start = plot.x.at(at + 0.5) - wide * len(self.series) / 2
        return group(
            *(
                self._bar(index, at, (start + wide * index + 1, wide - 2), plot)
                for index in range(len(self.series))
                if math.isfinite(self.bars[index][at].value)
            )
        )

    def _bar(self, index: int, at: int, place: tuple[float, float], plot: Plot) -> Svg:
        bar, (x, wide) = self.bars[index][at], place
        ends = sorted((plot.y.at(0), plot.y.at(bar.value)))
        centre = x + wide / 2
        parts: list[str] = [tag("rect", x=x, y=ends[0], width=wide, height=ends[1] - ends[0], class_="bar")]
        highest = ends[0]
        if math.isfinite(bar.low) and math.isfinite(bar.high):
            upper, lower = plot.y.at(bar.high), plot.y.at(bar.low)
            parts.append(line((centre, upper), (centre, lower), "whisker"))
            parts += [line((centre - 4, y), (centre + 4, y), "whisker") for y in (upper, lower)]
            highest = min(highest, upper)
        if wide >= 26:
            parts.append(label(_read(bar.value), centre, highest - 5, "value", "middle"))
        if math.isfinite(bar.limit):
            y = plot.y.at(bar.limit)
            parts.append(line((x - 3, y), (x + wide + 3, y), "threshold"))
        asked = f", against {number(bar.limit)}" if math.isfinite(bar.limit) else ""
        says = f"{self.groups[at]}, {self.series[index]}: {number(bar.value)} {_bounds(bar)}".rstrip() + asked
        return group(linked(Svg("".join(parts)), "", says), class_=series_class(index))

    def words(self) -> str:
        return "; ".join(
            f"{self.groups[at]}, {name}: {number(row[at].value)} {_bounds(row[at])}".rstrip()
            for at in range(len(self.groups))
            for name, row in zip(self.series, self.bars, strict=True)
        )

    def numbers(self) -> Numbers:
        return Numbers(
            ("group", "series", "value", "interval"),
            tuple(
                (self.groups[at], name, fixed(row[at].value), _bounds(row[at]))
                for at in range(len(self.groups))
                for name, row in zip(self.series, self.bars, strict=True)
            ),
        )


class Latency(Struct, frozen=True, kw_only=True):
    """The waiting times of one revision, in seconds."""

    name: str
    p50_s: float
    p95_s: float
    p99_s: float


class LatencyBars(Struct, frozen=True, kw_only=True):
    """One bar per revision: solid to the median, lighter to p95 and p99, against the limit for p99."""

    title: str
    rows: tuple[Latency, ...]
    limit_s: float = math.nan

    def draw(self, width: int = 720) -> Svg:
        narrow = width < NARROW
        step, left = (52, 8.0) if narrow else (36, min(gutter(row.name for row in self.rows) + 8, width * 0.3))
        top = 22.0
        height = top + step * len(self.rows) + 24
        _, high = extent([0.0, *(row.p99_s for row in self.rows), self.limit_s], pad=0.12)
        scale = Scale(0.0, high, left, width - 84)
        bottom = height - 24
        places = ticks(0.0, high, 3 if narrow else 5)
        parts: list[str] = [
            line((scale.at(value), top), (scale.at(value), bottom), "grid")
            + label(duration(value) if value else "0", scale.at(value), bottom + 16, "tick", "middle")
            for value in places
        ]
        parts = [Svg(part) for part in parts]
        parts += [self._row(row, scale, top + step * index, narrow=narrow) for index, row in enumerate(self.rows)]
        if math.isfinite(self.limit_s):
            x = scale.at(self.limit_s)
            parts += [line((x, top), (x, bottom), "threshold")]
            parts += [label(f"limit {duration(self.limit_s)}", x, top - 8, "threshold-name", "middle")]
        return sheet(Sheet(title=self.title, words=self.words(), width=width, height=height, kind="latency"), *parts)

    def _row(self, row: Latency, scale: Scale, top: float, *, narrow: bool) -> Svg:
        y = top + (24 if narrow else 9)
        steps = [(row.p99_s, "bar is-faint"), (row.p95_s, "bar is-light"), (row.p50_s, "bar")]
        bars = [
            tag(
                "rect",
                x=scale.start,
                y=y,
                width=max(scale.held(value) - scale.start, 1),
                height=18,
                class_=class_,
            )
            for value, class_ in steps
        ]
        name = shorten(row.name, scale.start - 12 if not narrow else scale.end)
        at = (scale.start, top + 17, None) if narrow else (scale.start - 10, y + 13, "end")
        return group(
            linked(
                Svg(
                    label(name, at[0], at[1], "row-name", at[2])
                    + "".join(bars)
                    + label(duration(row.p99_s), scale.held(row.p99_s) + 6, y + 13, "value")
                ),
                "",
                _latency_says(row),
            ),
            class_="series-1",
        )

    def words(self) -> str:
        limit = f" The limit for p99 is {duration(self.limit_s)}." if math.isfinite(self.limit_s) else ""
        return "; ".join(_latency_says(row) for row in self.rows) + "." + limit

    def numbers(self) -> Numbers:
        rows = tuple((row.name, duration(row.p50_s), duration(row.p95_s), duration(row.p99_s)) for row in self.rows)
        return Numbers(("revision", "p50", "p95", "p99"), rows)


def _latency_says(row: Latency) -> str:
    return f"{row.name}: p50 {duration(row.p50_s)}, p95 {duration(row.p95_s)}, p99 {duration(row.p99_s)}"


def _read(value: float) -> str:
    """A share with its zeros, as all of them are read against each other; a larger number as it is."""
    return fixed(value) if abs(value) < 10 else number(value)


def _bounds(bar: Bar) -> str:
    return interval(bar.low, bar.high) if math.isfinite(bar.low) and math.isfinite(bar.high) else ""
