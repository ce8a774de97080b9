"""What pushing to and pulling from registries refuses with."""

from __future__ import annotations

from taxiway.kernel.errors import TaxiwayError


class RegistryRefused(TaxiwayError):
    """A registry that does not answer, or not as asked."""

    status = 502
    registry: str
    asked: str
    cause: str

    def __str__(self) -> str:
        return f"{self.registry} did not {self.asked}: {self.cause}. Check its address, and that you may do this there."


class RegistrySays(TaxiwayError):
    """A registry that wants to know who asks."""

    status = 401
    registry: str

    def __str__(self) -> str:
        return (
            f"{self.registry} wants a name and a password that it knows. `docker login {self.registry}` keeps them "
            f"where this looks, or set TAXIWAY_REGISTRY_USER and TAXIWAY_REGISTRY_PASSWORD."
        )


class NoBundleThere(TaxiwayError):
    """An image that holds no bundle."""

    status = 422
    place: str
    cause: str

    def __str__(self) -> str:
        return f"{self.place} is no bundle of Taxiway: {self.cause}. `taxiway models push` makes one."
