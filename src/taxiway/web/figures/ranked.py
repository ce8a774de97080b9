"""Named values under each other on one scale, each with its interval: what counts most is on top."""

import math

from msgspec import Struct

from taxiway.web.figures.axes import NARROW, Scale, extent, gutter, series_class, tick_texts, ticks
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, line, linked, sheet, shorten, tag, text_width
from taxiway.web.numbers import interval, number

STEP, NARROW_STEP = 28.0, 44.0


class Row(Struct, frozen=True):
    """A value with its interval."""

    name: str
    value: float
    low: float = math.nan
    high: float = math.nan


class RankedBars(Struct, frozen=True, kw_only=True):
    """Rows in the order that they are given. limit: what all of them are held against; unit: of the values."""

    title: str
    rows: tuple[Row, ...]
    unit: str = ""
    limit: float = math.nan

    def draw(self, width: int = 720) -> Svg:
        narrow = width < NARROW
        step = NARROW_STEP if narrow else STEP
        left = 12.0 if narrow else min(gutter(row.name for row in self.rows) + 8, width * 0.34)
        top = 22.0 if math.isfinite(self.limit) else 6.0
        bottom = top + step * len(self.rows) + 4
        values = [value for row in self.rows for value in (row.value, row.low, row.high)]
        lowest, highest = extent([0.0, *values, self.limit], pad=0.06)
        low = lowest if any(value < 0 for value in values) else 0.0
        scale = Scale(low, highest, left, width - 62)
        places = ticks(low, highest, 3 if narrow else 5)
        grid = [
            Svg(
                line((scale.at(at), top), (scale.at(at), bottom), "grid")
                + label(text, scale.at(at), bottom + 16, "tick", "middle")
            )
            for at, text in zip(places, tick_texts(places), strict=True)
        ]
        rows = [self._row(row, scale, top + step * index, narrow=narrow) for index, row in enumerate(self.rows)]
        paper = Sheet(title=self.title, words=self.words(), width=width, height=bottom + 24, kind="ranked")
        return sheet(paper, *grid, *rows, self._limit(scale, top, bottom))

    def _row(self, row: Row, scale: Scale, top: float, *, narrow: bool) -> Svg:
        y = top + (22 if narrow else 6)
        start, end = sorted((scale.held(0.0), scale.held(row.value)))
        parts = [tag("rect", x=start, y=y, width=max(end - start, 1), height=16, class_="bar")]
        furthest = end
        if math.isfinite(row.low) and math.isfinite(row.high):
            ends = scale.held(row.low), scale.held(row.high)
            parts.append(line((ends[0], y + 8), (ends[1], y + 8), "whisker"))
            parts += [line((x, y + 4), (x, y + 12), "whisker") for x in ends]
            furthest = max(furthest, ends[1])
        name = shorten(row.name, scale.end if narrow else scale.start - 12)
        at = (scale.start, top + 15, None) if narrow else (scale.start - 10, y + 12, "end")
        parts.append(label(name, at[0], at[1], "row-name", at[2]))
        parts.append(label(number(row.value), furthest + 6, y + 12, "value"))
        return group(linked(Svg("".join(parts)), "", self.says(row)), class_=series_class(0))

    def _limit(self, scale: Scale, top: float, bottom: float) -> Svg:
        if not math.isfinite(self.limit):
            return Svg("")
        x, text = scale.at(self.limit), f"asked: {number(self.limit)}{self._unit}"
        half = text_width(text) / 2
        middle = min(max(x, half), scale.end + 56 - half)
        return Svg(line((x, top), (x, bottom), "threshold") + label(text, middle, top - 8, "threshold-name", "middle"))

    @property
    def _unit(self) -> str:
        return f"\N{NO-BREAK SPACE}{self.unit}" if self.unit else ""

    def says(self, row: Row) -> str:
        return f"{row.name}: {number(row.value)}{self._unit} {bounds(row)}".rstrip()

    def words(self) -> str:
        asked = f" Asked: {number(self.limit)}{self._unit}." if math.isfinite(self.limit) else ""
        return "; ".join(self.says(row) for row in self.rows) + "." + asked

    def numbers(self) -> Numbers:
        rows = tuple((row.name, f"{number(row.value)}{self._unit}", bounds(row)) for row in self.rows)
        return Numbers(("name", "value", "interval"), rows)


def bounds(row: Row) -> str:
    return interval(row.low, row.high) if math.isfinite(row.low) and math.isfinite(row.high) else ""
