"""The refusals of hooks."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class HostUnsafe(TaxiwayError):
    """A hook's host that the server may not speak to: it is within the network, or would be asked in the clear."""

    status = 400
    is_audited = True
    host: str
    cause: str

    def __str__(self) -> str:
        return (
            f"{self.host} may not be told: {self.cause}. Give a public https address, or start the server with "
            f"--hook-host {self.host} (TAXIWAY_HOOK_HOSTS) if it is meant to."
        )


class HostUnknown(TaxiwayError):
    """A hook's host that no name server knows."""

    status = 400
    host: str
    cause: str

    def __str__(self) -> str:
        return f"{self.host} cannot be found: {self.cause}. Check the spelling, and that the server can ask for names."


class TooManyHooks(TaxiwayError):
    """As many hooks as a server tells are there already."""

    status = 409
    limit: int

    def __str__(self) -> str:
        return f"There are {self.limit} hooks already, as many as there may be. Remove one: `taxiway hooks remove`."
