"""Waterfalls: the steps of one request under each other, each where it began and as long as it took."""

from msgspec import Struct

from taxiway.web.figures.axes import NARROW, SERIES, Scale, gutter, legend, series_class, ticks
from taxiway.web.figures.marks import shape
from taxiway.web.figures.svg import Numbers, Sheet, Svg, group, label, line, linked, sheet, shorten, tag, text_width
from taxiway.web.numbers import duration

STEP, NARROW_STEP = 26.0, 40.0
INDENT = 12.0
DEEPEST = 12  # further steps are not moved in


class Step(Struct, frozen=True, kw_only=True):
    """One step. after_s: since the beginning; took_s None where it did not end. depth: how far within others."""

    name: str
    after_s: float
    took_s: float | None = None
    depth: int = 0
    kind: str = ""
    is_failed: bool = False
    url: str = ""


class Waterfall(Struct, frozen=True, kw_only=True):
    """Steps in the order that they are to be read, parents before children."""

    title: str
    steps: tuple[Step, ...]

    def draw(self, width: int = 720) -> Svg:
        narrow = width < NARROW
        kinds = list(dict.fromkeys(step.kind for step in self.steps))
        colours = {kind: series_class(index) for index, kind in enumerate(kinds)}
        names = [(colours[kind], kind or "other") for kind in kinds[: SERIES + 1]]
        key, top = legend(names, width, 14) if len(kinds) > 1 else (Svg(""), 4.0)
        top += 6 if len(kinds) > 1 else 0
        height_of = NARROW_STEP if narrow else STEP
        widest = gutter(step.name for step in self.steps) + INDENT * max((self._in(s) for s in self.steps), default=0)
        left = 4.0 if narrow else min(widest + 8, width * 0.34)
        bottom = top + height_of * len(self.steps) + 6
        end = max((step.after_s + (step.took_s or 0) for step in self.steps), default=0.0)
        scale = Scale(0.0, end or 1e-9, left, width - 72)
        parts = [
            Svg(
                line((scale.at(at), top), (scale.at(at), bottom), "grid")
                + label(duration(at) if at else "0", scale.at(at), bottom + 16, "tick", "middle")
            )
            for at in ticks(0.0, scale.high, 3 if narrow else 5)
        ]
        for index, step in enumerate(self.steps):
            row = self._row(step, scale, top + index * height_of, narrow=narrow)
            parts.append(group(row, class_=colours[step.kind]))
        paper = Sheet(
            title=self.title,
            words=self.words(),
            width=width,
            height=bottom + 26,
            kind="waterfall",
            has_links=any(step.url for step in self.steps),
        )
        return sheet(paper, key, *parts)

    def _in(self, step: Step) -> int:
        return min(step.depth, DEEPEST)

    def _row(self, step: Step, scale: Scale, top: float, *, narrow: bool) -> Svg:
        moved = INDENT * self._in(step)
        y = top + (20 if narrow else 5)
        start = scale.held(step.after_s)
        long = max(scale.held(step.after_s + (step.took_s or 0)) - start, 2.0)
        room = (scale.end - moved if narrow else scale.start - 12 - moved) - (16 if step.is_failed else 0)
        at, base = (4.0 + moved, top + 14) if narrow else (moved, y + 12)
        mark = shape("fail", at + 6, base - 4, 0.8) if step.is_failed else Svg("")
        took = "not ended" if step.took_s is None else duration(step.took_s)
        is_left = start + long + 6 + text_width(took) > scale.end + 70
        value = label(took, start - 6 if is_left else start + long + 6, y + 12, "value", "end" if is_left else None)
        bar = tag("rect", x=start, y=y, width=long, height=14, rx=2, class_="bar" if step.took_s else "bar is-light")
        name = label(shorten(step.name, max(room, 20)), at + (16 if step.is_failed else 0), base, "row-name")
        return linked(Svg(mark + name + bar + value), step.url, says(step))

    def words(self) -> str:
        if not self.steps:
            return "No steps."
        slowest = max(self.steps[1:] or self.steps, key=lambda step: step.took_s or 0)
        failed = sum(step.is_failed for step in self.steps)
        ended = f" {failed} of them failed." if failed else ""
        count = f"{len(self.steps)} steps" if len(self.steps) > 1 else "One step"
        took = duration(slowest.took_s) if slowest.took_s is not None else "unknown time"
        return f"{count}.{ended} The longest within it, {slowest.name}, took {took}."

    def numbers(self) -> Numbers:
        rows = tuple(
            (
                "\N{NO-BREAK SPACE}" * 2 * step.depth + step.name,
                step.kind,
                duration(step.after_s),
                "not ended" if step.took_s is None else duration(step.took_s),
                "failed" if step.is_failed else "",
            )
            for step in self.steps
        )
        return Numbers(("step", "kind", "after", "took", "outcome"), rows)


def says(step: Step) -> str:
    took = "did not end" if step.took_s is None else f"took {duration(step.took_s)}"
    failed = " and failed" if step.is_failed else ""
    return f"{step.name}: {took}{failed}, {duration(step.after_s)} after the beginning"
