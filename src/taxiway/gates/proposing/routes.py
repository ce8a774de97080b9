"""The API of proposals of paths."""

from __future__ import annotations

from taxiway.gates.proposing import contract
from taxiway.gates.proposing.service import Proposals
from taxiway.web.serve import Server


def bind(server: Server, proposals: Proposals) -> None:
    server.serve(contract.propose, proposals.propose)
    server.serve(contract.list_proposals, proposals.list)
    server.serve(contract.show_proposal, proposals.show)
    server.serve(contract.accept, proposals.accept)
    server.serve(contract.reject, proposals.reject)
    server.serve(contract.withdraw, proposals.withdraw)
