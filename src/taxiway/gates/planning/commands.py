"""The CLI of plans."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.gates.planning.contract import Effect, Plan, PlannedVersion
from taxiway.kernel.commands import Argument, Command
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client

SAID: dict[Effect, str] = {
    "stopped": "would be stopped",
    "unknown": "would need evaluation",
    "opened": "would be open",
    "same": "no change",
}
MARKS: dict[Effect, str] = {"stopped": "■", "unknown": "◌", "opened": "●", "same": "·"}


def plan(client: Client, given: Namespace) -> Plan:
    return client.gates.plan(Path(given.file), evaluate=given.evaluate)


def show_plan(plan: Plan) -> str:
    """What would change, what is missing, and where nobody could approve."""
    parts = [head_of(plan), as_table([row(each) for each in plan.versions])] if plan.versions else [head_of(plan)]
    parts += [f"{each.project} cannot take it: {each.problem}" for each in plan.projects if each.problem]
    parts += [f"■ It could not be published: {problem}" for problem in plan.problems]
    parts += [f"■ Nobody is eligible to approve: {place}." for place in plan.nobody]
    if plan.left_out:
        parts.append(f"{plan.left_out:,} older movements and refusals were not looked at.")
    return "\n\n".join(parts)


def head_of(plan: Plan) -> str:
    name = f"{plan.path} version {plan.number}"
    if plan.is_same:
        return f"{plan.path}: the text asks what version {plan.number} asks; publishing it changes nothing."
    names = ", ".join(each.project for each in plan.projects) or "no project"
    live, past, refused = (counted(plan, *kind) for kind in ((True, False), (False, False), (False, True)))
    void = sum(each.approvals_void for each in plan.versions)
    lines = [
        f"{name} would be taken by {names}. Nothing was written.",
        f"live versions: {live or 'none'}",
        f"past movements: {past or 'none'}",
        *([f"refused promotions: {refused}"] if refused else []),
        *([f"approvals that would have to be given again: {void}"] if void else []),
    ]
    return "\n".join(lines)


def counted(plan: Plan, is_live: bool, was_refused: bool) -> str:
    """How many versions it does what to, in words; empty where there are none."""
    counts = {each: plan.count(each, is_live=is_live, was_refused=was_refused) for each in SAID}
    return ", ".join(f"{count} {SAID[each]}" for each, count in counts.items() if count)


def where(version: PlannedVersion) -> str:
    if version.was_refused:
        return f"was refused on {version.at:%Y-%m-%d}" if version.at else "was refused"
    return "stands in" if version.is_live else "came to"


def row(version: PlannedVersion) -> dict[str, object]:
    gates = [f"{gate.gate} {gate.verdict}{' (never asked)' if gate.is_unasked else ''}" for gate in version.gates]
    closed = "closed as then" if version.was_refused else "closed as today"
    is_closed = version.effect == "same" and bool(version.gates)
    watched = [f"{gate.gate} {gate.verdict} ({gate.mode}s only)" for gate in version.watched]
    return {
        "version": f"{version.model}@{version.version}",
        "project": version.project,
        "": where(version),
        "stage": version.stage,
        "effect": f"{MARKS[version.effect]} {closed if is_closed else SAID[version.effect]}",
        "because": ", ".join([*gates, *watched]),
    }


COMMANDS = (
    Command(
        "plan",
        "what a path would change, before it is published; exit code 1 where it cannot be, or nobody could approve",
        plan,
        (
            Argument("file", "the YAML file", is_file=True),
            Argument("--evaluate", "ask checks that have no evidence, too; nothing is kept", is_flag=True),
        ),
        show=show_plan,
        exit_code=lambda plan: 1 if plan.nobody or plan.problems else 0,
    ),
)
