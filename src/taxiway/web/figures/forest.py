"""Forest plots: one row per check with its estimate, its interval, what was asked, and the verdict."""

import math
from typing import Literal

from msgspec import Struct

from taxiway.web.figures.axes import NARROW, Scale, extent, tick_texts, ticks
from taxiway.web.figures.marks import shape, verdict_word
from taxiway.web.figures.svg import (
    Numbers,
    Sheet,
    Svg,
    group,
    label,
    line,
    linked,
    sheet,
    shorten,
    tag,
    text_width,
)
from taxiway.web.numbers import interval, number


class Check(Struct, frozen=True, kw_only=True):
    """A measured check. Without an estimate only its verdict stands in the row."""

    name: str
    verdict: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    threshold: float = math.nan
    asks: Literal["at least", "at most"] = "at least"
    note: str = ""  # the unit, or the group it speaks of
    url: str = ""

    def has_interval(self) -> bool:
        """Whether both ends are known; one of them may be infinite."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    def says(self) -> str:
        """The row in words, as hover text and for readers of the description."""
        if not math.isfinite(self.estimate):
            return f"{self.name}: {verdict_word(self.verdict)}"
        bounds = f" {interval(self.low, self.high)}" if self.has_interval() else ""
        asked = f", {self.asks} {number(self.threshold)}" if math.isfinite(self.threshold) else ""
        return f"{self.name}: {number(self.estimate)}{bounds}{asked}: {verdict_word(self.verdict)}"


class ForestPlot(Struct, frozen=True, kw_only=True):
    """Checks of any scale: with `own_scales` each row has its own, centred on what the row holds."""

    title: str
    checks: tuple[Check, ...]
    own_scales: bool = True

    def draw(self, width: int = 720) -> Svg:
        narrow = width < NARROW
        head = 8 if narrow else 26
        heights = [_row_height(check, narrow) for check in self.checks]
        foot = 0 if self.own_scales else 24
        height = head + sum(heights) + foot
        names = max((text_width(check.name) for check in self.checks), default=0) + 34
        left = 22.0 if narrow else min(max(names, 140), width * 0.34)
        right = width - (2 if narrow else 196)
        rows = [
            self._row(check, left, right, head + sum(heights[:index]), narrow)
            for index, check in enumerate(self.checks)
        ]
        heads = [] if narrow else _heads(left, right)
        if not self.own_scales and self.checks:
            heads.append(self._axis(left, right, (head, height - foot)))
        return sheet(
            Sheet(
                title=self.title,
                words=self.words(),
                width=width,
                height=height,
                kind="forest",
                has_links=any(check.url for check in self.checks),
            ),
            *heads,
            *rows,
        )

    def scale(self, check: Check, left: float, right: float) -> Scale:
        """From numbers to places for this row, with room around its interval and threshold."""
        chosen = (check,) if self.own_scales else self.checks
        values = [value for each in chosen for value in (each.estimate, each.low, each.high, each.threshold)]
        low, high = extent(values, pad=0.18 if self.own_scales else 0.06)
        return Scale(low, high, left + 8, right - 8)

    def _axis(self, left: float, right: float, span: tuple[float, float]) -> Svg:
        scale = self.scale(self.checks[0], left, right)
        places = ticks(scale.low, scale.high, 5)
        return group(
            *(
                group(
                    line((scale.at(value), span[0]), (scale.at(value), span[1]), "grid"),
                    label(text, scale.at(value), span[1] + 16, "tick", "middle"),
                )
                for value, text in zip(places, tick_texts(places), strict=True)
            ),
            class_="axis",
        )

    def _row(self, check: Check, left: float, right: float, top: float, narrow: bool) -> Svg:
        middle = top + (42 if narrow else 20)
        title_y = top + 18 if narrow else middle + 4
        room = right - 130 if narrow else left - 34
        parts = [
            line((0, top), (right if narrow else right + 196, top), "row-line"),
            shape(check.verdict, 8, title_y - 4),
            label(shorten(check.name, room), 22, title_y, "row-name"),
            *_figures(check, right, title_y, narrow),
        ]
        if math.isfinite(check.estimate):
            parts.append(_interval(check, self.scale(check, left, right), middle))
        return group(linked(Svg("".join(parts)), check.url, check.says()), class_="forest-row")

    def words(self) -> str:
        return "; ".join(check.says() for check in self.checks) + "."

    def numbers(self) -> Numbers:
        return Numbers(
            ("check", "verdict", "estimate", "interval", "asked"),
            tuple(
                (
                    check.name,
                    verdict_word(check.verdict),
                    number(check.estimate) if math.isfinite(check.estimate) else "–",
                    interval(check.low, check.high) if check.has_interval() else "",
                    f"{check.asks} {number(check.threshold)}" if math.isfinite(check.threshold) else "",
                )
                for check in self.checks
            ),
        )


def _row_height(check: Check, narrow: bool) -> float:
    """On a phone the drawing stands below the numbers, and a check without any needs one line only."""
    if not narrow:
        return 40
    return 62 if math.isfinite(check.estimate) else 32


def _heads(left: float, right: float) -> list[Svg]:
    return [
        label("check", 22, 14, "axis-name"),
        label("estimate with interval, against what is asked (dashed)", left + 8, 14, "axis-name"),
        label("estimate", right + 56, 14, "axis-name", "end"),
        label("interval", right + 196, 14, "axis-name", "end"),
    ]


def _figures(check: Check, right: float, y: float, narrow: bool) -> list[Svg]:
    """The row's numbers: right of the drawing, or on a phone above it."""
    if not math.isfinite(check.estimate):
        return [label(check.note or verdict_word(check.verdict), right + (0 if narrow else 196), y, "label", "end")]
    bounds = interval(check.low, check.high) if check.has_interval() else ""
    if narrow:
        return [label(f"{number(check.estimate)} {bounds}", right, y, "value", "end")]
    return [
        label(number(check.estimate), right + 56, y, "value is-strong", "end"),
        label(bounds, right + 196, y, "value", "end"),
    ]


def _interval(check: Check, scale: Scale, y: float) -> Svg:
    """The interval as a bar, the estimate as a dot on it, what is asked as a dashed line with its value."""
    parts = []
    if math.isfinite(check.threshold):
        x = scale.held(check.threshold)
        near_end = x + text_width(number(check.threshold)) + 8 > scale.end
        beside = (x - 5, "end") if near_end else (x + 5, "start")
        parts += [
            line((x, y - 17), (x, y + 15), "threshold"),
            label(number(check.threshold), beside[0], y - 8, "threshold-name", beside[1]),
        ]
    if check.has_interval():
        ends = (check.low, check.high)
        parts.append(line((scale.held(check.low), y), (scale.held(check.high), y), "whisker"))
        parts += [
            line((scale.held(end), y - 4), (scale.held(end), y + 4), "whisker") for end in ends if math.isfinite(end)
        ]
    parts.append(tag("circle", cx=scale.held(check.estimate), cy=y, r=4.5, class_="dot"))
    return group(*parts, class_=f"verdict-{check.verdict}")
