"""What discussions refuse."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class NotYours(TaxiwayError):
    """Somebody else's comment, or a discussion that one neither began nor answers for."""

    status = 403
    is_audited = True
    actor: str
    what: str
    who_can: list[str]

    def __str__(self) -> str:
        who = " or ".join(self.who_can) or "an owner of the project"
        return f"{self.actor} cannot {self.what}. Ask {who}."


class NotAsked(TaxiwayError):
    """An answer by somebody who was not asked to look."""

    status = 409
    actor: str
    asked: list[str]

    def __str__(self) -> str:
        who = ", ".join(self.asked) or "nobody"
        return f"{self.actor} was not asked here to look ({who} was). Say it without an answer: everybody may comment."


class AlreadySo(TaxiwayError):
    """A discussion that is in that state, or a comment that was withdrawn."""

    status = 409
    what: str

    def __str__(self) -> str:
        return f"{self.what}. Reload it to see what was said meanwhile."
