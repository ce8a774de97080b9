"""The drawings that outcomes give as data, drawn with the figures of all pages."""

from __future__ import annotations

import math

from msgspec import Struct

from taxiway.gates.contract import GateStanding, Standing
from taxiway.gates.showing.drawings import Bars, Drawing
from taxiway.gates.showing.figures import anchor, gate_name
from taxiway.gates.showing.pictures import pictures_of
from taxiway.web.figures.forest import ForestPlot
from taxiway.web.figures.ranked import RankedBars, Row
from taxiway.web.figures.reliability import ReliabilityCurves
from taxiway.web.figures.roc import RocCurves
from taxiway.web.figures.spread import Mark, SpreadHistogram


class Drawn(Struct, frozen=True):
    """A gate whose check looked closer: its figures, and a line for each thing that it found. url: of its evidence."""

    name: str
    verdict: str
    url: str
    figures: list[RankedBars | SpreadHistogram | ForestPlot | RocCurves | ReliabilityCurves]
    details: list[str]


def draw(drawing: Drawing) -> RankedBars | SpreadHistogram:
    limit = math.nan if drawing.limit is None else drawing.limit
    if isinstance(drawing, Bars):
        rows = tuple(Row(m.name, m.value, known(m.low), known(m.high)) for m in drawing.measures)
        return RankedBars(title=drawing.title, rows=rows, unit=drawing.unit, limit=limit)
    return SpreadHistogram(
        title=drawing.title,
        edges=tuple(drawing.edges),
        counts=tuple(drawing.counts),
        marks=tuple(Mark(mark.name, mark.value) for mark in drawing.marks),
        unit=drawing.unit,
        limit=limit,
    )


def known(value: float | None) -> float:
    return math.nan if value is None else value


def drawn_of(standing: Standing) -> list[Drawn]:
    """For every gate whose outcome has more to show than its verdict; gates that share evidence show it once."""
    gates: dict[str, GateStanding] = {}
    for gate in (gate for stage in standing.stages for gate in stage.gates):
        if gate.outcome.drawings or gate.outcome.details or pictures_of(gate):
            gates.setdefault(gate.evidence or f"{gate.stage}/{gate.gate}", gate)
    return [
        Drawn(
            name=gate_name(gate.gate),
            verdict=gate.verdict,
            url=f"#{anchor(gate.stage, gate.gate)}",
            figures=[*pictures_of(gate), *(draw(each) for each in gate.outcome.drawings)],
            details=gate.outcome.details,
        )
        for gate in gates.values()
    ]
