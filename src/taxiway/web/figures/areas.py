"""Stacked areas: an endpoint's traffic by revision."""

from msgspec import Struct

from taxiway.web.figures.axes import (
    NARROW,
    Plot,
    Scale,
    extent,
    gutter,
    hover_points,
    legend,
    series_class,
    tick_texts,
    ticks,
    time_text,
    time_ticks,
    x_axis,
    y_axis,
)
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, sheet, tag
from taxiway.web.numbers import number


class Area(Struct, frozen=True):
    name: str
    values: tuple[float, ...]  # one for each moment, >= 0


class StackedAreas(Struct, frozen=True, kw_only=True):
    """Layers from the bottom up over shared moments (seconds since 1970, rising)."""

    title: str
    moments: tuple[float, ...]
    areas: tuple[Area, ...]
    y_name: str = ""
    height: float = 240

    def draw(self, width: int = 720) -> Svg:
        names = [(series_class(index), area.name) for index, area in enumerate(self.areas)]
        key, key_height = legend(names, width, 14)
        _, high = extent([0.0, *self.totals()], pad=0.06)
        found = ticks(0.0, high, 4)
        texts = tick_texts(found)
        low, last = extent(self.moments)
        plot = Plot(
            Scale(low, last, gutter(texts), width - 12),
            Scale(0.0, high, self.height - 26, 14 + key_height + (16 if self.y_name else 0)),
        )
        return sheet(
            Sheet(title=self.title, words=self.words(), width=width, height=self.height, kind="areas"),
            key,
            y_axis(plot, found, texts, self.y_name),
            *(self._layer(index, plot) for index in range(len(self.areas))),
            x_axis(plot, time_ticks(low, last, 4 if width < NARROW else 8)),
            tag("line", class_="crosshair", x1=0, x2=0, y1=plot.top, y2=plot.bottom),
        )

    def totals(self, upto: int | None = None) -> list[float]:
        """The height of the stack at each moment, of all layers or of the first `upto`."""
        layers = self.areas[:upto]
        return [sum(area.values[index] for area in layers) for index in range(len(self.moments))]

    def _layer(self, index: int, plot: Plot) -> Svg:
        lower, upper = self.totals(index), self.totals(index + 1)
        places = [plot.x.at(moment) for moment in self.moments]
        there = [f"{x:.1f} {plot.y.at(y):.1f}" for x, y in zip(places, upper, strict=True)]
        back = [f"{x:.1f} {plot.y.at(y):.1f}" for x, y in zip(places, lower, strict=True)][::-1]
        seen = [
            (x, plot.y.at(y), time_text(moment), number(value))
            for x, y, moment, value in zip(places, upper, self.moments, self.areas[index].values, strict=True)
        ]
        return group(
            tag("path", d=f"M{'L'.join(there + back)}Z", class_="layer") if places else "",
            class_=f"series {series_class(index)}",
            data_name=self.areas[index].name,
            data_points=hover_points(seen),
        )

    def words(self) -> str:
        parts = [f"{area.name}: {number(sum(area.values))} in all" for area in self.areas]
        return "; ".join(parts) + "."

    def numbers(self) -> Numbers:
        rows = tuple(
            (time_text(moment), *(number(area.values[index]) for area in self.areas))
            for index, moment in enumerate(self.moments)
        )
        return Numbers(("time", *(area.name for area in self.areas)), rows)
