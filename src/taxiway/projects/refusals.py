"""What projects refuse, each refusal with its next step."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class RulesWait(TaxiwayError):
    """Lighter rules of a project, which wait for a second admin's word."""

    status = 409
    is_audited = True
    project: str
    change: str
    proposal: str
    who_can: list[str]

    def __str__(self) -> str:
        if not self.proposal:
            return (
                f"{self.change} of the project {self.project} is nothing that one person changes, and there is no "
                f"second admin to confirm it. Let the home's owner do it, or `taxiway access add NAME --admin`."
            )
        return (
            f"{self.change} of the project {self.project} stays until somebody else of {', '.join(self.who_can)}, or "
            f"the home's owner, says `taxiway access confirm {self.proposal}`. Nothing was changed."
        )


class RulesHeld(TaxiwayError):
    """A project's rules that somebody who is no admin tried to make lighter: its risk tier, or its path."""

    status = 403
    is_audited = True
    actor: str
    project: str
    change: str
    who_can: list[str]

    def __str__(self) -> str:
        helpers = f"Ask {' or '.join(self.who_can)}." if self.who_can else "Ask who runs this server."
        return (
            f"{self.actor} may not change {self.change} of the project {self.project}: only an admin may lower the "
            f"tier or choose another path, since both say which gates its versions must pass. {helpers}"
        )
