"""What the gateway refuses before it reads what is asked: where a request comes from, and how its body is packed."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class MediaTypeRefused(TaxiwayError):
    """The body is declared as something that is not read here."""

    status = 415
    found: str
    accepted: list[str] = ["application/json"]

    def __str__(self) -> str:
        return f"The content type is {self.found or 'missing'}. Send one of: {', '.join(self.accepted)}."


class EncodingRefused(TaxiwayError):
    """The body is compressed."""

    status = 415
    found: str

    def __str__(self) -> str:
        return f"The body is encoded as {self.found}, and nothing is unpacked here. Send it as it is."


class BodyTimedOut(TaxiwayError):
    """The body did not arrive in time."""

    status = 408
    limit_s: float

    def __str__(self) -> str:
        return f"The body did not arrive within {self.limit_s:g} s. Send it again over a faster connection."


class HostRefused(TaxiwayError):
    """The request names a host that this gateway does not answer for."""

    status = 421
    host: str

    def __str__(self) -> str:
        return f"This gateway does not answer for the host {self.host!r}. Use its address, or allow the name."


class OriginRefused(TaxiwayError):
    """A page of another site sent the request."""

    status = 403
    origin: str

    def __str__(self) -> str:
        return f"Pages of {self.origin} may not call this gateway. Call it from a program, or from its own host."
