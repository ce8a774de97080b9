"""What findings refuse."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class NotNext(TaxiwayError):
    """A state that does not follow the one that the finding is in."""

    status = 409
    finding: str
    state: str
    wanted: str
    follows: list[str]

    def __str__(self) -> str:
        after = " or ".join(self.follows) or "nothing: it is done with"
        return f"The finding {self.finding} is {self.state}, and {self.wanted} does not follow; what does is {after}."


class SecondPerson(TaxiwayError):
    """Somebody who has a part in a finding, or is no person, tries what a second person must do."""

    status = 403
    is_audited = True
    actor: str
    finding: str
    what: str
    because: str

    def __str__(self) -> str:
        return (
            f"{self.actor} cannot {self.what} the finding {self.finding}: {self.actor} {self.because} (four eyes). "
            f"Ask somebody else who works in the project and signs in."
        )
