"""Sparklines: the course of one metric in the height of a table row."""

import math

from msgspec import Struct

from taxiway.web.figures.axes import Plot, Scale, extent, series_class
from taxiway.web.figures.lines import stretches, thin, track
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, sheet, tag
from taxiway.web.numbers import number


class Sparkline(Struct, frozen=True, kw_only=True):
    """Evenly spaced values; one that is not finite breaks the line."""

    title: str
    values: tuple[float, ...]

    def draw(self, width: int = 96) -> Svg:
        height = 24
        low, high = extent(self.values)
        plot = Plot(Scale(0, max(len(self.values) - 1, 1), 3, width - 4), Scale(low, high, height - 4, 4))
        points = thin([(float(index), value) for index, value in enumerate(self.values)], width // 2)
        runs = stretches(points)
        parts = [tag("path", d=track(run, plot), class_="line") for run in runs if len(run) > 1]
        if runs:
            x, y = runs[-1][-1]
            parts.append(tag("circle", cx=plot.x.at(x), cy=plot.y.at(y), r=2.5, class_="dot"))
        paper = Sheet(title=self.title, words=self.words(), width=width, height=height, kind="sparkline", is_fixed=True)
        return sheet(paper, group(*parts, class_=series_class(0)))

    def words(self) -> str:
        finite = [value for value in self.values if math.isfinite(value)]
        if not finite:
            return "No finite values."
        return f"From {number(finite[0])} to {number(finite[-1])} over {len(self.values)} points."

    def numbers(self) -> Numbers:
        rows = tuple((str(index), number(value, 4)) for index, value in enumerate(self.values))
        return Numbers(("point", "value"), rows)
