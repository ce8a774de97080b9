"""What both acts play on: the narrator, the people and the home; and how a version's gates are told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from taxiway.demo.narrator import Narrator
from taxiway.demo.people import Cast
from taxiway.gates.contract import GateStanding, Standing
from taxiway.gates.laws.rules import interval_words

MARKS = {"pass": "●", "inconclusive": "▲", "fail": "■", "missing": "◌"}


class Scene(Struct, frozen=True):
    """Where a story is told. url: the server's."""

    narrator: Narrator
    cast: Cast
    home: Path
    url: str

    def link(self, path: str) -> str:
        """A page's address to click on."""
        return f"{self.url}{path}"


def tell_standing(narrator: Narrator, standing: Standing) -> None:
    """The verdict table, and of each gate that is not open what it says."""
    gates = [gate for stage in standing.stages for gate in stage.gates]
    narrator.table(
        [
            {
                "before": gate.stage,
                "gate": gate.gate,
                "verdict": f"{MARKS[gate.verdict]} {gate.verdict}",
                "found": interval_words(gate.outcome.estimate) if gate.outcome.estimate else "",
                "asks": gate.title,
            }
            for gate in gates
        ]
    )
    for gate in gates:
        if gate.verdict != "pass":
            narrator.say(f"{MARKS[gate.verdict]} {gate.gate}: {gate.outcome.reason} {gate.outcome.advice}".rstrip())


def gate_of(standing: Standing, name: str) -> GateStanding:
    """A gate by its name."""
    return next(gate for stage in standing.stages for gate in stage.gates if gate.gate == name)


def verdicts(standing: Standing) -> dict[str, str]:
    """The verdict of each gate, by its name."""
    return {gate.gate: gate.verdict for stage in standing.stages for gate in stage.gates}


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share of the values does not exceed: an observed one, the nearest rank.

    >>> percentile([4.0, 1.0, 2.0, 3.0], 0.5)
    2.0
    """
    ranked = sorted(values)
    return ranked[max(math.ceil(share * len(ranked)) - 1, 0)]
