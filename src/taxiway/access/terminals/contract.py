"""What the outside sees of terminals that sign in."""

from __future__ import annotations

from msgspec import Struct

from taxiway.access.contract import Token
from taxiway.kernel.endpoint import Endpoint
from taxiway.kernel.errors import TaxiwayError

PAGE = "/me/terminal"
DAYS = 7  # how long a terminal's token lives unless it asks for more


class RedeemCode(Struct, frozen=True, forbid_unknown_fields=True):
    """The code that a browser brought to a terminal, and the text whose hash the terminal had asked with."""

    code: str
    verifier: str


class CodeSpent(TaxiwayError):
    """A terminal's code that was used, has run out, or was asked for by another one."""

    status = 401

    def __str__(self) -> str:
        return (
            "This code was used already, has run out, or belongs to another terminal. "
            "Run `taxiway access sign-in` again."
        )


redeem_code = Endpoint(
    "POST",
    "/api/access/codes",
    RedeemCode,
    Token,
    "access.self",
    "Turn the code that a browser brought to a terminal into a token",
    "open",
)
