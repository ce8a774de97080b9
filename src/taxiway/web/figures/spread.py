"""One histogram with marks: how measurements are spread, where their quantiles lie, and what is asked of them."""

import math

from msgspec import Struct

from taxiway.web.figures.axes import Plot, Scale, extent, gutter, series_class, tick_texts, ticks, x_axis, y_axis
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, line, linked, sheet, tag, text_width
from taxiway.web.numbers import number

TOP, ROW = 14.0, 18.0


class Mark(Struct, frozen=True):
    """A value with a name, such as p99."""

    name: str
    value: float


class SpreadHistogram(Struct, frozen=True, kw_only=True):
    """Counts per bin; edges has one more than counts. limit: what is asked, drawn where it lies within the axis."""

    title: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    marks: tuple[Mark, ...] = ()
    unit: str = ""
    limit: float = math.nan
    height: float = 220

    def draw(self, width: int = 720) -> Svg:
        _, most = extent([0.0, *map(float, self.counts)], pad=0.05)
        found = ticks(0.0, most, 4)
        texts = tick_texts(found)
        first, last = (self.edges[0], self.edges[-1]) if self.edges else (0.0, 1.0)
        asked = [Mark("asked", self.limit)] if math.isfinite(self.limit) and self.limit <= last * 1.5 else []
        if asked:
            last = max(last, self.limit * 1.04)
        top = TOP + ROW * (len(self.marks) + len(asked))
        plot = Plot(Scale(first, last, gutter(texts), width - 14), Scale(0.0, most, self.height - 42, top))
        places = ticks(first, last, 4 if width < 520 else 7)
        named = list(zip(places, tick_texts(places), strict=True))
        bars = [self._bar(index, plot) for index in range(len(self.counts))]
        marks = [self._mark(mark, TOP + ROW * i, plot, "whisker") for i, mark in enumerate(self.marks)]
        marks += [self._mark(mark, TOP + ROW * len(self.marks), plot, "threshold") for mark in asked]
        paper = Sheet(title=self.title, words=self.words(), width=width, height=self.height, kind="spread")
        return sheet(paper, y_axis(plot, found, texts), *bars, x_axis(plot, named, self.unit), *marks)

    def _bar(self, index: int, plot: Plot) -> Svg:
        left, right = plot.x.at(self.edges[index]), plot.x.at(self.edges[index + 1])
        top = plot.y.at(self.counts[index])
        wide = max(right - left - 1, 0.5)
        bar = tag("rect", x=left, y=top, width=wide, height=plot.bottom - top, class_="bar is-light")
        whole = tag("rect", x=left, y=plot.top, width=right - left, height=plot.bottom - plot.top, class_="catch")
        return group(linked(Svg(bar + whole), "", self.says(index)), class_=series_class(0))

    def _mark(self, mark: Mark, y: float, plot: Plot, kind: str) -> Svg:
        x, text = plot.x.held(mark.value), f"{mark.name} {self._value(mark.value)}"
        is_left = x + 6 + text_width(text) > plot.right
        said = label(text, x - 6 if is_left else x + 6, y + 4, "threshold-name", "end" if is_left else None)
        return Svg(line((x, y - 6), (x, plot.bottom), kind) + said)

    def _value(self, value: float) -> str:
        return f"{number(value)}\N{NO-BREAK SPACE}{self.unit}" if self.unit else number(value)

    def says(self, index: int) -> str:
        last = " and more" if index == len(self.counts) - 1 else ""
        span = f"{number(self.edges[index])} to {self._value(self.edges[index + 1])}{last}"
        return f"{span}: {number(self.counts[index])}"

    def words(self) -> str:
        marks = ", ".join(f"{mark.name} {self._value(mark.value)}" for mark in self.marks)
        asked = f", asked {self._value(self.limit)}" if math.isfinite(self.limit) else ""
        return f"{number(sum(self.counts))} measurements: {marks}{asked}."

    def numbers(self) -> Numbers:
        edges = self.edges
        rows = tuple(
            (f"{number(edges[i])} to {self._value(edges[i + 1])}", number(n)) for i, n in enumerate(self.counts) if n
        )
        return Numbers(("between", "how many"), rows)
