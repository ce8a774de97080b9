"""`taxiway gates check`: what continuous integration is told of versions before anybody promotes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from taxiway.gates.contract import GATE_STAGES, GateStage, GateStanding, Standing
from taxiway.gates.laws.rules import interval_words
from taxiway.gates.standing.closing import told
from taxiway.kernel.show import as_markdown, plain

MARKS = {"pass": "●", "inconclusive": "▲", "fail": "■", "missing": "◌", "waived": "⊘"}


class Closed(Struct, frozen=True):
    """A gate that counts and is not open."""

    model: str
    version: int
    gate: str
    verdict: str
    reason: str


class Checked(Struct, frozen=True):
    """How versions stand before the gates that count, and which of those would refuse.

    comment: all of it in Markdown, where it was asked for.
    """

    standings: list[Standing]
    closed: list[Closed]
    comment: str = ""


def check(standings: Sequence[Standing], stage: GateStage | None, *, is_comment: bool = False) -> Checked:
    """Which gates would refuse. stage: all gates up to it count; None counts every gate but approvals, which people
    give when the checks are through."""
    closed = [
        Closed(
            each.model, each.version, gate.gate, gate.verdict, f"{gate.outcome.reason} {gate.outcome.advice}".strip()
        )
        for each in standings
        for gate in counted(each, stage)
        if not gate.is_open
    ]
    checked = Checked([*standings], closed)
    return Checked(checked.standings, closed, as_comment(checked)) if is_comment else checked


def counted(standing: Standing, stage: GateStage | None) -> Iterator[GateStanding]:
    upto = GATE_STAGES if stage is None else GATE_STAGES[: GATE_STAGES.index(stage) + 1]
    for each in standing.stages:
        if each.stage in upto:
            yield from (gate for gate in each.gates if gate.counts and (stage or gate.check != "approvals"))


def verdict_of(checked: Checked) -> str:
    """What it comes to, in a line."""
    names = ", ".join(f"{each.model} v{each.version}" for each in checked.standings)
    if not checked.closed:
        return f"{names}: every gate that was asked is open."
    count = "1 gate is" if len(checked.closed) == 1 else f"{len(checked.closed)} gates are"
    return f"{names}: {count} not open: {', '.join(each.gate for each in checked.closed)}."


def watched_of(standing: Standing) -> list[str]:
    """What the gates say that are not open and stop nothing, a line each."""
    return [
        f"{gate.gate} {gate.mode}s only, and would have stopped {standing.model} v{standing.version}: "
        f"{gate.outcome.reason} {gate.outcome.advice}".rstrip()
        for stage in standing.stages
        for gate in stage.gates
        if not (gate.counts or gate.is_open)
    ]


def as_comment(checked: Checked) -> str:
    """The verdict table in Markdown, as a comment of a pull request."""
    parts = [f"### {MARKS['fail' if checked.closed else 'pass']} Gates\n\n{verdict_of(checked)}"]
    for standing in checked.standings:
        rows = [
            [
                gate.stage,
                gate.gate,
                f"{MARKS[gate.verdict]} {gate.verdict}" + ("" if gate.counts else f" ({gate.mode}s only)"),
                interval_words(gate.outcome.estimate) if gate.outcome.estimate else "",
                gate.title,
            ]
            for stage in standing.stages
            for gate in stage.gates
        ]
        head = f"**{standing.model} v{standing.version}** on {standing.path.removeprefix('path:')}"
        parts.append(f"{head}\n\n{as_markdown(['before', 'gate', 'verdict', 'found', 'asks'], rows)}")
        if said := told(standing):
            parts.append("\n".join(f"- {plain(line)}" for line in said))
    if checked.closed:
        parts.append("\n".join(f"- **{each.gate}**: {plain(each.reason)}" for each in checked.closed))
    if watched := [plain(line) for standing in checked.standings for line in watched_of(standing)]:
        parts.append("\n".join(f"- {line}" for line in watched))
    return "\n\n".join(parts)
