"""Line charts: metric curves and performance over time, with intervals, thresholds and events."""

import math
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from taxiway.web.figures.axes import (
    NARROW,
    SERIES,
    LogScale,
    Plot,
    Scale,
    extent,
    gutter,
    hover_points,
    legend,
    log_extent,
    log_ticks,
    series_class,
    spread,
    tick_texts,
    ticks,
    time_text,
    time_ticks,
    x_axis,
    y_axis,
)
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, line, linked, sheet, tag, text_width
from taxiway.web.numbers import interval, number

Point = tuple[float, float]
INSET = 20  # px between the ends of the axis and the first and last dot


class Line(Struct, frozen=True, kw_only=True):
    """One series, x rising. A point that is not finite breaks the line. low and high, if given, twin the points.

    colour: the index of the series whose colour it has; by default its own place. is_faint: what a stronger line of
    the same colour was smoothed from; it has no name of its own in the drawing.
    """

    name: str
    points: tuple[Point, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    is_estimate: bool = False  # drawn dashed: what was expected, not what was measured
    is_faint: bool = False
    colour: int | None = None


class Threshold(Struct, frozen=True):
    value: float
    name: str = "limit"


class Event(Struct, frozen=True, kw_only=True):
    """Something that happened: a deployment, an alert, a retraining."""

    x: float
    name: str
    kind: Literal["alert", "deploy", "retrain", "note"] = "note"
    url: str = ""


class LineChart(Struct, frozen=True, kw_only=True):
    """x counts steps, or seconds since 1970 when `is_time`. On a logarithmic axis only positive values are drawn.

    height: without the key, which comes on top of it.
    """

    title: str
    lines: tuple[Line, ...]
    thresholds: tuple[Threshold, ...] = ()
    events: tuple[Event, ...] = ()
    x_name: str = ""
    y_name: str = ""
    is_time: bool = False
    height: float = 280
    has_dots: bool = False  # a dot on every point, for windows rather than curves
    is_scattered: bool = False  # dots alone: x counts things that follow on nothing, such as folds
    nothing: str = ""  # said in the plot, in place of an axis, where every value is 0
    places: tuple[tuple[float, str], ...] = ()  # the ticks of x with their texts; by default round ones
    is_log: bool = False

    @property
    def named(self) -> list[tuple[int, Line]]:
        """The lines that have names in the drawing, with the index of their colour."""
        return [(colour_of(index, each), each) for index, each in enumerate(self.lines) if not each.is_faint]

    def _key(self) -> list[tuple[str, str]]:
        """What the key lists: those that share a colour with others are only counted, the hover tells their names."""
        coloured = [(colour, each) for colour, each in self.named if colour < SERIES]
        others = len(self.named) - len(coloured)
        listed = coloured if coloured and others > 1 else self.named
        more = [(series_class(SERIES), f"{others} more")] if len(listed) < len(self.named) else []
        return [(series_class(colour), each.name) for colour, each in listed] + more

    def _from_below(self) -> list[tuple[int, Line]]:
        """The lines with their indexes, those without a colour of their own first, so that they cover no other."""
        return sorted(enumerate(self.lines), key=lambda pair: colour_of(*pair) < SERIES)

    def draw(self, width: int = 720) -> Svg:
        count = len(self.named)
        direct = width >= NARROW and 1 <= count <= 6
        key, key_height = (Svg(""), 0.0)
        if count > 1 and not direct:
            key, key_height = legend(self._key(), width, 14)
        is_beside = width >= NARROW
        head, head_height = (Svg(""), 0.0)
        if self.thresholds and not is_beside:
            head, head_height = limits_head(self.y_name, self.thresholds, width, 14 + key_height)
        plot, values, texts = self._plot(width, key_height, head_height, direct)
        return sheet(
            Sheet(
                title=self.title,
                words=self.words(),
                width=width,
                height=self.height + key_height,
                kind="lines",
                has_links=any(event.url for event in self.events),
            ),
            key,
            head,
            y_axis(plot, values, texts, "" if head else self.y_name),
            label(self.nothing, (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2, "tick", "middle")
            if self.says_nothing
            else "",
            x_axis(plot, self._x_places(plot, 4 if width < NARROW else 8), self.x_name),
            group(*self._events(plot), class_="events"),
            *(draw_line(each, index, plot, self) for index, each in self._from_below()),
            self._thresholds(plot, is_named=is_beside),
            self._end_labels(plot) if direct and count > 1 else "",
            tag("line", class_="crosshair", x1=0, x2=0, y1=plot.top, y2=plot.bottom),
        )

    @property
    def says_nothing(self) -> bool:
        return bool(self.nothing) and all(y == 0 for each in self.lines for _, y in each.points)

    def _plot(
        self, width: int, key_height: float, head_height: float, direct: bool
    ) -> tuple[Plot, tuple[float, ...], tuple[str, ...]]:
        ys = [y for each in self.lines for _, y in each.points]
        ys += [y for each in self.lines for y in (*each.low, *each.high)]
        ys += [threshold.value for threshold in self.thresholds]
        low, high = log_extent(ys) if self.is_log else extent(ys, pad=0.06)
        values = log_ticks(low, high) if self.is_log else ticks(low, high, 5)
        values = (0.0,) if self.says_nothing else values
        texts = tuple(number(value, 2) for value in values) if self.is_log else tick_texts(values)
        beside = [text_width(each.name) for _, each in self.named] if direct and len(self.named) > 1 else []
        beside += [text_width(limit_text(limit)) for limit in self.thresholds] if width >= NARROW else []
        right = width - (min(max(beside) + 24, 190) if beside else 12)
        x_low, x_high = extent([x for each in self.lines for x, _ in each.points] + [event.x for event in self.events])
        left = gutter(texts)
        if self.has_dots or self.is_scattered:  # so that no dot stands on the edge of the plot
            room = (x_high - x_low) * INSET / max(right - left - 2 * INSET, 1)
            x_low, x_high = x_low - room, x_high + room
        across = Scale(x_low, x_high, left, right)
        rows = max(self._rows(across), default=-1) + 1
        has_head = bool(self.thresholds) and width < NARROW  # where the name of the axis stands, too
        top = (
            14 + key_height + head_height + (16 if self.y_name and not has_head else 0) + (4 + 14 * rows if rows else 0)
        )
        bottom = self.height + key_height - (42 if self.x_name else 26)
        upward = (LogScale if self.is_log else Scale)(low, high, bottom, top)
        return Plot(across, upward), values, texts

    def _x_places(self, plot: Plot, count: int) -> tuple[tuple[float, str], ...]:
        if self.places:
            return self.places
        if self.is_time:
            return time_ticks(plot.x.low, plot.x.high, count)
        found = ticks(plot.x.low, plot.x.high, count)
        if all(float(x).is_integer() for each in self.lines for x, _ in each.points):  # there is no step 2.5
            found = tuple(x for x in found if x.is_integer()) or found
        return tuple(zip(found, tick_texts(found), strict=True))

    def x_text(self, x: float) -> str:
        return time_text(x) if self.is_time else f"{self.x_name or 'step'} {number(x, 4)}"

    def _rows(self, across: Scale) -> list[int]:
        """For each event the row in which its name stands above the plot, 0 the lowest.

        From right to left, so that no event's line runs through the name of another.
        """
        taken: list[list[tuple[float, float]]] = []
        rows = []
        for event in reversed(self.events):
            x, wide = across.held(event.x), text_width(event.name)
            low, high = (x, x + 13 + wide) if fits_right(event, across) else (x - 5 - wide, x + 9)
            free = (i for i, row in enumerate(taken) if all(high + 6 < start or low > end + 6 for start, end in row))
            row = next(free, len(taken))
            if row == len(taken):
                taken.append([])
            taken[row].append((low, high))
            rows.append(row)
        return rows[::-1]

    def _events(self, plot: Plot) -> list[Svg]:
        return [self._event(event, plot, row) for event, row in zip(self.events, self._rows(plot.x), strict=True)]

    def _event(self, event: Event, plot: Plot, row: int) -> Svg:
        x, top = plot.x.held(event.x), plot.top - 14 * row
        is_right = fits_right(event, plot.x)
        flag = group(
            line((x, top - 14), (x, plot.bottom), "event-line"),
            tag("path", d=f"M{x:.1f} {top - 20:.1f}h9l-3 4l3 4h-9z", class_="event-flag"),
            label(event.name, x + (13 if is_right else -5), top - 11, "label", None if is_right else "end"),
        )
        return group(linked(flag, event.url, f"{event.name}, {self.x_text(event.x)}"), class_=f"event-{event.kind}")

    def _thresholds(self, plot: Plot, *, is_named: bool) -> Svg:
        """Dashed lines across the plot, their names with the values to the right of it unless they stand above it."""
        limits = [limit for limit in self.thresholds if not math.isnan(limit.value)]
        heights = [plot.y.held(limit.value) for limit in limits]
        lines_ = [line((plot.left, y), (plot.right, y), "threshold") for y in heights]
        if not is_named:
            return group(*lines_)
        places = spread([y + 4 for y in heights], 15, plot.top + 4, plot.bottom)
        left = plot.right + 8
        names = [label(limit_text(limit), left, y, "threshold-name") for limit, y in zip(limits, places, strict=True)]
        return group(*lines_, *names)

    def _end_labels(self, plot: Plot) -> Svg:
        ends = []
        for index, each in self.named:
            finite = [point for point in each.points if math.isfinite(point[1])]
            if finite:
                ends.append((index, each.name, plot.x.at(finite[-1][0]), plot.y.at(finite[-1][1])))
        places = spread([end[3] for end in ends], 15, plot.top + 4, plot.bottom)
        return group(
            *(
                group(
                    tag("circle", cx=plot.right + 8, cy=y, r=3.5, class_="dot"),
                    label(name, plot.right + 16, y + 4, "label"),
                    class_=series_class(index),
                )
                for (index, name, _, _), y in zip(ends, places, strict=True)
            ),
            class_="end-labels",
        )

    def words(self) -> str:
        parts = []
        for each in self.lines:
            if each.is_faint:
                continue
            finite = [y for _, y in each.points if math.isfinite(y)]
            if finite:
                span = f"from {number(finite[0])} to {number(finite[-1])}, lowest {number(min(finite))}"
                parts.append(f"{each.name}: {span}, highest {number(max(finite))}.")
            else:
                parts.append(f"{each.name}: no finite values.")
        parts += [f"Threshold {limit.name}: {number(limit.value)}." for limit in self.thresholds]
        parts += [f"{event.name} at {self.x_text(event.x)}." for event in self.events]
        return " ".join(parts)

    def numbers(self) -> Numbers:
        rows = []
        for each in self.lines:
            for index, (x, y) in enumerate(each.points):
                bounds = interval(each.low[index], each.high[index]) if each.low else ""
                rows.append((each.name, self.x_text(x), number(y, 4), bounds))
        return Numbers(
            ("series", self.x_name or ("time" if self.is_time else "step"), "value", "interval"), tuple(rows)
        )


def colour_of(index: int, each: Line) -> int:
    return index if each.colour is None else each.colour


def stretches(points: Sequence[Point]) -> list[list[Point]]:
    """The points in unbroken runs: a point that is not finite ends one."""
    found: list[list[Point]] = [[]]
    for point in points:
        if math.isfinite(point[1]):
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def thin(points: Sequence[Point], columns: int) -> list[Point]:
    """At most two points per column, the lowest and the highest, so that no peak is lost.

    Points that are not finite are kept where they stand.
    """
    if len(points) <= columns * 2:
        return list(points)
    kept: list[Point] = []
    every = len(points) / columns
    for column in range(columns):
        chunk = points[round(column * every) : round((column + 1) * every)]
        finite = [point for point in chunk if math.isfinite(point[1])]
        if len(finite) < len(chunk):
            kept += [next(point for point in chunk if not math.isfinite(point[1]))]
        if finite:
            lowest, highest = min(finite, key=lambda p: p[1]), max(finite, key=lambda p: p[1])
            kept += sorted({lowest, highest})
    return kept


def track(points: Sequence[Point], plot: Plot) -> str:
    """The path data of one unbroken run."""
    return "M" + "L".join(f"{plot.x.at(x):.1f} {plot.y.at(y):.1f}" for x, y in points)


def draw_line(each: Line, index: int, plot: Plot, chart: LineChart) -> Svg:
    points = thin(each.points, max(int(plot.right - plot.left) // 2, 1))
    if chart.is_log:
        points = [(x, y if y > 0 else math.nan) for x, y in points]
    runs = stretches(points)
    parts = [_band(each, plot)] if each.low else []
    parts += [
        tag("path", d=track(run, plot), class_="line is-estimate" if each.is_estimate else "line")
        for run in runs
        if len(run) > 1 and not chart.is_scattered
    ]
    dotted = [point for run in runs if chart.has_dots or chart.is_scattered or len(run) == 1 for point in run]
    radius = 4.5 if chart.is_scattered else 3.5
    parts += [tag("circle", cx=plot.x.at(x), cy=plot.y.at(y), r=radius, class_="dot") for x, y in dotted]
    seen = [(plot.x.at(x), plot.y.at(y), chart.x_text(x), number(y, 4)) for x, y in points if math.isfinite(y)]
    kind = f"series {series_class(colour_of(index, each))}"
    if each.is_faint:
        return group(*parts, class_=f"{kind} is-faint")
    if colour_of(index, each) >= SERIES:  # nobody reads a hundred values at once, which would be most of the page
        return group(*parts, class_=kind, data_name=each.name)
    return group(*parts, class_=kind, data_name=each.name, data_points=hover_points(seen))


def _band(each: Line, plot: Plot) -> Svg:
    rows = [
        (x, low, high)
        for (x, _), low, high in zip(each.points, each.low, each.high, strict=True)
        if math.isfinite(low) and math.isfinite(high)
    ]
    if not rows:
        return Svg("")
    there = track([(x, high) for x, _, high in rows], plot)
    back = track([(x, low) for x, low, _ in reversed(rows)], plot)
    return tag("path", d=f"{there}L{back[1:]}Z", class_="band")


def limit_text(threshold: Threshold) -> str:
    return f"{threshold.name} {number(threshold.value)}"


def fits_right(event: Event, across: Scale) -> bool:
    """Whether there is room for the event's name to the right of it."""
    return across.held(event.x) + text_width(event.name) + 10 < across.end


def limits_head(y_name: str, limits: Sequence[Threshold], width: float, top: float) -> tuple[Svg, float]:
    """What stands above a plot that has no room for names in it, and its height: the axis's name, the dashed lines'.

    A name on its line would hide what is drawn there.
    """
    if not (y_name or limits):
        return Svg(""), 0.0
    parts = [label(y_name, 0, top + 4, "axis-name")] if y_name else []
    right, y = width - 12.0, top + 4
    taken = text_width(y_name) + 16 if y_name else 0.0
    for limit in limits:
        if math.isnan(limit.value):
            continue
        text = limit_text(limit)
        left = right - text_width(text) - 28
        if left < taken:
            right, y, taken = width - 12.0, y + 18, 0.0
            left = max(right - text_width(text) - 28, 0.0)
        parts += [line((left, y - 4), (left + 22, y - 4), "limit-swatch")]
        parts += [label(text, left + 28, y, "threshold-name")]
        right = left - 16
    return group(*parts, class_="head"), y - top + 12


def threshold_line(threshold: Threshold, plot: Plot) -> Svg:
    """A dashed line across the plot."""
    y = plot.y.held(threshold.value)
    return line((plot.left, y), (plot.right, y), "threshold")
