"""ROC curves of some runs on one square."""

from msgspec import Struct

from taxiway.web.figures.axes import NARROW, Plot, Scale, hover_points, legend, series_class, x_axis, y_axis
from taxiway.web.figures.lines import thin, track
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, line, sheet, tag
from taxiway.web.numbers import fixed

_PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
_TEXTS = ("0", "0.25", "0.5", "0.75", "1")


class Roc(Struct, frozen=True, kw_only=True):
    """One run's curve: (false positive rate, true positive rate), rising; area under it; where it decides."""

    name: str
    points: tuple[tuple[float, float], ...]
    area: float
    decides_at: tuple[float, float] | None = None


class RocCurves(Struct, frozen=True, kw_only=True):
    title: str
    curves: tuple[Roc, ...]

    def draw(self, width: int = 420) -> Svg:
        side = min(width, 460)
        names = [
            (series_class(index), f"{curve.name} · area {fixed(curve.area)}") for index, curve in enumerate(self.curves)
        ]
        key, key_height = legend(names, side, 14)
        left, top = 40.0, 30 + key_height
        reach = side - left - 12
        height = top + reach + 42
        plot = Plot(Scale(0, 1, left, left + reach), Scale(0, 1, top + reach, top))
        every = 2 if width < NARROW / 2 else 1
        return sheet(
            Sheet(title=self.title, words=self.words(), width=side, height=height, kind="roc"),
            key,
            y_axis(plot, _PLACES[::every], _TEXTS[::every], "true positive rate"),
            x_axis(plot, tuple(zip(_PLACES, _TEXTS, strict=True))[::every], "false positive rate"),
            line((plot.left, plot.bottom), (plot.right, plot.top), "chance"),
            *(_curve(curve, index, plot) for index, curve in enumerate(self.curves)),
            tag("line", class_="crosshair", x1=0, x2=0, y1=plot.top, y2=plot.bottom),
        )

    def words(self) -> str:
        return "; ".join(f"{curve.name}: area under the curve {fixed(curve.area)}" for curve in self.curves) + "."

    def numbers(self) -> Numbers:
        rows = [(curve.name, fixed(x), fixed(y)) for curve in self.curves for x, y in thin(curve.points, 20)]
        return Numbers(("run", "false positive rate", "true positive rate"), tuple(rows))


def _curve(curve: Roc, index: int, plot: Plot) -> Svg:
    points = thin(curve.points, 200)
    parts = [tag("path", d=track(points, plot), class_="line")] if points else []
    if curve.decides_at is not None:
        x, y = curve.decides_at
        parts.append(tag("circle", cx=plot.x.at(x), cy=plot.y.at(y), r=4.5, class_="dot"))
    seen = [(plot.x.at(x), plot.y.at(y), f"false positives {fixed(x)}", fixed(y)) for x, y in points]
    return group(*parts, class_=f"series {series_class(index)}", data_name=curve.name, data_points=hover_points(seen))
