"""What a client refuses that has no server to work with."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class ServerMissing(TaxiwayError):
    """The folder's own home needs the server's packages, and they are not installed."""

    status = 501

    def __str__(self) -> str:
        return (
            "Working without a server needs its packages: `pip install 'taxiway[server]'`. "
            "Or set TAXIWAY_URL to the address of a server."
        )


class HomeBusy(TaxiwayError):
    """Another process owns the home but does not answer."""

    status = 503
    retry_after_s = 5.0
    home: str
    owner: str

    def __str__(self) -> str:
        return f"The home {self.home} is in use by {self.owner}, which does not answer. Stop it and try again."
