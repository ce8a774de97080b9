"""The CLI of proposals of paths."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from taxiway.gates.planning.commands import show_plan
from taxiway.gates.proposing.contract import STATES, Proposal
from taxiway.kernel.commands import Argument, Command

if TYPE_CHECKING:
    from taxiway.client import Client

PROPOSAL = Argument("proposal", "the proposal's id")
COMMENT = Argument("--comment", "why", default="")


def propose(client: Client, given: Namespace) -> Proposal:
    return client.gates.propose(Path(given.file), reason=given.reason)


def proposals(client: Client, given: Namespace) -> list[Proposal]:
    return client.gates.proposals.list(path=given.path, state=given.state)


def proposal(client: Client, given: Namespace) -> Proposal:
    return client.gates.proposals.show(given.proposal)


def accept(client: Client, given: Namespace) -> Proposal:
    return client.gates.proposals.accept(given.proposal, comment=given.comment)


def reject(client: Client, given: Namespace) -> Proposal:
    return client.gates.proposals.reject(given.proposal, comment=given.comment)


def retract(client: Client, given: Namespace) -> Proposal:
    return client.gates.proposals.withdraw(given.proposal, comment=given.comment)


def show_proposal(proposal: Proposal) -> str:
    """Where it stands, why it was proposed, and what it would change."""
    follows = f"after version {proposal.before}" if proposal.before else "as a new path"
    parts = [f"{proposal.path} {follows}, proposed by {proposal.by}: {proposal.reason}", state_of(proposal)]
    if watching(proposal):
        parts.append(
            "None of its gates would stop anything: the text says no `mode: block`. A new path observes first."
        )
    if proposal.state == "open":
        parts.append(show_plan(proposal.plan))
    return "\n\n".join(parts)


def state_of(proposal: Proposal) -> str:
    if proposal.is_outdated:
        return "Another version was published since: propose it anew."
    if proposal.state == "open":
        return f"It waits for a second person: `taxiway gates accept {proposal.id} --comment WHY`."
    published = f" as version {proposal.version}" if proposal.version else ""
    return f"{proposal.state.capitalize()} by {proposal.decided_by}{published}: {proposal.comment}"


def watching(proposal: Proposal) -> bool:
    """Whether a new path's text leaves every gate observing."""
    return not proposal.before and "mode: observe" in proposal.text and "block" not in proposal.text


COMMANDS = (
    Command(
        "propose",
        "propose a path's next version, for a second person to accept",
        propose,
        (Argument("file", "the YAML file", is_file=True), Argument("--reason", "why it should hold", default="")),
        show=show_proposal,
    ),
    Command(
        "proposals",
        "proposals of paths",
        proposals,
        (Argument("--path", "of this path", default=""), Argument("--state", "in this state", choices=STATES)),
        columns=("id", "path", "before", "by", "at", "state", "decided_by", "version", "reason"),
    ),
    Command("proposal", "a proposal, with what it would change", proposal, (PROPOSAL,), show=show_proposal),
    Command(
        "accept", "accept somebody else's proposal, which publishes it", accept, (PROPOSAL, COMMENT), show=state_of
    ),
    Command("reject", "reject a proposal", reject, (PROPOSAL, COMMENT), show=state_of),
    Command("retract", "take your own proposal back", retract, (PROPOSAL, COMMENT), show=state_of),
)
