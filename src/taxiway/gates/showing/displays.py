"""A version before its gates, as notebooks show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from taxiway.gates.standing.closing import told
from taxiway.kernel.rich import MARKS, Figure, card, facts, grid, interval

if TYPE_CHECKING:
    from taxiway.gates.contract import GateStanding, Standing


def standing_html(standing: Standing) -> str:
    """The verdict table: each gate with its interval against what is asked, and why what is closed is closed."""
    gates = [gate for stage in standing.stages for gate in stage.gates]
    rows = [
        [
            gate.stage,
            gate.gate,
            f"{MARKS[gate.verdict]} {gate.verdict}",
            gate.mode,
            drawn(gate),
            gate.title,
            reason(gate),
        ]
        for gate in gates
    ]
    opened = ", ".join(f"{stage.stage}: {'open' if stage.is_open else 'closed'}" for stage in standing.stages)
    return card(
        f"{standing.model} v{standing.version}",
        f"model:{standing.model}@{standing.version}",
        facts([("path", standing.path.removeprefix("path:")), ("now in", standing.stage), ("stages", opened)]),
        grid("stands on", ["what"], [[line] for line in told(standing)]),
        grid("gates", ["before", "gate", "verdict", "mode", "found", "asks", "why not"], rows),
    )


def drawn(gate: GateStanding) -> Figure | str:
    estimate, threshold = gate.outcome.estimate, gate.outcome.threshold
    if estimate is None or estimate.low is None or estimate.value is None or estimate.high is None:
        return ""
    asked = threshold.value if threshold else None
    return interval(estimate.low, estimate.value, estimate.high, asked=asked)


def reason(gate: GateStanding) -> str:
    return "" if gate.verdict == "pass" else f"{gate.outcome.reason} {gate.outcome.advice}".strip()
