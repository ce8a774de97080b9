"""Calibration curves: what was said against what came true, on one square."""

from msgspec import Struct

from taxiway.web.figures.axes import NARROW, Plot, Scale, legend, series_class, x_axis, y_axis
from taxiway.web.figures.lines import track
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, line, linked, sheet, tag
from taxiway.web.numbers import fixed, interval, number

_PLACES = (0.0, 0.25, 0.5, 0.75, 1.0)
_TEXTS = ("0", "0.25", "0.5", "0.75", "1")


class Bin(Struct, frozen=True, kw_only=True):
    """Rows of about the same score: the mean that was said, the share that came true, its interval, how many."""

    said: float
    observed: float
    low: float
    high: float
    rows: int


class Reliability(Struct, frozen=True, kw_only=True):
    """The bins of some rows, by rising score."""

    name: str
    bins: tuple[Bin, ...]


class ReliabilityCurves(Struct, frozen=True, kw_only=True):
    """The dotted diagonal is where what is said comes true."""

    title: str
    curves: tuple[Reliability, ...]

    def draw(self, width: int = 420) -> Svg:
        side = min(width, 460)
        names = [(series_class(index), curve.name) for index, curve in enumerate(self.curves)]
        key, key_height = legend(names, side, 14) if len(names) > 1 else (Svg(""), 0.0)
        left, top = 40.0, 30 + key_height
        reach = side - left - 12
        plot = Plot(Scale(0, 1, left, left + reach), Scale(0, 1, top + reach, top))
        every = 2 if width < NARROW / 2 else 1
        return sheet(
            Sheet(title=self.title, words=self.words(), width=side, height=top + reach + 42, kind="roc"),
            key,
            y_axis(plot, _PLACES[::every], _TEXTS[::every], "share that came true"),
            x_axis(plot, tuple(zip(_PLACES, _TEXTS, strict=True))[::every], "probability that was said"),
            line((plot.left, plot.bottom), (plot.right, plot.top), "chance"),
            *(_curve(curve, index, plot) for index, curve in enumerate(self.curves)),
        )

    def words(self) -> str:
        return "; ".join(
            f"{curve.name}: "
            + ", ".join(f"{number(bin_.said)} said, {number(bin_.observed)} true" for bin_ in curve.bins)
            for curve in self.curves
        )

    def numbers(self) -> Numbers:
        rows = [
            (curve.name, fixed(each.said), fixed(each.observed), interval(each.low, each.high), number(each.rows))
            for curve in self.curves
            for each in curve.bins
        ]
        return Numbers(("rows of", "said", "came true", "interval", "rows"), tuple(rows))


def _curve(curve: Reliability, index: int, plot: Plot) -> Svg:
    points = [(each.said, each.observed) for each in curve.bins]
    parts = [tag("path", d=track(points, plot), class_="line")] if len(points) > 1 else []
    for each in curve.bins:
        x = plot.x.at(each.said)
        says = f"{curve.name}: {number(each.said)} said, {number(each.observed)} {interval(each.low, each.high)} true"
        dot = tag("circle", cx=x, cy=plot.y.at(each.observed), r=3.5, class_="dot")
        whisker = line((x, plot.y.at(each.low)), (x, plot.y.at(each.high)), "whisker")
        parts.append(linked(Svg(whisker + dot), "", f"{says}, {each.rows:,} rows"))
    return group(*parts, class_=f"series {series_class(index)}")
