"""The CLI of who can approve, which stands among that of gates."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from taxiway.gates.eligible.contract import Candidate, Eligible
from taxiway.kernel.commands import Argument, Command

if TYPE_CHECKING:
    from taxiway.client import Client


def eligible(client: Client, given: Namespace) -> Eligible:
    return client.gates.eligible(given.what)


def show_eligible(found: Eligible) -> str:
    """For each stage what it asks, whether enough people can, and who can or why not."""
    about = f"{found.model} v{found.version}" if found.model else f"versions of {found.project}"
    lines = [f"{about} on {found.path.removeprefix('path:')}"]
    for stage in found.stages:
        counts = f"{stage.found} of {stage.asked} seats can be filled" + (f", {stage.given} are" if stage.given else "")
        lines += ["", f"{stage.stage}: {stage.asks}. {counts}."]
        lines += [line_of(each) for each in stage.people] or ["  Nobody holds a role in the project."]
    return "\n".join(lines if found.stages else [*lines, "", "It asks for no approvals."])


def line_of(candidate: Candidate) -> str:
    if candidate.can:
        return f"  {candidate.person} can, as {', '.join(candidate.roles)}" + (
            f" (but {candidate.beware})" if candidate.beware else ""
        )
    return f"  {candidate.person} cannot: {candidate.why_not}"


COMMANDS = (
    Command(
        "eligible",
        "who can approve, and why each other person cannot; exit code 1 where there are too few",
        eligible,
        (Argument("what", "PROJECT, before there is a version; or MODEL@VERSION"),),
        show=show_eligible,
        exit_code=lambda found: 0 if found.is_enough else 1,
    ),
)
