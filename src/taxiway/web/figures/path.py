"""The path drawing: stages from left to right, gates as marks between them, the thing as a dot on its way."""

from itertools import pairwise

from msgspec import Struct

from taxiway.web.figures.axes import NARROW
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

NAME_SIZE = 13  # px, as the style sheet has a stage's name
NAMES_APART = 8


class Gate(Struct, frozen=True, kw_only=True):
    """One gate on the way into a stage: what it asks, who can give it, and how it stands."""

    name: str
    verdict: str = "missing"
    asks: str = ""
    giver: str = ""
    url: str = ""

    def says(self) -> str:
        asks = f": {self.asks}" if self.asks else ""
        giver = f" Given by {self.giver}." if self.giver else ""
        return f"{self.name}{asks}: {verdict_word(self.verdict)}.{giver}"


class Stage(Struct, frozen=True, kw_only=True):
    """A stop on the path, and the gates that stand before it."""

    name: str
    gates: tuple[Gate, ...] = ()
    since: str = ""  # when the thing came here, in words


class PathDrawing(Struct, frozen=True, kw_only=True):
    """`here` is the index of the stage where the thing is; a path by itself is empty, and has none."""

    title: str
    stages: tuple[Stage, ...]
    here: int = 0
    is_small: bool = False  # one line without texts, for a table row
    is_empty: bool = False

    def draw(self, width: int = 720) -> Svg:
        if self.is_small:
            return self._small(min(width, 260))
        return self._down(width) if width < NARROW else self._across(width)

    def _sheet(self, width: float, height: float, parts: list[str]) -> Svg:
        kind = "path-drawing is-small" if self.is_small else "path-drawing"
        has_links = any(gate.url for stage in self.stages for gate in stage.gates)
        paper = Sheet(
            title=self.title,
            words=self.words(),
            width=width,
            height=height,
            kind=kind,
            has_links=has_links,
            is_fixed=self.is_small,
        )
        return sheet(paper, *parts)

    def _places(self, start: float, end: float) -> tuple[list[float], list[list[float]]]:
        """Where the stages and their gates stand: a segment is as long as its gates need."""
        stops: list[float] = [start]
        gates: list[list[float]] = [[]]
        for stage, length in zip(self.stages[1:], self._lengths(start, end), strict=True):
            unit = length / (len(stage.gates) + 1)
            gates.append([stops[-1] + unit * (index + 1) for index in range(len(stage.gates))])
            stops.append(stops[-1] + length)
        return stops, gates

    def _lengths(self, start: float, end: float) -> list[float]:
        """Of each segment: its gates' share, and no less than the names at its ends take, where there is room."""
        weights = [len(stage.gates) + 1.0 for stage in self.stages[1:]]
        needed = self._names_take(start)
        if self.is_small or sum(needed) > end - start:
            needed = [0.0] * len(weights)
        kept: dict[int, float] = {}
        while True:
            free = [index for index in range(len(weights)) if index not in kept]
            unit = (end - start - sum(kept.values())) / (sum(weights[index] for index in free) or 1)
            tight = {index: needed[index] for index in free if unit * weights[index] < needed[index]}
            if not tight:
                return [kept.get(index, unit * weight) for index, weight in enumerate(weights)]
            kept |= tight

    def _names_take(self, start: float) -> list[float]:
        """What the names at both ends of each segment take; the first and the last are flush with the sheet's edges."""
        wide = [max(text_width(stage.name, NAME_SIZE), text_width(stage.since)) for stage in self.stages]
        sides = [each / 2 for each in wide]
        if wide:
            sides[0], sides[-1] = wide[0] - start, wide[-1] - start
        return [one + other + NAMES_APART for one, other in pairwise(sides)]

    def _across(self, width: float) -> Svg:
        stops, gates = self._places(15, width - 15)
        y = 46.0
        parts: list[str] = [_way((stops[0], y), (stops[-1], y), stops[self.here])]
        for index, stage in enumerate(self.stages):
            # The first and the last name would hang over the sheet's edges: they are set flush with it.
            x, anchor = stops[index], "middle"
            if index in {0, len(self.stages) - 1}:
                x, anchor = (0, "start") if index == 0 else (width, "end")
            parts.append(
                group(
                    line((stops[index], y - 11), (stops[index], y + 11), "stop"),
                    label(stage.name, x, y + 32, "stage-name", anchor),
                    label(stage.since, x, y + 48, "tick", anchor),
                    class_="stage is-here" if index == self.here and not self.is_empty else "stage",
                )
            )
            parts += self._gates(stage, gates[index], y)
        parts.append(self._thing(stops[self.here], y))
        return self._sheet(width, y + (54 if any(stage.since for stage in self.stages) else 40), parts)

    def _gates(self, stage: Stage, places: list[float], y: float) -> list[Svg]:
        """The gates' marks, with their names over and under the way by turns where one line is too tight."""
        unit = places[1] - places[0] if len(places) > 1 else 120.0
        needed = max((text_width(gate.name) for gate in stage.gates), default=0) + 8
        found = []
        for index, (gate, x) in enumerate(zip(stage.gates, places, strict=True)):
            room = unit if needed <= unit else unit * 2 - 8
            name_y = y - 20 if needed <= unit or index % 2 == 0 else y + 28
            name = shorten(gate.name, room)
            mark = group(
                tag("rect", x=x - 10, y=y - 10, width=20, height=20, rx=10, class_="gate-ground"),
                shape(gate.verdict, x, y, 1.15),
                label(name, x, name_y, "gate-name", "middle") if len(name) > 3 else "",
                _catch(x, text_width(name), min(y - 12, name_y - 12), max(y + 12, name_y + 6)),
            )
            found.append(group(linked(mark, gate.url, gate.says()), class_="gate"))
        return found

    def _down(self, width: float) -> Svg:
        """The same path from top to bottom, a line for every gate."""
        y, x, parts = 20.0, 14.0, []
        stops: list[float] = []
        for index, stage in enumerate(self.stages):
            for gate in stage.gates:
                said = gate.name if self.is_empty else f"{gate.name}: {verdict_word(gate.verdict)}"
                text = shorten(said, width - 40)
                mark = group(
                    tag("rect", x=x - 10, y=y - 10, width=20, height=20, rx=10, class_="gate-ground"),
                    shape(gate.verdict, x, y, 1.1),
                    label(text, 34, y + 4, "gate-name"),
                    tag("rect", x=0, y=y - 13, width=width, height=26, class_="catch"),
                )
                parts.append(group(linked(mark, gate.url, gate.says()), class_="gate"))
                y += 26
            stops.append(y)
            parts.append(
                group(
                    line((x - 10, y), (x + 10, y), "stop"),
                    label(stage.name, 34, y + 4, "stage-name"),
                    label(stage.since, width, y + 4, "tick", "end"),
                    class_="stage is-here" if index == self.here and not self.is_empty else "stage",
                )
            )
            y += 32
        way = _way((x, stops[0]), (x, stops[-1]), stops[self.here])
        return self._sheet(width, y - 14, [way, *parts, self._thing(x, stops[self.here])])

    def _small(self, width: float) -> Svg:
        stops, gates = self._places(10, width - 10)
        parts: list[str] = [_way((stops[0], 14), (stops[-1], 14), stops[self.here])]
        parts += [line((x, 7), (x, 21), "stop") for x in stops]
        for stage, places in zip(self.stages, gates, strict=True):
            for gate, x in zip(stage.gates, places, strict=True):
                ground = tag("circle", cx=x, cy=14, r=7, class_="gate-ground")
                mark = group(ground, shape(gate.verdict, x, 14, 0.8))
                parts.append(group(linked(mark, gate.url, gate.says()), class_="gate"))
        parts.append(self._thing(stops[self.here], 14, 6))
        return self._sheet(width, 28, parts)

    def _thing(self, x: float, y: float, radius: float = 8) -> Svg:
        return Svg("") if self.is_empty else tag("circle", cx=x, cy=y, r=radius, class_="thing")

    def words(self) -> str:
        if self.is_empty:
            gates = ", ".join(gate.name for stage in self.stages for gate in stage.gates)
            return f"From {self.stages[0].name} to {self.stages[-1].name} through {gates or 'no gates'}."
        here = self.stages[self.here]
        coming = [gate for stage in self.stages[self.here + 1 :] for gate in stage.gates if gate.verdict != "pass"]
        open_ = ", ".join(f"{gate.name} ({verdict_word(gate.verdict)})" for gate in coming)
        way = " to ".join(stage.name for stage in self.stages)
        return f"The path goes {way}. It is at {here.name}. " + (
            f"Still open: {open_}." if open_ else "Nothing is open."
        )

    def numbers(self) -> Numbers:
        rows = tuple(
            (stage.name, gate.name, gate.asks, verdict_word(gate.verdict), gate.giver)
            for stage in self.stages
            for gate in stage.gates
        )
        return Numbers(("stage", "gate", "asks", "verdict", "given by"), rows)


def _way(start: tuple[float, float], end: tuple[float, float], reached: float) -> Svg:
    """The taxiway: grey ground, a dashed centreline, yellow as far as the thing has come."""
    across = start[1] == end[1]
    done = (reached, end[1]) if across else (end[0], reached)
    return group(
        line(start, end, "way-ground"),
        line(start, end, "way-line"),
        line(start, done, "way-done"),
        class_="way",
    )


def _catch(x: float, wide: float, top: float, bottom: float) -> Svg:
    """The ground on which the pointer finds a gate: its mark, its name, and what lies between them."""
    half = max(wide / 2 + 4, 13)
    return tag("rect", x=x - half, y=top, width=half * 2, height=bottom - top, class_="catch")
