"""Why somebody does not come in by the identity provider, and what to do about it."""

from __future__ import annotations

from typing import ClassVar

from taxiway.kernel.errors import TaxiwayError

MEANT: dict[str, str] = {
    "access_denied": "it was cancelled there, or your account there may not use this server",
    "login_required": "it asks you to sign in there first",
    "consent_required": "it asks for your consent first",
    "temporarily_unavailable": "it is overloaded, or being serviced",
    "server_error": "something failed there",
    "invalid_scope": "it does not know one of the scopes asked for; an admin mends `scopes` in the sign-in file",
    "unauthorized_client": "it does not let this server ask in this way; an admin mends the client there",
    "invalid_request": "it did not take the question; an admin checks the redirect address registered there",
}


class AttemptUnknown(TaxiwayError):
    """An answer of the provider that fits no sign-in that this browser began, or one too late, or a second time."""

    status = 401
    public_url: str

    def __str__(self) -> str:
        return (
            "This answer fits no sign-in that this browser began in the last 10 minutes, or it was used already. "
            f"Begin again. If it happens each time, open {self.public_url} (no other name of this server) and "
            "let the browser keep its cookies."
        )


class ProviderSaidNo(TaxiwayError):
    """The provider answered with an error instead of a code. error: its name in OAuth 2.0."""

    status = 401
    provider: str
    error: str

    def __str__(self) -> str:
        meant = MEANT.get(self.error, "it gives no reason that this server knows")
        return f"{self.provider} did not sign you in ({self.error}): {meant}. Begin again, or ask an admin."


class ProviderUnusable(TaxiwayError):
    """The provider cannot be asked, or answers in a way that nothing can be done with."""

    status = 503
    retry_after_s: ClassVar[float | None] = 5.0
    provider: str
    cause: str

    def __str__(self) -> str:
        return (
            f"{self.provider} cannot be asked who you are: {self.cause}. Try again in a moment; if it stays so, an "
            "admin checks the issuer, the client and its secret."
        )


class TokenUnfit(TaxiwayError):
    """What the provider sent to say who somebody is does not hold."""

    status = 401
    is_audited = True
    provider: str
    problem: str

    def __str__(self) -> str:
        return (
            f"What {self.provider} sent does not hold: {self.problem}. Nobody was signed in. Begin again; if it "
            "stays so, tell an admin, word for word."
        )


class ClocksApart(TaxiwayError):
    """A token from the future, or one that has run out: the clocks of provider and server differ."""

    status = 401
    provider: str
    by_s: int

    def __str__(self) -> str:
        which = "ahead of" if self.by_s > 0 else "behind"
        return (
            f"The clock of {self.provider} is {abs(self.by_s)} s {which} this server's, or its answer came that late; "
            "60 s are let pass. Begin again; if it stays so, an admin has both clocks set by NTP."
        )


class GroupMissing(TaxiwayError):
    """Somebody is in none of the groups that may sign in."""

    status = 403
    is_audited = True
    provider: str
    allowed: list[str]

    def __str__(self) -> str:
        return (
            f"Your account at {self.provider} is in none of the groups that may sign in here "
            f"({', '.join(self.allowed)}). Have yourself added to one there, sign out there, and begin again."
        )


class ClaimUnfit(TaxiwayError):
    """The provider does not say of somebody what has to be known, or says it in a way that cannot be used."""

    status = 403
    provider: str
    claim: str
    problem: str

    def __str__(self) -> str:
        return (
            f"What {self.provider} says of you as {self.claim!r} cannot be used: {self.problem}. An admin has it sent "
            "there, or names another claim in the sign-in file."
        )


class NameTaken(TaxiwayError):
    """The name belongs to somebody else here, or to an account that was there before."""

    status = 409
    is_audited = True
    provider: str
    user: str
    is_bound: bool

    def __str__(self) -> str:
        if self.is_bound:
            return (
                f"{self.user} here is another account of {self.provider} than yours, and stays so whoever has that "
                "name there now. Ask an admin of this server."
            )
        return (
            f"There is an account {self.user} here already, and nobody gets it by having its name at {self.provider}. "
            "If it is yours, sign in with a link from an admin, then choose Connect on your account's page."
        )


class AlreadyConnected(TaxiwayError):
    """An account there that is bound to another user here, or a user here who has one already."""

    status = 409
    is_audited = True
    provider: str
    user: str

    def __str__(self) -> str:
        return (
            f"That account of {self.provider} and yours here cannot be connected: one of them is bound already "
            f"({self.user}). Sign out at {self.provider}, and sign in there as yourself."
        )


class NotAdded(TaxiwayError):
    """Somebody the provider knows has no account here, and none is made at the first sign-in."""

    status = 403
    provider: str
    user: str

    def __str__(self) -> str:
        return (
            f"{self.provider} knows you, and there is no account {self.user} here yet. Ask an admin to add you "
            f"(`taxiway access add {self.user}`) and to send you a link, then choose Connect on your account's page."
        )


class AccountClosed(TaxiwayError):
    """Somebody who was deactivated here."""

    status = 403
    is_audited = True
    user: str

    def __str__(self) -> str:
        return f"The account {self.user} was deactivated here. Ask an admin (`taxiway access activate {self.user}`)."
