"""Heat maps: drift of every feature in every window, with the number in the cell."""

import math

from msgspec import Struct

from taxiway.web.figures.axes import NARROW
from taxiway.web.figures.svg import (
    Numbers,
    Sheet,
    Svg,
    group,
    label,
    linked,
    sheet,
    shorten,
    tag,
    text_width,
)
from taxiway.web.numbers import fixed


class HeatMap(Struct, frozen=True, kw_only=True):
    """values[row][column], NaN where nothing was measured; urls, if given, twin the values.

    `watch` and `act` are the two limits: from `act` on a cell is flagged. Shades lie between them.
    """

    title: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]
    urls: tuple[tuple[str, ...], ...] = ()
    measure: str = "PSI"
    watch: float = 0.1
    act: float = 0.25
    places: int = 2

    def draw(self, width: int = 720) -> Svg:
        left = min(max((text_width(name) for name in self.rows), default=0) + 12, 168, width * 0.4)
        top, tall = 24.0, 30.0
        count = max(len(self.columns), 1)
        wide = min(max((width - left) / count, 52), 112)
        size = (left + wide * count, top + tall * len(self.rows) + 32)
        paper = Sheet(
            title=self.title,
            words=self.words(),
            width=size[0],
            height=size[1],
            kind="heat",
            has_links=bool(self.urls),
            is_fixed=True,
        )
        heads = [
            label(shorten(name, wide - 4), left + wide * (index + 0.5), 15, "tick", "middle")
            for index, name in enumerate(self.columns)
        ]
        names = [
            label(shorten(name, left - 10), left - 8, top + tall * index + 19, "row-name", "end")
            for index, name in enumerate(self.rows)
        ]
        cells = [
            self._cell(row, column, (left + wide * column, top + tall * row), (wide, tall))
            for row in range(len(self.rows))
            for column in range(len(self.columns))
        ]
        return sheet(paper, *heads, *names, *cells, self._key(0 if width < NARROW else left, size[1] - 8))

    def level(self, value: float) -> int:
        """The shade, 0 (quiet) to 4; -1 when nothing was measured. From `act` on it is 3 or more."""
        if not math.isfinite(value):
            return 4 if value > 0 else -1
        limits = (self.watch / 2, self.watch, self.act, self.act * 2)
        return sum(1 for limit in limits if value >= limit)

    def _cell(self, row: int, column: int, at: tuple[float, float], size: tuple[float, float]) -> Svg:
        value = self.values[row][column]
        level = self.level(value)
        shade = "heat-none" if level < 0 else f"heat-{level}"
        (x, y), (wide, tall) = at, size
        parts: list[str] = [
            tag("rect", x=x + 1, y=y + 1, width=wide - 2, height=tall - 2, rx=2, class_="cell"),
            label(
                fixed(value, self.places) if level >= 0 else "–",
                x + wide / 2,
                y + tall / 2 + 4,
                "cell-value",
                "middle",
            ),
        ]
        if level >= 3:
            parts.append(tag("path", d=f"M{x + wide - 1:.1f} {y + 1:.1f}v8l-8 -8z", class_="cell-flag"))
        says = f"{self.rows[row]}, {self.columns[column]}: {self._says(value)}"
        url = self.urls[row][column] if self.urls else ""
        return group(linked(Svg("".join(parts)), url, says), class_=shade)

    def _says(self, value: float) -> str:
        if self.level(value) < 0:
            return "not measured"
        note = {3: ", over the limit", 4: ", far over the limit"}.get(self.level(value), "")
        return f"{self.measure} {fixed(value, self.places + 1)}{note}"

    def _key(self, left: float, y: float) -> Svg:
        text = f"{self.measure}: quiet below {fixed(self.watch, 2)}, flagged ◥ from {fixed(self.act, 2)}"
        return label(text, left, y, "axis-name")

    def words(self) -> str:
        found = [
            (value, f"{self.rows[row]} in {self.columns[column]} ({fixed(value, self.places)})")
            for row, values in enumerate(self.values)
            for column, value in enumerate(values)
            if self.level(value) >= 3
        ]
        if not found:
            return f"{self.measure} of {len(self.rows)} features in {len(self.columns)} windows: none over the limit."
        worst = ", ".join(text for _, text in sorted(found, key=lambda each: -each[0])[:5])
        return f"{self.measure}: {len(found)} over the limit of {fixed(self.act, 2)}; most: {worst}."

    def numbers(self) -> Numbers:
        rows = tuple(
            (name, *(fixed(value, self.places + 1) for value in values))
            for name, values in zip(self.rows, self.values, strict=True)
        )
        return Numbers(("feature", *self.columns), rows)
