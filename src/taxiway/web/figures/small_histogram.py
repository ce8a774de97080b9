"""A histogram in the height of a table row: the shape of one column at a glance."""

from datetime import UTC, datetime

from msgspec import Struct

from taxiway.web.figures.axes import series_class
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, linked, sheet, tag
from taxiway.web.numbers import number

HEIGHT = 32.0
LEAST = 1.5  # px: a bin with a single row among a million is still seen


class SmallHistogram(Struct, frozen=True, kw_only=True):
    """Rows per bin; edges has one more than counts. is_time: the edges are seconds since 1970."""

    title: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    is_time: bool = False

    def draw(self, width: int = 120) -> Svg:
        most = max(self.counts, default=0) or 1
        step = width / max(len(self.counts), 1)
        bars = []
        for index, count in enumerate(self.counts):
            tall = max(count / most * (HEIGHT - 2), LEAST) if count else 0.0
            bar = tag("rect", x=index * step, y=HEIGHT - tall, width=max(step - 1, 0.5), height=tall, class_="bar")
            whole = tag("rect", x=index * step, y=0, width=step, height=HEIGHT, class_="catch")
            bars.append(linked(Svg(bar + whole), "", f"{self.bin_name(index)}: {number(count)}"))
        paper = Sheet(title=self.title, words=self.words(), width=width, height=HEIGHT, kind="sparkline", is_fixed=True)
        return sheet(paper, group(*bars, class_=series_class(0)))

    def bin_name(self, index: int) -> str:
        return f"{self._edge(index)} to {self._edge(index + 1)}"

    def _edge(self, index: int) -> str:
        value = self.edges[index]
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M}" if self.is_time else number(value)

    def words(self) -> str:
        if not any(self.counts):
            return "No rows."
        fullest = max(range(len(self.counts)), key=lambda index: self.counts[index])
        return (
            f"Most rows lie at {self.bin_name(fullest)}: {number(self.counts[fullest])} of {number(sum(self.counts))}."
        )

    def numbers(self) -> Numbers:
        rows = tuple((self.bin_name(index), number(count)) for index, count in enumerate(self.counts))
        return Numbers(("bin", "rows"), rows)
