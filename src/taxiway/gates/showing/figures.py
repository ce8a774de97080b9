"""The figures of gates: a version's way through them, its evidence, and what models do to groups of people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from taxiway.gates.contract import GateMode, GateSpec, GateStanding, PathVersion, StageStanding, Standing
from taxiway.gates.laws.estimates import Estimate, GroupRate
from taxiway.gates.standing.closing import LIVE
from taxiway.web.figures.bars import Bar, GroupedBars
from taxiway.web.figures.forest import Check, ForestPlot
from taxiway.web.figures.path import Gate, PathDrawing, Stage
from taxiway.web.words import ago_now

FOUR_FIFTHS = 0.8
REGISTERED = "candidate"  # what the drawing calls the place before the first gate


def gate_name(gate: str) -> str:
    """A gate's name for people: ``data_contract`` is "data contract"."""
    return gate.replace("_", " ")


WATCHES: dict[GateMode, str] = {"observe": "observes only", "warn": "warns only", "block": ""}


def name_and_mode(gate: str, mode: GateMode) -> str:
    """A gate's name, and in words that it stops nothing where it does not count: "card (observes only)"."""
    return f"{gate_name(gate)} ({WATCHES[mode]})" if WATCHES[mode] else gate_name(gate)


def anchor(stage: str, gate: str) -> str:
    """Where on a version's page a gate's evidence stands."""
    return f"gate-{stage}-{gate}"


def draw_path(standing: Standing, entered: Mapping[str, datetime], page: str, *, is_small: bool = False) -> PathDrawing:
    """The way of a version with its gates as they stand.

    entered: when it came to each stage, by the stage's name; `none` is when it was registered. page: the version's.
    """
    stages = [Stage(name=REGISTERED, since=since(entered, "none"))]
    for each in standing.stages:
        gates = tuple(
            Gate(
                name=name_and_mode(gate.gate, gate.mode),
                verdict=gate.verdict,
                asks=gate.title,
                giver=giver(gate, standing),
                url=f"{page}#{anchor(gate.stage, gate.gate)}",
            )
            for gate in each.gates
        )
        stages.append(Stage(name=each.stage, gates=gates, since=since(entered, each.stage)))
    names = [stage.name for stage in stages]
    here = names.index(standing.stage) if standing.stage in names else 0
    title = f"The way of {standing.model} version {standing.version}"
    return PathDrawing(title=title, stages=tuple(stages), here=here, is_small=is_small)


def since(entered: Mapping[str, datetime], stage: str) -> str:
    return ago_now(entered[stage]) if stage in entered else ""


GIVERS = {
    "card": "who knows the model, on its card",
    "attestation": "who answers the questionnaire",
    "findings": "who mends them, then a second person",
}


def giver(gate: GateStanding, standing: Standing) -> str:
    """Who can give what a gate asks."""
    if gate.check != "approvals":
        return GIVERS.get(gate.check, "the check")
    return " or ".join(standing.who_can) or "nobody yet"


def giver_asked(spec: GateSpec) -> str:
    """Who can give what a gate asks, by the path alone."""
    if spec.check == "attestation" and (by := spec.parameters.get("by")):
        return f"who answers the questionnaire, as {' or '.join(by)}"
    if spec.check != "approvals":
        return GIVERS.get(spec.check, "the check")
    roles = spec.parameters.get("roles", [])
    if isinstance(roles, dict):
        seats = [f"{'a person' if count == 1 else f'{count} people'} as {role}" for role, count in roles.items()]
        return " and ".join(seats)
    people = int(spec.parameters.get("count", 1))
    return f"{'a person' if people == 1 else f'{people} people'} who can act as {' or '.join(roles)}"


def given(spec: GateSpec) -> list[tuple[str, str]]:
    """What a gate was given, in words, but for what is left open."""
    return [
        (k, asked_value(v))
        for k, v in spec.parameters.items()
        if v is not None and v is not False and v not in ("", [])
    ]


def asked_value(value: object) -> str:
    """A parameter of a gate in a line, whatever it holds.

    >>> asked_value({"share": 0.05, "tolerance": 0.1}), asked_value(["a", "b"]), asked_value(True), asked_value({})
    ('share 0.05 and tolerance 0.1', 'a, b', 'yes', 'yes')
    """
    if isinstance(value, dict):
        said = [f"{key} {asked_value(each)}" for key, each in value.items() if each is not None]
        return " and ".join(said) or "yes"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(asked_value, value))
    return "yes" if value is True else str(value)


def draw_asked(path: PathVersion) -> PathDrawing:
    """A path by itself: what stands before each stage."""
    stages = [Stage(name=REGISTERED)]
    for each in path.stages:
        gates = tuple(
            Gate(name=name_and_mode(spec.name, spec.mode), asks=spec.title, giver=giver_asked(spec))
            for spec in each.gates
        )
        stages.append(Stage(name=each.stage, gates=gates))
    return PathDrawing(title=f"The path {path.name}", stages=tuple(stages), is_empty=True)


def draw_evidence(stages: Sequence[StageStanding]) -> ForestPlot:
    """Every gate with what was measured against what is asked; each on a scale of its own."""
    return ForestPlot(title="Evidence", checks=tuple(evidence_row(gate) for stage in stages for gate in stage.gates))


def evidence_row(gate: GateStanding) -> Check:
    outcome, url = gate.outcome, f"#{anchor(gate.stage, gate.gate)}"
    name = outcome.metric or gate_name(gate.gate)
    name = f"{name} ({WATCHES[gate.mode]})" if WATCHES[gate.mode] else name
    if outcome.estimate is None or outcome.estimate.value is None:
        return Check(name=name, verdict=gate.verdict, note=brief(gate), url=url)
    estimate, asked = outcome.estimate, outcome.threshold
    return Check(
        name=name,
        verdict=gate.verdict,
        estimate=known(estimate.value),
        low=known(estimate.low),
        high=known(estimate.high),
        threshold=asked.value if asked else math.nan,
        asks="at most" if asked and asked.direction == "at_most" else "at least",
        url=url,
    )


def brief(gate: GateStanding) -> str:
    """What a gate without a number says of itself in the drawing: the first words of its reason."""
    if not gate.evidence and gate.check not in LIVE:
        return "not asked yet"
    first = gate.outcome.reason.partition(". ")[0].partition("; ")[0].rstrip(".")
    return first if len(first) <= 44 else ""


def known(value: float | None) -> float:
    return math.nan if value is None else value


def draw_rates(series: Sequence[tuple[str, Sequence[GroupRate]]]) -> GroupedBars:
    """The share of positive decisions by group, a bar for each thing compared, against four fifths of its highest."""
    groups = list(dict.fromkeys(rate.group for _, rates in series for rate in rates))
    return GroupedBars(
        title="Selection rate by group",
        groups=tuple(group_name(group, series) for group in groups),
        series=tuple(name for name, _ in series),
        bars=tuple(tuple(bar(find(rates, group), fifths(rates)) for group in groups) for _, rates in series),
        y_name="share of rows decided positively",
    )


def group_name(group: str, series: Sequence[tuple[str, Sequence[GroupRate]]]) -> str:
    """The group, marked where it has too few rows to count."""
    is_counted = all(rate.is_counted for _, rates in series for rate in rates if rate.group == group)
    return group if is_counted else f"{group} (too few rows)"


def fifths(rates: Sequence[GroupRate]) -> float:
    """Four fifths of the highest rate that counts; not a number where fewer than two groups do."""
    counted = [rate.rate.value for rate in rates if rate.is_counted and rate.rate.value is not None]
    return FOUR_FIFTHS * max(counted) if len(counted) >= 2 else math.nan


def find(rates: Sequence[GroupRate], group: str) -> Estimate | None:
    return next((each.rate for each in rates if each.group == group), None)


def bar(rate: Estimate | None, limit: float) -> Bar:
    if rate is None or rate.value is None:
        return Bar(math.nan)
    return Bar(rate.value, known(rate.low), known(rate.high), limit)
