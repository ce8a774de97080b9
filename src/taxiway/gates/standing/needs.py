"""What each gate of a version or a path needs before it can decide, as `taxiway gates power` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from taxiway.gates.contract import GateSpec, GateStage, PathVersion, Standing
from taxiway.gates.laws.rules import Threshold, interval_words, rows_words, verdict_on
from taxiway.gates.measuring import power
from taxiway.gates.measuring.power import Need

SHARES = ("accuracy", "balanced_accuracy", "precision", "recall", "specificity", "roc_auc")
RATIO = "selection_rate_ratio"
DIFFERENCES = (
    "selection_rate_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
    "predictive_parity_difference",
)
STEPS = (0.01, 0.02, 0.05)
NO_ROWS = ("memory", "explanations")  # they measure processes and draws, whose number the check sets


class Assumed(Struct, frozen=True):
    """What is taken to be true where no rows tell. expect: the metric's value; None tells of some distances from what
    is asked. selected: the rate of the group with the highest. smallest: the smallest group's share of the rows."""

    expect: float | None = None
    selected: float = 0.5
    smallest: float = 0.1


class GateNeed(Struct, frozen=True):
    """A gate with the rows that it needs. assumes: the value that is taken as the true one, and on what grounds.

    rows: for the expected interval to decide; rows_likely: for four samples in five to.
    """

    stage: GateStage
    gate: str
    asks: str
    assumes: str
    now: int | None
    rows: int | None
    rows_likely: int | None
    note: str = ""


class Power(Struct, frozen=True):
    """of: the version or the path. Gates that count no rows are left out."""

    of: str
    gates: list[GateNeed]


def of_standing(standing: Standing, assumed: Assumed) -> Power:
    """From what was measured of a version, each interval being as wide as its rows make it."""
    found = []
    for gate in (gate for stage in standing.stages for gate in stage.gates):
        estimate, threshold = gate.outcome.estimate, gate.outcome.threshold
        if estimate is None or threshold is None or gate.check in NO_ROWS:
            continue
        need = power.from_estimate(estimate, threshold, assumed.expect)
        if gate.check == "latency":
            need = at_least(
                need, power.order_floor(float((gate.outcome.metric or "p50")[1:3]) / 100, estimate.confidence)
            )
        value = interval_words(estimate) if assumed.expect is None else f"{assumed.expect:g}"
        verdict = verdict_on(estimate, threshold)
        note = f"decided: {verdict}" if verdict != "inconclusive" and assumed.expect is None else need.why
        found.append(GateNeed(gate.stage, gate.gate, gate.title, value, estimate.n, need.rows, need.rows_likely, note))
    return Power(f"{standing.model}@{standing.version}", found)


def at_least(need: Need, floor: int) -> Need:
    """The same, from a number on below which there is no interval at all."""
    rows, likely = (None if each is None else max(each, floor) for each in (need.rows, need.rows_likely))
    return Need(rows, likely, need.why)


def of_path(path: PathVersion, assumed: Assumed) -> Power:
    """Before there is any version: from the laws of shares, of their ratios and of their differences."""
    return Power(
        path.ref,
        [each for stage in path.stages for gate in stage.gates for each in of_gate(stage.stage, gate, assumed)],
    )


def of_gate(stage: GateStage, gate: GateSpec, assumed: Assumed) -> Iterator[GateNeed]:
    asked: dict[str, Any] = gate.parameters
    metric, least, most = asked.get("metric"), asked.get("at_least"), asked.get("at_most")
    if gate.check not in ("performance", "fairness") or (least is None) == (most is None):
        return
    threshold = Threshold("at_least", least) if least is not None else Threshold("at_most", float(most or 0))
    confidence = float(asked.get("confidence", 0.95))
    sign = 1 if least is not None else -1
    values = [threshold.value + sign * step for step in STEPS] if assumed.expect is None else [assumed.expect]
    for value in values:
        words, need = expected(str(metric), value, threshold, confidence, assumed)
        yield GateNeed(stage, gate.name, gate.title, words, None, need.rows, need.rows_likely, need.why)


def expected(metric: str, value: float, threshold: Threshold, confidence: float, assumed: Assumed) -> tuple[str, Need]:
    """What is assumed, in words, and what it takes."""
    groups = f", {assumed.selected:g} selected of the others, smallest group {assumed.smallest * 100:g} % of the rows"
    if metric in SHARES:
        return f"{value:g}", power.from_share(value, threshold, confidence)
    if metric == RATIO:
        rates = (value * assumed.selected, assumed.selected)
        return f"{value:g}{groups}", power.from_ratio(rates, assumed.smallest, threshold, confidence)
    if metric in DIFFERENCES:
        rates = (max(assumed.selected - value, 0.0), assumed.selected)
        return f"{value:g}{groups}", power.from_difference(rates, assumed.smallest, threshold, confidence)
    why = "How wide its interval is depends on the rows: ask again with a version that was evaluated."
    return f"{value:g}", Need(None, None, why)


def as_rows(found: Power) -> list[dict[str, object]]:
    """For a table: rows as precise as an expectation deserves."""
    return [
        {
            "before": each.stage,
            "gate": each.gate,
            "asks": each.asks,
            "if it is": each.assumes,
            "rows now": each.now if each.now is not None else "",
            "rows needed": rows_words(each.rows) if each.rows else "–",
            "four times in five": rows_words(each.rows_likely) if each.rows_likely else "–",
            "note": each.note,
        }
        for each in found.gates
    ]
