"""Why something cannot be exported."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class NotExported(TaxiwayError):
    """A version that a platform could not run as it is."""

    status = 422
    what: str
    to: str
    reason: str

    def __str__(self) -> str:
        return f"{self.what} is not exported to {self.to}: {self.reason}."
