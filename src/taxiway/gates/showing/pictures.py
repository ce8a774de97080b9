"""The figures behind a measured gate: every comparison with its interval, the ROC curve, and the calibration curve."""

from __future__ import annotations

import math
from collections.abc import Sequence

from taxiway.gates.contract import Bin, Compared, GateStanding, Outcome
from taxiway.web.figures import reliability
from taxiway.web.figures.forest import Check, ForestPlot
from taxiway.web.figures.reliability import Reliability, ReliabilityCurves
from taxiway.web.figures.roc import Roc, RocCurves

MOST_ROWS = 24
MOST_CURVES = 4
OF_ALL = "all rows"
TITLES = {
    "fairness": "Each group against the one with the highest value",
    "calibration": "How far scores are from what came true",
    "performance": "Held against the champion on the same rows",
}


def pictures_of(gate: GateStanding) -> list[ForestPlot | RocCurves | ReliabilityCurves]:
    """What there is to draw; nothing for a gate that measured a single number alone."""
    outcome = gate.outcome
    drawn: list[ForestPlot | RocCurves | ReliabilityCurves] = []
    if outcome.comparisons:
        drawn.append(forest(gate.check, outcome))
    if len(outcome.curve) > 2 and gate.check == "performance":
        drawn.append(RocCurves(title="ROC", curves=(roc(outcome),)))
    if outcome.bins:
        drawn.append(ReliabilityCurves(title="Calibration", curves=curves(outcome.bins)))
    return drawn


def forest(check: str, outcome: Outcome) -> ForestPlot:
    """A row for each comparison, those that are shown and not counted among them."""
    asks = "at most" if outcome.threshold is not None and outcome.threshold.direction == "at_most" else "at least"
    rows = tuple(
        Check(
            name=each.what,
            verdict=each.verdict or ("" if each.is_counted else "waived"),
            estimate=known(each.estimate.value),
            low=known(each.estimate.low),
            high=known(each.estimate.high),
            threshold=known(each.threshold),
            asks="at most" if asks == "at most" and (each.threshold or 0) > 0 else "at least",
            note=noted(each),
        )
        for each in outcome.comparisons[:MOST_ROWS]
    )
    return ForestPlot(title=TITLES.get(check, "Comparisons"), checks=rows, own_scales=check != "fairness")


def noted(compared: Compared) -> str:
    return "undefined" if compared.estimate.value is None else ""


def roc(outcome: Outcome) -> Roc:
    """The curve with the area under it, by trapezoids, which is what the curve shows."""
    area = sum(
        (x - before) * (y + low) / 2 for (before, low), (x, y) in zip(outcome.curve, outcome.curve[1:], strict=False)
    )
    return Roc(name="this version", points=tuple(outcome.curve), area=area)


def curves(bins: Sequence[Bin]) -> tuple[Reliability, ...]:
    """The curve of all rows, and those of the first groups."""
    names = list(dict.fromkeys(each.group for each in bins))[: MOST_CURVES + 1]
    return tuple(
        Reliability(
            name=name or OF_ALL,
            bins=tuple(
                reliability.Bin(
                    said=each.said,
                    observed=each.observed.value,
                    low=known(each.observed.low),
                    high=known(each.observed.high),
                    rows=each.observed.n,
                )
                for each in bins
                if each.group == name and each.observed.value is not None
            ),
        )
        for name in names
    )


def known(value: float | None) -> float:
    return math.nan if value is None else value
