"""What is refused of paths that change: the same sentence on every door."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class NeedsProposal(TaxiwayError):
    """A path that projects follow, published by one person alone."""

    status = 409
    is_audited = True
    actor: str
    path: str
    projects: list[str]

    def __str__(self) -> str:
        more = f" and {len(self.projects) - 3} more" if len(self.projects) > 3 else ""
        return (
            f"{self.actor} cannot publish {self.path} alone: {', '.join(self.projects[:3])}{more} would follow it, so "
            f"a second person accepts it (four eyes). Propose it: `taxiway gates propose FILE --reason WHY`."
        )


class OwnProposal(TaxiwayError):
    """Who proposed a path tries to accept it."""

    status = 403
    is_audited = True
    actor: str
    path: str
    who_can: list[str]

    def __str__(self) -> str:
        helpers = f"Ask {' or '.join(self.who_can)}." if self.who_can else "Make another person an admin first."
        return f"{self.actor} cannot accept this change of {self.path}: {self.actor} proposed it (four eyes). {helpers}"


class ProposalDecided(TaxiwayError):
    """A proposal that does not wait any more."""

    status = 409
    proposal: str
    state: str

    def __str__(self) -> str:
        return f"The proposal {self.proposal} was {self.state} already. Propose the text again to have it decided anew."


class ProposalOutdated(TaxiwayError):
    """A proposal to follow a version that is not the newest any more, or another text than was looked at."""

    status = 409
    path: str
    before: int
    newest: int

    def __str__(self) -> str:
        if self.before == self.newest:
            return f"This is not the text of {self.path} that you looked at. Look at the proposal again."
        return (
            f"This proposal was to follow version {self.before} of {self.path}, and {self.newest} is the newest by "
            f"now. Look at what changed (`taxiway gates path {self.path}`) and propose it anew."
        )
