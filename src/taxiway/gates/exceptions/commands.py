"""The CLI of waivers, conditional approvals and broken glass."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.gates.contract import GATE_STAGES
from taxiway.gates.exceptions.contract import Exceptions, Waiver
from taxiway.gates.exceptions.passed import BrokenGlass
from taxiway.kernel.commands import Argument, Command, count
from taxiway.kernel.show import as_table

if TYPE_CHECKING:
    from taxiway.client import Client

MODEL = Argument("model", "MODEL@VERSION, MODEL@ALIAS, or MODEL for the newest version")
GATE = Argument("gate", "the gate's name, such as fairness")
WAIVER = Argument("waiver", "the waiver's id")
DAYS = Argument("--days", "for how long (default: as long as the path allows)", count)


def waivers(client: Client, given: Namespace) -> list[Waiver]:
    return client.gates.waivers.list()


def exceptions(client: Client, given: Namespace) -> Exceptions:
    return client.gates.waivers.show(given.model)


def waive(client: Client, given: Namespace) -> Waiver:
    return client.gates.waivers.ask(given.model, given.gate, reason=given.reason, days=given.days)


def grant(client: Client, given: Namespace) -> Waiver:
    return client.gates.waivers.grant(given.model, given.waiver, comment=given.comment)


def revoke(client: Client, given: Namespace) -> Waiver:
    return client.gates.waivers.revoke(given.model, given.waiver, reason=given.reason)


def let_through(client: Client, given: Namespace) -> Waiver:
    return client.gates.waivers.let_through(given.model, given.gate, comment=given.comment, days=given.days)


def break_glass(client: Client, given: Namespace) -> BrokenGlass:
    return client.gates.waivers.break_glass(given.model, reason=given.reason, stage=given.stage, days=given.days)


def show_waiver(waiver: Waiver) -> str:
    """How a waiver stands, in two lines."""
    what = (
        f"{waiver.kind} {waiver.id}: {waiver.gate} of {waiver.model} v{waiver.version}, until {waiver.until:%Y-%m-%d}"
    )
    state = f"void: {waiver.void_because}" if waiver.void_because else f"counts, by {waiver.granted_by}"
    return f"{what}\n{state}. {waiver.asked_by}: {waiver.reason}"


def show_exceptions(found: Exceptions) -> str:
    """Everything that let a version go on without an open gate."""
    rows = [
        {
            "id": each.id,
            "kind": each.kind,
            "gate": each.gate,
            "until": each.until,
            "asked": each.asked_by,
            "granted": each.granted_by,
            "counts": "yes" if each.counts else each.void_because,
            "why": each.reason,
        }
        for each in found.waivers
    ]
    glass = [f"■ {each.said} (finding {each.finding})" for each in found.broken]
    who = f"Could grant one: {', '.join(found.who_can) or 'nobody'}."
    return "\n".join([as_table(rows) if rows else "No waivers.", *glass, who])


def show_broken(glass: BrokenGlass) -> str:
    return (
        f"■ {glass.model} v{glass.version} is in {glass.stage} past {', '.join(glass.unmet)}, by {glass.by}.\n"
        f"It holds until {glass.until:%Y-%m-%d %H:%M} UTC; the finding {glass.finding} says what to mend."
    )


COMMANDS = (
    Command(
        "waivers",
        "the waivers that wait for somebody or count",
        waivers,
        columns=("id", "kind", "model", "version", "gate", "found", "until", "asked_by", "granted_by", "reason"),
    ),
    Command("exceptions", "what let a version go on without an open gate", exceptions, (MODEL,), show=show_exceptions),
    Command(
        "waive",
        "ask that a version may go on although a gate is not open",
        waive,
        (MODEL, GATE, Argument("--reason", "why", default=""), DAYS),
        show=show_waiver,
    ),
    Command(
        "grant-waiver",
        "grant a waiver that somebody else asked for",
        grant,
        (MODEL, WAIVER, Argument("--comment", "what you looked at and why it is bearable", default="")),
        show=show_waiver,
    ),
    Command(
        "revoke-waiver",
        "take a waiver or a conditional approval back",
        revoke,
        (MODEL, WAIVER, Argument("--reason", "why", default="")),
        show=show_waiver,
    ),
    Command(
        "let-through",
        "approve an inconclusive gate conditionally, for a limited time",
        let_through,
        (MODEL, GATE, Argument("--comment", "what you looked at and why it is bearable", default=""), DAYS),
        show=show_waiver,
    ),
    Command(
        "break-glass",
        "move a version although its gates are closed; opens a finding",
        break_glass,
        (
            MODEL,
            Argument("--stage", "the stage it enters", default="production", choices=GATE_STAGES),
            Argument("--reason", "what burns", default=""),
            Argument("--days", "until its gates must be open after all, at most 7", count, 3),
        ),
        show=show_broken,
    ),
)
