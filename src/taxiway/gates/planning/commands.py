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
    parts += [f"■ Nobody is eligible to approve: {where}." for where in plan.nobody]
    if plan.left_out:
        parts.append(f"{plan.left_out:,} older movements were not looked at.")
    return "\n\n".join(parts)


def head_of(plan: Plan) -> str:
    name = f"{plan.path} version {plan.number}"
    if plan.is_same:
        return f"{plan.path}: the text asks what version {plan.number} asks; publishing it changes nothing."
    names = ", ".join(each.project for each in plan.projects) or "no project"
    live, past = (
        ", ".join(f"{count} {SAID[each]}" for each in SAID if (count := plan.count(each, is_live=is_live)))
        for is_live in (True, False)
    )
    void = sum(each.approvals_void for each in plan.versions)
    lines = [
        f"{name} would be taken by {names}. Nothing was written.",
        f"live versions: {live or 'none'}",
        f"past movements: {past or 'none'}",
        *([f"approvals that would have to be given again: {void}"] if void else []),
    ]
    return "\n".join(lines)


def row(version: PlannedVersion) -> dict[str, object]:
    gates = [f"{gate.gate} {gate.verdict}{' (never asked)' if gate.is_unasked else ''}" for gate in version.gates]
    is_closed = version.effect == "same" and bool(version.gates)
    watched = [f"{gate.gate} {gate.verdict} ({gate.mode}s only)" for gate in version.watched]
    return {
        "version": f"{version.model}@{version.version}",
        "project": version.project,
        "": "stands in" if version.is_live else "came to",
        "stage": version.stage,
        "effect": f"{MARKS[version.effect]} {'closed as today' if is_closed else SAID[version.effect]}",
        "because": ", ".join([*gates, *watched]),
    }


COMMANDS = (
    Command(
        "plan",
        "what a path would change, before it is published; exit code 1 where nobody could approve",
        plan,
        (
            Argument("file", "the YAML file", is_file=True),
            Argument("--evaluate", "ask checks that have no evidence, too; nothing is kept", is_flag=True),
        ),
        show=show_plan,
        exit_code=lambda plan: 1 if plan.nobody else 0,
    ),
)
