"""Two histograms over the same bins, one laid over the other: what was expected and what came."""

from msgspec import Struct

from taxiway.web.figures.axes import (
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
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, linked, sheet, shorten, tag
from taxiway.web.numbers import number, share


class Histogram(Struct, frozen=True):
    name: str
    counts: tuple[float, ...]


class Histograms(Struct, frozen=True, kw_only=True):
    """Counts per bin, drawn as shares of each histogram. edges has one more than the bins; names name categories."""

    title: str
    expected: Histogram
    observed: Histogram
    edges: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    x_name: str = ""
    height: float = 240

    def draw(self, width: int = 720) -> Svg:
        pairs = [("series-0", self.expected.name), (series_class(0), self.observed.name)]
        key, key_height = legend(pairs, width, 14)
        both = (_shares(self.expected.counts), _shares(self.observed.counts))
        _, high = extent([0.0, *both[0], *both[1]], pad=0.05)
        found = ticks(0.0, high, 4)
        texts = [f"{text} %" for text in tick_texts([value * 100 for value in found])]
        bins = max(len(self.expected.counts), 1)
        plot = Plot(
            Scale(0, bins, gutter(texts), width - 12),
            Scale(0.0, high, self.height - (42 if self.x_name else 26), 30 + key_height),
        )
        return sheet(
            Sheet(title=self.title, words=self.words(), width=width, height=self.height, kind="histograms"),
            key,
            y_axis(plot, found, texts, "share of rows"),
            _expected(both[0], plot),
            *(self._bar(index, both, plot) for index in range(len(both[1]))),
            x_axis(plot, self._places(plot), self.x_name),
        )

    def _places(self, plot: Plot) -> list[tuple[float, str]]:
        if self.names:
            # Where they do not fit side by side the axis leaves some out: every third name says more than ten cut ones.
            room = max((plot.right - plot.left) / len(self.names) - 6, 72)
            return [(index + 0.5, shorten(name, room)) for index, name in enumerate(self.names)]
        return [(float(index), number(edge)) for index, edge in enumerate(self.edges)]

    def bin_name(self, index: int) -> str:
        if self.names:
            return self.names[index]
        return f"{number(self.edges[index])} to {number(self.edges[index + 1])}" if self.edges else f"bin {index + 1}"

    def _bar(self, index: int, both: tuple[list[float], list[float]], plot: Plot) -> Svg:
        left, right = plot.x.at(index), plot.x.at(index + 1)
        top = plot.y.at(both[1][index])
        gap = min((right - left) * 0.12, 6)
        bar = tag(
            "rect",
            x=left + gap,
            y=top,
            width=right - left - 2 * gap,
            height=plot.bottom - top,
            class_="bar is-light",
        )
        # The whole column answers the pointer, however low the bar is.
        whole = tag("rect", x=left, y=plot.top, width=right - left, height=plot.bottom - plot.top, class_="catch")
        says = f"{self.bin_name(index)}: {self.expected.name} {share(both[0][index])}"
        says = f"{says}, {self.observed.name} {share(both[1][index])}"
        return group(linked(Svg(bar + whole), "", says), class_=series_class(0))

    def words(self) -> str:
        both = (_shares(self.expected.counts), _shares(self.observed.counts))
        gaps = [observed - expected for expected, observed in zip(*both, strict=True)]
        if not gaps:
            return "No bins."
        most = max(range(len(gaps)), key=lambda index: abs(gaps[index]))
        return (
            f"{self.observed.name} against {self.expected.name}: they differ most at {self.bin_name(most)}, "
            f"{share(both[1][most])} against {share(both[0][most])} of rows."
        )

    def numbers(self) -> Numbers:
        both = (_shares(self.expected.counts), _shares(self.observed.counts))
        rows = [
            (self.bin_name(index), share(expected), share(observed))
            for index, (expected, observed) in enumerate(zip(*both, strict=True))
        ]
        return Numbers(("bin", self.expected.name, self.observed.name), tuple(rows))


def _expected(shares: list[float], plot: Plot) -> Svg:
    """The expected shares as a stepped outline, so that both stay visible where they cross."""
    steps = "".join(f"V{plot.y.at(value):.1f}H{plot.x.at(index + 1):.1f}" for index, value in enumerate(shares))
    outline = f"M{plot.left:.1f} {plot.bottom:.1f}{steps}V{plot.bottom:.1f}"
    return group(tag("path", d=outline, class_="outline"), class_="series-0")


def _shares(counts: tuple[float, ...]) -> list[float]:
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]
