"""The SDK of proposals of paths."""

from __future__ import annotations

from taxiway.gates.proposing import contract
from taxiway.gates.proposing.contract import DecideProposal, ListProposals, Proposal, ProposalState, ProposePath
from taxiway.kernel.transport import Transport


class Proposals:
    """Changes of paths that one person proposes and another accepts: ``client.gates.proposals``."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport

    def open(self, text: str, *, reason: str, name: str = "path.yaml") -> Proposal:
        """Proposes a path's next version; its plan says what would change. Raises YamlBroken, BadField.

        name: what a refusal calls the text.

        >>> client.gates.proposals.open(text, reason="four fifths, as the regulator asks")  # doctest: +SKIP
        """
        return self.transport.call(contract.propose, ProposePath(text, reason, name))

    def list(self, *, path: str = "", state: ProposalState | None = None) -> list[Proposal]:
        """Newest first."""
        return self.transport.call(contract.list_proposals, ListProposals(path, state)).items

    def show(self, proposal: str) -> Proposal:
        """Raises NotFound."""
        return self.transport.call(contract.show_proposal, proposal=proposal)

    def accept(self, proposal: str, *, comment: str, digest: str = "") -> Proposal:
        """Publishes what somebody else proposed. Needs an admin who signed in. digest: of what was looked at.

        Raises NeedsPerson, OwnProposal, ProposalDecided, ProposalOutdated.
        """
        return self.transport.call(contract.accept, DecideProposal(comment, digest), proposal=proposal)

    def reject(self, proposal: str, *, comment: str) -> Proposal:
        """Raises ProposalDecided."""
        return self.transport.call(contract.reject, DecideProposal(comment), proposal=proposal)

    def withdraw(self, proposal: str, *, comment: str) -> Proposal:
        """Takes one's own proposal back. Raises NotAllowed, ProposalDecided."""
        return self.transport.call(contract.withdraw, DecideProposal(comment), proposal=proposal)
